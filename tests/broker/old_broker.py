"""A broker of a few lines that can be as odd as real ones: it closes, is silent, refuses, or takes a session away.

It speaks as much of MQTT 3.1.1 and 5 as an agent needs, remembers what it was told, and brings the marker back.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14,
)  # fmt: skip
UNSUPPORTED, NOT_AUTHORISED, TAKEN_OVER = 0x84, 0x87, 0x8E


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Make a packet; bodies here are shorter than 16 KB."""
    length, size = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        size += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([kind << 4 | flags]) + size + body


def text(value: str) -> bytes:
    """Write a text of the protocol."""
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


@dataclass
class OldBroker:
    """Listens. ``five`` is what it does with a version 5 CONNECT.

    ``take``, ``close``, ``ignore``; or, each with a CONNACK, ``refuse``, ``refuse as 3`` and ``refuse the login``.
    """

    five: str = "take"
    versions: list[int] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0
    #: it stands still, before any answer to a CONNECT, while this is cleared
    runs: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[tuple[asyncio.StreamWriter, int]] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self.runs.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        self.drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._writers)

    def drop(self) -> None:
        """Close every connection."""
        for writer, _ in self._writers:
            writer.close()
        self._writers.clear()

    def command(self, topic: str, payload: str) -> None:
        """Send a message to whoever is connected."""
        for writer, version in self._writers:
            properties = b"\0" if version == 5 else b""
            writer.write(packet(PUBLISH, text(topic) + properties + payload.encode()))

    def take_over(self) -> None:
        """Say that another client took the session, and close."""
        for writer, _ in self._writers:
            writer.write(packet(DISCONNECT, bytes([TAKEN_OVER, 0])))
        self.drop()

    def said(self, topic: str) -> list[str]:
        """List what was published on a topic."""
        return [payload.decode() for name, payload in self.published if name == topic]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        version = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head, body = await self._read(reader)
                if head >> 4 == CONNECT:
                    version = body[6]
                    self.versions.append(version)
                    if not await self._welcome(writer, version):
                        break
                    self._writers.append((writer, version))
                elif head >> 4 == DISCONNECT:
                    break
                else:
                    self._answer(writer, version, head, body)
                await writer.drain()
        self._writers = [entry for entry in self._writers if entry[0] is not writer]
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = (await reader.readexactly(1))[0]
        length = shift = 0
        while True:
            digit = (await reader.readexactly(1))[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return head, await reader.readexactly(length)

    async def _welcome(self, writer: asyncio.StreamWriter, version: int) -> bool:
        """Answer a CONNECT; False ends the connection."""
        await self.runs.wait()
        if version == 4:
            writer.write(packet(CONNACK, bytes(2)))
            return True
        refusals = {
            "refuse": bytes([0, UNSUPPORTED, 0]),
            "refuse as 3": bytes([0, 1]),
            "refuse the login": bytes([0, NOT_AUTHORISED, 0]),
        }
        if self.five in refusals:
            writer.write(packet(CONNACK, refusals[self.five]))
        elif self.five == "ignore":
            await asyncio.sleep(30)
        elif self.five == "take":
            writer.write(packet(CONNACK, bytes(3)))
        return self.five == "take"

    def _answer(self, writer: asyncio.StreamWriter, version: int, head: int, body: bytes) -> None:
        kind, none = head >> 4, b"\0" if version == 5 else b""
        if kind == SUBSCRIBE:
            writer.write(packet(SUBACK, body[:2] + none + bytes(self._filters(body, version))))
        elif kind == UNSUBSCRIBE:
            codes = bytes(1) if version == 5 else b""
            writer.write(packet(UNSUBACK, body[:2] + none + codes))
        elif kind == PINGREQ:
            writer.write(packet(PINGRESP, b""))
        elif kind == PUBLISH:
            self._published(writer, version, head, body)

    def _filters(self, body: bytes, version: int) -> int:
        at, count = 2 + (1 + body[2] if version == 5 else 0), 0
        while at < len(body):
            at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
            count += 1
        return count

    def _published(self, writer: asyncio.StreamWriter, version: int, head: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, rest = body[2:end].decode(), body[end:]
        if head & 0x06:
            writer.write(packet(PUBACK, rest[:2]))
            rest = rest[2:]
        if version == 5:
            rest = rest[1 + rest[0] :]
        self.published.append((topic, rest))
        if topic.endswith("/marker"):
            self.command(topic, rest.decode())
