"""What we ask of the kernel for a process: to die with its parent, real-time priority, locked memory."""

from __future__ import annotations

import ctypes
import os

_PR_SET_PDEATHSIG = 1
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
#: Above ordinary work, below the kernel's own interrupt threads (50).
PRIORITY = 20


def die_with_parent(number: int) -> None:
    """Get a signal when the parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def real_time() -> list[str]:
    """Ask for real-time priority and locked memory; return what was not granted, with the mend."""
    problems = []
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as error:
        problems.append(f"no real-time priority ({error.strerror}): set LimitRTPRIO={PRIORITY} in the unit")
    libc = ctypes.CDLL(None, use_errno=True)
    # ONFAULT: only what is used is locked, so that what we share with the supervisor stays shared
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        reason = os.strerror(ctypes.get_errno())
        problems.append(f"no locked memory ({reason}): set LimitMEMLOCK=infinity in the unit")
    return problems
