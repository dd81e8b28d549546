"""A flood of commands, and what follows its answers and a fan's stops meanwhile."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Self

import pytest

from tests.broker.old_broker import CONNECT, PUBLISH, SUBSCRIBE, packet, text
from tests.rig import Mosquitto, Node, Observer, observer

SWITCHES = 20
COMMANDS, WINDOW = 10_000, 100


def switches() -> list[str]:
    """Configure twenty alike."""
    return [f"{{id: s{number}, kind: switch, pin: {number + 30}}}" for number in range(SWITCHES)]


@dataclass
class Flood:
    """Plain commands by a client of its own, a window of them unanswered; blocking, for a thread."""

    port: int
    sent: list[list[str]] = field(default_factory=lambda: [[] for _ in range(SWITCHES)])
    told: list[list[str]] = field(default_factory=lambda: [[] for _ in range(SWITCHES)])
    rate_hz: float = 0.0
    #: set to end it early; it then forgives answers that do not come, since on a slow machine some are refusals
    over: threading.Event | None = None
    _rest: bytes = b""

    def run(self, count: int) -> Self:
        """Send so many commands, fewer where it is over before; wait until each was answered by a state."""
        with socket.create_connection(("127.0.0.1", self.port), 10 if self.over is None else 0.5) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(packet(CONNECT, text("MQTT") + bytes([4, 2, 0, 60]) + text(f"flood-{id(self)}")))
            sock.sendall(packet(SUBSCRIBE, bytes([0, 1]) + text("pimqtt/car1/+/state") + bytes(1), 2))
            number, lost, started = 0, 0, time.monotonic()
            while (done := sum(map(len, self.told))) < count:
                batch = b""
                if self.over is not None and self.over.is_set():
                    break
                while number < count and number - done - lost < WINDOW:
                    batch += self._command(number)
                    number += 1
                sock.sendall(batch)
                try:
                    self._take(sock.recv(65536))
                except TimeoutError:
                    if self.over is None:
                        raise
                    lost = number - done
            self.rate_hz = number / (time.monotonic() - started)
        return self

    def _command(self, number: int) -> bytes:
        which, payload = number % SWITCHES, "OFF" if number // SWITCHES % 2 else "ON"
        self.sent[which].append(payload)
        return packet(PUBLISH, text(f"pimqtt/car1/s{which}/set") + payload.encode())

    def _take(self, data: bytes) -> None:
        assert data, "the broker closed"
        data, at = self._rest + data, 0
        while len(data) >= at + 2 and len(data) >= at + 2 + data[at + 1]:  # every packet here is short
            head, body = data[at], data[at + 2 : at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
            if head == PUBLISH << 4:  # live, not retained
                end = 2 + int.from_bytes(body[:2], "big")
                device = body[2:end].split(b"/")[2].decode()
                if device.startswith("s") and device[1:].isdigit():
                    self.told[int(device[1:])].append(body[end:].decode())
        self._rest = data[at:]


@pytest.fixture
async def watch(broker: Mosquitto) -> AsyncIterator[Observer]:
    """Watch states and results only: the commands as well would be twice the work."""
    topics = ("pimqtt/+/availability", "pimqtt/+/+/state", "pimqtt/+/+/result", "homeassistant/#")
    async with observer(broker.port, topics) as watcher:
        yield watcher


class Fan:
    """Follows the trace of the fan's line, each row read once."""

    def __init__(self, running: Node) -> None:
        self._trace = running.trace
        self._at, self._last = 0, (0, 0.0)

    async def reached(self, test: Callable[[float], bool]) -> int | None:
        """Wait for a level; return when it was set (ns), None where that does not come."""
        end = time.monotonic() + 2
        while not test(self._read()[1]):
            if time.monotonic() > end:
                return None
            await asyncio.sleep(0.005)
        return self._last[0]

    def _read(self) -> tuple[int, float]:
        with self._trace.open("rb") as trace:
            trace.seek(self._at)
            whole = trace.read().rpartition(b"\n")[0]
        self._at += len(whole)
        for line in whole.splitlines():
            if b'"pin": 23,' in line:
                row = json.loads(line)
                self._last = row["t_ns"], row["value"]
        return self._last
