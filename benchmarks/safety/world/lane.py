"""One way of one connection through the relay: bytes in, the same bytes out in their order, when its pace lets them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.safety.world.direction import Direction

#: A segment of Ethernet's usual size.
SEGMENT_BYTES = 1448
#: What Linux adds to the round trip before it retransmits.
RTO_MIN_S = 0.2
NS = 1e9
#: Takes when a chunk was read (ns, CLOCK_MONOTONIC) and its length.
Log = Callable[[int, int], None]


@dataclass(frozen=True)
class Passed:
    """A chunk: when it came to the relay and when it left (ns, CLOCK_MONOTONIC)."""

    t_ns: int
    read_ns: int
    direction: Direction
    connection: int
    length: int


class Pace:
    """How one direction passes on, for all connections; may change at any time."""

    def __init__(self, seed: int) -> None:
        """Pass at once. ``seed``: of what is lost."""
        self.held = False
        self.delay_s = 0.0
        self.loss = 0.0
        self.lanes: set[Lane] = set()
        self._chance = random.Random(seed)

    def set(self, *, held: bool = False, delay_s: float = 0.0, loss: float = 0.0) -> None:
        """Change it; also for what waits already."""
        self.held, self.delay_s, self.loss = held, delay_s, loss
        for lane in self.lanes:
            lane.wake()

    def late_s(self) -> float:
        """Draw how late a segment is: the delay, and a doubling time-out for each time that it is lost."""
        late_s, timeout_s = self.delay_s, 2 * self.delay_s + RTO_MIN_S
        while self.loss and self._chance.random() < self.loss:
            late_s += timeout_s
            timeout_s *= 2
        return late_s


class Lane:
    """What is read from one socket and waits to be written to the other."""

    def __init__(self, pace: Pace, source: socket.socket, target: socket.socket, log: Log) -> None:
        """Take its pace, its ends, and what is called as a chunk is passed on."""
        self._pace, self._source, self._target, self._log = pace, source, target, log
        self._waiting: deque[tuple[int, int, bytes]] = deque()
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Look again whether something may pass."""
        self._changed.set()

    async def run(self) -> None:
        """Pass on until the source's end has passed too, or the target is gone."""
        self._pace.lanes.add(self)
        reader = asyncio.create_task(self._read(), name="reader")
        try:
            with contextlib.suppress(OSError):
                await self._write()
        finally:
            self._pace.lanes.discard(self)
            reader.cancel()
            await asyncio.wait([reader])

    async def _read(self) -> None:
        chunk, due_ns = b" ", 0
        while chunk:
            try:
                chunk = await asyncio.get_running_loop().sock_recv(self._source, SEGMENT_BYTES)
            except OSError:  # a reset is an end; what was said before it still passes
                chunk = b""
            now_ns = time.monotonic_ns()
            due_ns = max(due_ns, now_ns + int(self._pace.late_s() * NS))
            self._waiting.append((due_ns, now_ns, chunk))
            self.wake()

    async def _write(self) -> None:
        while True:
            read_ns, chunk = await self._next()
            if not chunk:
                self._target.shutdown(socket.SHUT_WR)
                return
            self._log(read_ns, len(chunk))
            await asyncio.get_running_loop().sock_sendall(self._target, chunk)

    async def _next(self) -> tuple[int, bytes]:
        while (wait_s := self._wait_s()) is None or wait_s > 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
        return self._waiting.popleft()[1:]

    def _wait_s(self) -> float | None:
        """Say how long the next chunk has to wait; None: until something changes."""
        if self._pace.held or not self._waiting:
            return None
        if not self._pace.delay_s:
            return 0.0
        return (self._waiting[0][0] - time.monotonic_ns()) / NS
