"""The way between browser and Home Assistant: a TCP proxy that can be cut, or stalled and let go again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Line:
    """Leads to a port of loopback; ``port`` is where it begins."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections, with a reset."""
        self._flows.set()
        for writer in self._writers:
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through to Home Assistant from now on; it waits in here."""
        self._flows.clear()

    def flow(self) -> None:
        """Let everything through that waited, at once."""
        self._flows.set()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            onward = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, onward[1]}
        self._writers |= pair
        try:
            up = asyncio.create_task(self._copy(reader, onward[1], stalls=True))
            down = asyncio.create_task(self._copy(onward[0], writer, stalls=False))
            await asyncio.wait({up, down})
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, stalls: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if stalls:
                    await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
