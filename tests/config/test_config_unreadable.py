"""Files that can't be read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pimqtt_agent.config import load
from pimqtt_agent.errors import ConfigError
from tests.config.texts import Told, Write


def test_a_file_that_is_not_there(folder: Path, write: Write) -> None:
    def lines(name: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(name, environ={})
        assert caught.value.status == 2
        return caught.value.lines

    assert lines("nope.yaml") == ["nope.yaml: no such file"]
    assert lines(str(folder)) == [f"{folder}: is a directory"]
    assert lines("a\0b.yaml") == [r"a\x00b.yaml: embedded null byte"]
    write("x: [")
    assert lines("config.yaml/x") == ["config.yaml/x: not a directory"]
    assert lines(str(folder / "config.yaml"))[0].startswith(f"{folder}/config.yaml:1: not valid YAML: ")


def test_a_file_without_permission(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert told("x: y", status=2) == ["config.yaml: permission denied"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b\n\tc: d\n", 2),
        ("a: [b\nc: d\n", 2),
        ("a: {b: c\n", 1),
        ("a: 'b\n", 1),
        ("a: b: c\n", 1),
        ("a: b\n---\nc: d\n", 2),
        ("a: \x07\n", 1),
        ("\n\na: *b\n", 3),
        ("a: &x [*x]\n", 1),
        ("a: !x!y z\n", 1),
        ("[" * 100_000, 1),
        ("? " * 100_000, 1),
        ("- " * 1000, 1),
        ("a: @b\n", 1),
        ("%YAML 3.0\n---\na: b\n", 1),
    ],
)
def test_what_is_no_yaml(told: Told, text: str, line: int) -> None:
    (found,) = told(text, status=2)
    assert found.startswith(f"config.yaml:{line}: ")


def test_many_aliases_do_not_fill_the_memory(told: Told) -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(12))
    (line,) = told(text, status=2)
    assert line.endswith(": too large once its aliases are expanded")


def test_bytes_that_are_no_utf8(folder: Path) -> None:
    (folder / "config.yaml").write_bytes(b"node: x\nmqtt:\n  host: \xff\n")
    with pytest.raises(ConfigError) as caught:
        load("config.yaml", environ={})
    assert (caught.value.lines, caught.value.status) == (["config.yaml:3: not UTF-8: byte 0xff"], 2)
