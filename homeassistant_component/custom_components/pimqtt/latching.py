"""Emergency stops and resets: sent to every place at once, then waiting for what each tells of its latch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .answers import ANSWER_S, REJECTED, latching, of_place, refusing
from .errors import NOT_FOUND, RefusedError
from .fleet import SIGNAL_LATCH, SIGNAL_RESULT, Fleet
from .model import Result
from .nodes import Node
from .publishing import heard, publish, require_connection
from .topics import STOP, Place, all_stop

Told = asyncio.Future[str | Result]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A place that was told to latch, by a message that it may share with others."""

    node: Node
    place: Place
    sending: asyncio.Task[None]
    told: Told


class Latches:
    """One per entry. Raises ``RefusedError`` where nothing at all could be sent."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet) -> None:
        """Wait for nothing yet."""
        self._hass, self._fleet = hass, fleet
        self._waiting: dict[tuple[Place, str], set[Told]] = {}

    def async_listen(self) -> list[Callable[[], None]]:
        """Hear answers; return what ends that."""
        return [
            async_dispatcher_connect(self._hass, SIGNAL_LATCH, self._latch),
            async_dispatcher_connect(self._hass, SIGNAL_RESULT, self._result),
        ]

    async def send(self, places: list[Place], *, on: bool, everything: bool = False) -> list[dict[str, Any]]:
        """Stop or reset nodes and devices; ``everything`` also reaches nodes that nobody knows."""
        require_connection(self._hass)
        nodes = [self._node(place) for place in places]
        word, base, sent_s = "ON" if on else "OFF", self._fleet.base, time.monotonic()
        topics = [all_stop(base)] if everything else [f"{place.topic(base, STOP)}/set" for place in places]
        told = [self._expect(place, word) for place in places]
        sending = [asyncio.create_task(publish(self._hass, topic, word, qos=1)) for topic in topics]
        ways = sending * len(places) if everything else sending
        sent = [_Sent(*one) for one in zip(nodes, places, ways, told, strict=True)]
        try:
            await _all_told(sent, sending)
            return [_answer(one, word, sent_s, strict=not on) for one in sent]
        finally:
            for task in sending:
                task.cancel()
            for one in sent:
                self._expect_no_more(one, word)

    def _node(self, place: Place) -> Node:
        node = self._fleet.nodes.get(place.node)
        if node is None:
            raise RefusedError(NOT_FOUND, "no_such_node", node=place.node[:64])
        return node

    def _expect(self, place: Place, word: str) -> Told:
        """Wait until a latch is told to be ON, or OFF, from now on: it may be told before the next line is run."""
        told: Told = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((place, word), set()).add(told)
        return told

    def _expect_no_more(self, sent: _Sent, word: str) -> None:
        waiting = self._waiting.get((sent.place, word), set())
        waiting.discard(sent.told)
        if not waiting:
            self._waiting.pop((sent.place, word), None)

    @callback
    def _latch(self, place: Place, latched: bool) -> None:  # noqa: FBT001 - a signal's argument
        # the other word is no answer: a node that comes back tells what was before our message reached it
        word = "ON" if latched else "OFF"
        self._tell(place, word, word)

    @callback
    def _result(self, place: Place, result: Result) -> None:
        if place.key == STOP and result.outcome == REJECTED:
            for word in ("ON", "OFF"):
                self._tell(Place(place.node, place.device), word, result)

    def _tell(self, place: Place, word: str, told: str | Result) -> None:
        for waiting in self._waiting.get((place, word), ()):
            if not waiting.done():
                waiting.set_result(told)


async def _all_told(sent: list[_Sent], sending: list[asyncio.Task[None]]) -> None:
    """Wait until each has told, at most so long as an answer takes. Raises where nothing could be sent."""
    # who is offline is sent it, but nobody waits for that beyond the others
    awaited = [one for one in sent if not one.node.away] or sent
    await asyncio.gather(*map(_hear, awaited), return_exceptions=True)
    if sending and not sent:
        await asyncio.wait(sending, timeout=ANSWER_S)
    failed = [error for task in sending if (error := _failure(task))]
    if failed and len(failed) == len(sending) and not any(one.told.done() for one in sent):
        raise failed[0]


async def _hear(sent: _Sent) -> None:
    await heard(sent.sending, sent.told)


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


def _answer(sent: _Sent, word: str, sent_s: float, *, strict: bool) -> dict[str, Any]:
    told = sent.told.result() if sent.told.done() else None
    error = _failure(sent.sending)
    if told is None and error is not None:
        if strict or not isinstance(error, RefusedError):
            raise error
        return of_place(sent.place, refusing(error))
    return latching(sent.node, sent.place, word, told, sent_s)
