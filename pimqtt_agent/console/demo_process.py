"""A process of the demo: its output in a file, ended with the demo in every case."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from pimqtt_agent.errors import PimqttError
from pimqtt_agent.kernel_asks import die_with_parent

#: How long it may take to go (s).
STOP_S = 6.0


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, stop_s: float = STOP_S
) -> AsyncIterator[asyncio.Task[int]]:
    """Run a command in the folder of its log; gives a task that is done when it ended, with its status."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=log.parent, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, preexec_fn=partial(die_with_parent, signal.SIGTERM),
        )  # fmt: skip
    ended = asyncio.create_task(process.wait())
    try:
        yield ended
    finally:
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=stop_s)
        with contextlib.suppress(ProcessLookupError):  # what it started and left behind goes too
            os.killpg(process.pid, signal.SIGTERM if ended.done() else signal.SIGKILL)
        await ended


def last_words(log: Path) -> str:
    """Return the last line of a log."""
    words = log.read_text(errors="replace").strip().splitlines()
    return words[-1] if words else "it said nothing"


def free_port(wanted: int | None, usual: int) -> int:
    """Return the wanted loopback port; where none is wanted the usual one, else any that is free."""
    for port in (wanted,) if wanted else (usual, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise PimqttError(f"port {wanted} is in use; name another one, or none")
