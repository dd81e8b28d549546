"""What the kernel grants a process, found out without the product; and how to start one that is granted nothing."""

from __future__ import annotations

import os
import subprocess
import sys

_ASK = """
import ctypes, os
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
if ctypes.CDLL(None).mlockall(7):
    raise SystemExit(1)
"""
_CAPABILITIES = "-sys_nice,-ipc_lock"
#: Comes before the command of a process that may have neither real-time priority nor locked memory, even root's.
DENIED = (
    "prlimit", "--rtprio=0:0", "--memlock=0:0",
    *(("setpriv", f"--bounding-set={_CAPABILITIES}", f"--inh-caps={_CAPABILITIES}") if os.geteuid() == 0 else ()),
)  # fmt: skip


def granted() -> bool:
    """Whether a process started here gets real-time priority and locked memory."""
    return subprocess.run([sys.executable, "-c", _ASK], capture_output=True, check=False).returncode == 0
