"""One instance a node: the lock in its runtime folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pimqtt_agent.errors import RunningError


def lock(runtime: Path, node: str) -> int:
    """Take the node's lock; raises ``RunningError`` naming who has it. The descriptor keeps it."""
    runtime.mkdir(parents=True, exist_ok=True, mode=0o755)
    descriptor = os.open(runtime / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).strip()
        pid = holder.decode() if holder.isdigit() else "?"  # it may stand between taking the lock and writing its pid
        os.close(descriptor)
        raise RunningError(f"{node} runs already as pid {pid}; stop it first (kill {pid})") from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
