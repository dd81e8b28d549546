"""The words that are kept with a picture: those of the page, none of the machine or the moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.kept import Pictures, words

PAGE = "Demo Pi Online Load 10.79 Memory 10% Disk 31% Nothing is on a timer"
WHOLE = ["Demo", "Disk", "Load", "Memory", "Nothing", "Online", "Pi", "a", "is", "on", "timer"]


@pytest.mark.parametrize(
    "more",
    [
        "",
        "x86_64 · 192.0.2.2, fd00::2",
        "aarch64 · 192.0.2.7, fe80::1ff:fe23:4567:890a",
        "CPU 54.2 °C Wi-Fi -51 dBm Wi-Fi signal Throttled OK Under-voltage OK CPU temperature",
        "3 weeks ago",
        "1 minute ago",
        "10:05 PM",
        "Yesterday",
        "6 s old",
    ],
)
def test_they_are_the_same_on_every_machine_and_at_every_time(more: str) -> None:
    assert words(f"{PAGE} {more}") == WHOLE


def test_a_page_that_says_something_else_is_found(tmp_path: Path) -> None:
    Pictures(tmp_path).keep("a", b"picture", PAGE)
    Pictures(tmp_path).keep("b", b"another", "Bell")
    now = Pictures(None, tmp_path)
    now.keep("a", b"other pixels", PAGE.replace("10.79", "0.3"))
    now.keep("b", b"", "Bell")
    with pytest.raises(AssertionError, match=r"a.png is out of date .* it shows \['timer'\] and lacks \['hold'\]"):
        now.keep("a", b"picture", PAGE.replace("timer", "hold"))


def test_a_picture_that_was_never_taken_is_missed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"c.png is missing"):
        Pictures(None, tmp_path).keep("c", b"", PAGE)
    (tmp_path / "c.png").write_bytes(b"by hand")
    with pytest.raises(AssertionError, match=r"c.png is out of date"):
        Pictures(None, tmp_path).keep("c", b"", PAGE)
