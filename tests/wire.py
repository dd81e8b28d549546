"""The way between a node and its broker: a relay that reads what the node publishes, and may be slow or hold on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

_CONNECT, _PUBLISH = 1, 3
#: What a slow connection lets through at a time, and all that waits in between (bytes).
_PIECE, _BUFFER = 4096, 16384


class Published(NamedTuple):
    """A message that a node sent."""

    client: str
    topic: str
    payload: bytes
    at_s: float


@dataclass
class Stream:
    """The packets of one connection, as they pass."""

    client: str = ""
    count: int = 0
    _five: bool = False
    _bytes: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> Iterator[Published]:
        """Read what passed; yield whole publishes."""
        self.count += len(data)
        self._bytes += data
        while (packet := self._packet()) is not None:
            kind, body = packet
            if kind >> 4 == _CONNECT:
                self._connect(body)
            elif kind >> 4 == _PUBLISH:
                yield self._publish(kind, body)

    def _packet(self) -> tuple[int, bytes] | None:
        sized = _number(self._bytes, 1)
        if sized is None or len(self._bytes) < sum(sized):
            return None
        size, start = sized
        kind, body = self._bytes[0], bytes(self._bytes[start : start + size])
        del self._bytes[: start + size]
        return kind, body

    def _connect(self, body: bytes) -> None:
        protocol, rest = _text(body)
        self._five = rest[0] == 5
        rest = rest[4:]  # version, flags, keepalive
        self.client, _ = _text(_without_properties(rest) if self._five else rest)
        assert protocol == "MQTT"

    def _publish(self, kind: int, body: bytes) -> Published:
        topic, rest = _text(body)
        if kind & 6:
            rest = rest[2:]  # its number
        return Published(self.client, topic, _without_properties(rest) if self._five else rest, time.monotonic())


class Wire:
    """Leads to a broker at a port of loopback; ``port`` is where it begins. Both ends see a cut at once."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.seen: list[Published] = []
        #: how many bytes a client may send in a second; all others as many as they like
        self.bytes_per_s: dict[str, float] = {}
        #: clients whose end the broker does not see until they are let go
        self.held: dict[str, asyncio.Event] = {}
        self.sent: defaultdict[str, int] = defaultdict(int)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)  # what is slow here is slow for the sender
        listener.bind(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._lead, sock=listener, limit=_BUFFER)
        self.port = listener.getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self, client: str) -> None:
        """Keep the broker's side of its connections open when the client is gone, as a cable that is cut does."""
        self.held[client] = asyncio.Event()

    def let_go(self, client: str) -> None:
        """Let the broker see that they ended."""
        self.held.pop(client).set()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        stream = Stream()
        try:
            ways = {
                asyncio.create_task(self._up(reader, to_broker, stream)),
                asyncio.create_task(self._down(from_broker, writer)),
            }
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            writer.transport.abort()
            if stream.client in self.held:
                await self.held[stream.client].wait()
        finally:
            writer.transport.abort()
            to_broker.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: Stream) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE if stream.client in self.bytes_per_s else 65536):
                self.seen += stream.take(data)
                self.sent[stream.client] += len(data)
                writer.write(data)
                await writer.drain()
                if stream.client in self.bytes_per_s:
                    await asyncio.sleep(len(data) / self.bytes_per_s[stream.client])

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()


def _number(data: bytes | bytearray, start: int) -> tuple[int, int] | None:
    """Read a number of variable length: it and where it ends, or None where it is not there yet."""
    value = 0
    for index, byte in enumerate(data[start : start + 4]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, start + index + 1
    return None


def _text(data: bytes) -> tuple[str, bytes]:
    end = 2 + int.from_bytes(data[:2], "big")
    return data[2:end].decode(), data[end:]


def _without_properties(data: bytes) -> bytes:
    sized = _number(data, 0)
    assert sized
    return data[sum(sized) :]
