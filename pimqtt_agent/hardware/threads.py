"""The priority of threads."""

from __future__ import annotations

import logging
import os
import threading

log = logging.getLogger(__name__)


def as_urgent_as_the_keeper() -> None:
    """Give the other threads of this process the caller's policy: what a real-time keeper starts is not real-time.

    Else a thread that makes pulses waits for any busy program, and the keeper with it, where they share a lock.
    """
    policy, mine = os.sched_getscheduler(0), threading.get_native_id()
    if policy & ~os.SCHED_RESET_ON_FORK == os.SCHED_OTHER:
        return
    for thread in map(int, os.listdir("/proc/self/task")):  # noqa: PTH208 - names are all we want
        try:
            if thread != mine:  # which may not do without the flag any more
                os.sched_setscheduler(thread, policy, os.sched_getparam(0))
        except ProcessLookupError:
            continue
        except OSError as error:
            log.warning("pulses may be late: no real-time priority for their thread (%s)", error.strerror)
            return
