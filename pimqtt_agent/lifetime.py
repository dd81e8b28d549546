"""One connection to the broker from its opening to its end, as it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pimqtt_agent.broker import SessionEnded


class Lifetime:
    """How far a connection has come. Everything happens in the loop's thread."""

    def __init__(self) -> None:
        """Begin unopened."""
        loop = asyncio.get_running_loop()
        self._accepted: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    def accept(self) -> None:
        """The broker takes us."""
        if not self._accepted.done():
            self._accepted.set_result(None)

    def refuse(self, end: SessionEnded) -> None:
        """The broker does not take us."""
        if not self._accepted.done():
            self._accepted.set_exception(end)

    def end(self, end: SessionEnded) -> None:
        """It ended; the first word counts."""
        if not self._ended.done():
            self._ended.set_exception(end)

    async def opened(self, timeout_s: float) -> None:
        """Wait for the broker's word; raises ``SessionEnded``."""
        await self._wait(self._accepted, timeout_s)
        if self._accepted.done():
            self._accepted.result()
            return
        ended = self._ended.done() and self._ended.exception() is not None
        reason = "closed before a CONNACK" if ended else f"no CONNACK within {timeout_s:g} s"
        raise SessionEnded(reason, fallback=True)

    async def work(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what begins a session; it is given up where the connection ends meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            await self._wait(task, None)
            if task.done():
                task.result()
        finally:
            task.cancel()

    async def rest(self, most_s: float) -> None:
        """Wait for the end, at most so long; raises ``SessionEnded`` where it has come."""
        await asyncio.wait({self._ended}, timeout=most_s)
        if self._ended.done():
            self._ended.result()

    async def _wait(self, one: asyncio.Future[None], timeout_s: float | None) -> None:
        await asyncio.wait({one, self._ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
