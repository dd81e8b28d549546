"""A supervisor that froze and is killed, as systemd's watchdog does it: what its children said is left unread.

Their end of the talk then reads an error before its end: also then nothing stays on, and nobody stays.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.broker.steps import PUMP, Start, eventually, online, reached, seconds, told
from tests.rig import Observer

pytestmark = pytest.mark.broker


async def test_what_was_on_is_off_and_the_children_end(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    children = running.descendants()
    assert running.process
    os.kill(running.process.pid, signal.SIGSTOP)
    await asyncio.sleep(1)  # beats
    killed_ns = time.monotonic_ns()
    running.process.kill()
    running.process.wait()
    assert seconds(killed_ns, await reached(running, 17, 0)) < 0.5
    await eventually(lambda: not any(map(lives, children)), what="children end")
    assert "Traceback" not in running.log.read_text()


def lives(pid: int) -> bool:
    """Whether a process does; one that nobody reaps has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
