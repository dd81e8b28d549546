"""The clocks: CLOCK_BOOTTIME for leases; the wall clock only where the kernel says that it is synchronised."""

from __future__ import annotations

import ctypes
import os
import time

_TIME_ERROR = 5
_STA_UNSYNC = 0x40


class _Timex(ctypes.Structure):
    """``struct timex``, as much of it as is read; the kernel writes at most 208 bytes on any architecture."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )  # fmt: skip


_libc = ctypes.CDLL(None)


def boottime_s() -> float:
    """Return CLOCK_BOOTTIME in seconds: it goes on while the board is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def synchronised() -> bool:
    """Tell whether adjtimex says so; ``PIMQTT_CLOCK`` (``sync`` or ``unsync``) overrides it in tests."""
    told = os.environ.get("PIMQTT_CLOCK")
    if told:
        return told == "sync"
    timex = _Timex()
    return _libc.adjtimex(ctypes.byref(timex)) != _TIME_ERROR and not timex.status & _STA_UNSYNC


def wall_s() -> float | None:
    """Return the wall clock (Unix s), None where it can't be trusted."""
    return time.time() if synchronised() else None
