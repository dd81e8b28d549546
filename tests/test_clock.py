"""Whether the wall clock can be trusted: the kernel's answer, read here with lines of our own."""

from __future__ import annotations

import ctypes
import struct
import time
from typing import Any

import pytest

from pimqtt_agent import clock

#: From the kernel's uapi/linux/timex.h.
TIME_ERROR, STA_UNSYNC, STA_PLL, STA_NANO = 5, 0x0040, 0x0001, 0x2000
#: ``struct timex``: modes, offset, freq, maxerror, esterror, status.
HEAD = "@Illlli"


class Kernel:
    """A libc whose adjtimex says what a test wants."""

    def __init__(self, state: int, status: int) -> None:
        self.state, self.status = state, status

    def adjtimex(self, timex: Any) -> int:
        data = struct.pack(HEAD, 0, 1, 2, 3, 4, self.status)
        ctypes.memmove(timex, data, len(data))
        return self.state


@pytest.fixture(autouse=True)
def _untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIMQTT_CLOCK", raising=False)


def test_it_is_what_the_kernel_of_this_machine_says() -> None:
    timex = ctypes.create_string_buffer(1024)
    state = ctypes.CDLL(None).adjtimex(timex)
    assert state >= 0
    status = struct.unpack_from(HEAD, timex)[-1]
    assert clock.synchronised() is (state != TIME_ERROR and not status & STA_UNSYNC)
    assert (clock.wall_s() is not None) is clock.synchronised()


@pytest.mark.parametrize(
    ("state", "status", "trusted"),
    [
        (0, STA_PLL | STA_NANO, True),
        (0, 0, True),
        (1, STA_PLL, True),  # a leap second comes
        (0, STA_PLL | STA_UNSYNC, False),
        (TIME_ERROR, STA_PLL | STA_UNSYNC, False),
        (TIME_ERROR, STA_PLL, False),
    ],
)
def test_synchronised_means_no_error_and_no_unsync(
    monkeypatch: pytest.MonkeyPatch, state: int, status: int, *, trusted: bool
) -> None:
    monkeypatch.setattr(clock, "_libc", Kernel(state, status))
    assert clock.synchronised() is trusted
    wall_s = clock.wall_s()
    assert (wall_s is not None) is trusted
    assert wall_s is None or abs(wall_s - time.time()) < 1


@pytest.mark.parametrize(("told", "trusted"), [("sync", True), ("unsync", False), ("nonsense", False)])
def test_a_test_may_say_otherwise(monkeypatch: pytest.MonkeyPatch, told: str, *, trusted: bool) -> None:
    monkeypatch.setenv("PIMQTT_CLOCK", told)
    assert clock.synchronised() is trusted
