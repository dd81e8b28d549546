"""The reader of the log stands still: what a node promises about its pins holds all the same."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.steps import PUMP, eventually, online, reached, told
from tests.rig import Mosquitto, Node, config, observer

pytestmark = pytest.mark.broker


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A pipe, full, that nobody reads: a pager, or a terminal after Ctrl-S."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.write(write, b"x" * 4096)
    yield path, read
    os.close(write)
    os.close(read)


async def test_nobody_who_watches_pins_waits_for_the_reader_of_the_log(tmp_path: Path, log: tuple[Path, int]) -> None:
    pipe, read = log
    with Mosquitto(tmp_path) as broker:
        running = Node(tmp_path / "node", config(broker.port, PUMP))
        running.log.symlink_to(pipe)
        with running:
            async with observer(broker.port) as watch:
                await online(watch)
                await told(watch, "pump", {"value": "ON", "ttl": 20, "id": "a"})
                killed_ns = time.monotonic_ns()
                running.signal("keeper pins", signal.SIGKILL)
                off_ns = await reached(running, 17, 0)
                assert off_ns - killed_ns < 1e9
                assert os.read(read, 65536) == b"x" * 4096
                running.signal("keeper pins", signal.SIGKILL)
                await eventually(lambda: b"lines of the log were dropped: nobody read them" in _read(read))


def _read(end: int) -> bytes:
    try:
        return os.read(end, 65536)
    except BlockingIOError:
        return b""
