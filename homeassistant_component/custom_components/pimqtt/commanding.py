"""Sending commands and calls, and waiting for what became of them."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .answers import ANSWER_S, REJECTED, UNANSWERED, Answer, answer_of, is_connected, latching, unable_to, unanswered
from .errors import INVALID, NOT_CONNECTED, NOT_FOUND, RefusedError
from .fleet import SIGNAL_CALLED, SIGNAL_LATCH, SIGNAL_RESULT, Fleet
from .model import Result, WireError, quote, read_result
from .nodes import Node
from .topics import STOP, Place, all_stop

#: What stops something where it is sent without a TTL: it is sent also where no answer is to be hoped for.
STOPS: Final = ("stop", "OFF", 0, {"x": 0, "y": 0})


class Commands:
    """One per entry. Raises ``RefusedError`` for what can't be sent; what an agent refuses is an answer."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet) -> None:
        """Wait for nothing yet."""
        self._hass, self._fleet = hass, fleet
        self._results: dict[str, asyncio.Future[Result]] = {}
        self._calls: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._latches: dict[Place, set[asyncio.Future[str | Result]]] = {}

    def async_listen(self) -> list[Callable[[], None]]:
        """Hear answers; return what ends that."""
        return [
            async_dispatcher_connect(self._hass, SIGNAL_RESULT, self._result),
            async_dispatcher_connect(self._hass, SIGNAL_CALLED, self._called),
            async_dispatcher_connect(self._hass, SIGNAL_LATCH, self._latch),
        ]

    async def send(
        self, place: Place, value: Any, *, owner: str, ttl: float | None = None, priority: int | None = None
    ) -> Answer:
        """Send a command and wait for its result."""
        node = self._reachable(place.node)
        if place.key == STOP and value in ("ON", "OFF"):
            (told,) = await self.latch([Place(place.node, place.device)], on=value == "ON")
            return Answer(**{key: told[key] for key in Answer.__slots__})
        unable = unable_to(node, owner)
        if unable and not (ttl is None and value in STOPS):
            return unable
        entity = node.entity(place)
        moves = entity is not None and entity.motion in ("continuous", "bounded")
        command = envelope(value, owner=owner, ttl=ttl, priority=priority)
        with _waiting(self._results, command["id"]) as answered:
            sent_s = time.monotonic()
            # what moves must not be kept and sent after a reconnect, as the client does with QoS 1
            await self.publish(place, "set", command, qos=0 if moves else 1)
            result = await _within(answered, ANSWER_S)
        if result is None:
            return unanswered(node, owner)
        return answer_of(result, sent_s)

    async def call(self, node_id: str, action: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make a node call and return its answer, as the wire has it."""
        node = self._reachable(node_id)
        call_id = secrets.token_hex(8)
        bare = {"id": call_id, "action": action, "outcome": REJECTED, "code": None, "reason": None, "result": None}
        unable = unable_to(node, "")
        if unable:
            return {**bare, "code": unable.code, "reason": unable.reason}
        with _waiting(self._calls, call_id) as answered:
            await self.publish(Place(node_id), "call", {**(arguments or {}), "action": action, "id": call_id})
            answer = await _within(answered, ANSWER_S)
        if answer is None:
            silent = unanswered(node, "")
            return {**bare, "outcome": UNANSWERED, "reason": silent.reason}
        return {key: answer.get(key) for key in bare}

    async def latch(self, places: list[Place], *, on: bool, everything: bool = False) -> list[dict[str, Any]]:
        """Stop or reset nodes and devices; ``everything`` also reaches nodes that nobody knows."""
        word, base = "ON" if on else "OFF", self._fleet.base
        nodes = [self._reachable(place.node) for place in places]
        self._connected()
        waiting = [(node, place, self._expect(place)) for node, place in zip(nodes, places, strict=True)]
        topics = [all_stop(base)] if everything else [f"{place.topic(base, STOP)}/set" for place in places]
        sent_s = time.monotonic()
        try:
            for topic in topics:
                await self._publish(topic, word, qos=1)
            if waiting:
                await asyncio.wait([told for _, _, told in waiting], timeout=ANSWER_S)
        finally:
            for _, place, told in waiting:
                self._latches[place].discard(told)
        return [
            latching(node, place, word, told.result() if told.done() else None, sent_s) for node, place, told in waiting
        ]

    async def publish(self, place: Place, level: str, content: Any, *, qos: int = 0) -> None:
        """Publish JSON, never retained. Raises ``RefusedError`` where MQTT is not connected."""
        self._connected()
        try:
            payload = json.dumps(content, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise RefusedError(INVALID, "not_json", value=quote(content), reason=str(error)) from None
        await self._publish(place.topic(self._fleet.base, level), payload, qos)

    def _expect(self, place: Place) -> asyncio.Future[str | Result]:
        """Wait for what is told of a latch, from now on: it may come before the next line is run."""
        told: asyncio.Future[str | Result] = asyncio.get_running_loop().create_future()
        self._latches.setdefault(place, set()).add(told)
        return told

    def _connected(self) -> None:
        if not is_connected(self._hass):
            raise RefusedError(NOT_CONNECTED, "not_connected")

    def _reachable(self, node_id: str) -> Node:
        node = self._fleet.nodes.get(node_id)
        if node is None:
            raise RefusedError(NOT_FOUND, "no_such_node", node=node_id[:64])
        self._connected()
        return node

    async def _publish(self, topic: str, payload: str, qos: int) -> None:
        try:
            await mqtt.async_publish(self._hass, topic, payload, qos, retain=False)
        except HomeAssistantError as error:
            raise RefusedError(NOT_CONNECTED, "not_connected") from error

    @callback
    def _result(self, place: Place, result: Result) -> None:
        waiting = self._results.get(result.id or "")
        if waiting is not None and not waiting.done() and result.outcome != "reverted":
            waiting.set_result(result)
        elif place.key == STOP and result.outcome == REJECTED:
            for told in self._latches.get(Place(place.node, place.device), ()):
                if not told.done():
                    told.set_result(result)

    @callback
    def _called(self, _node: str, raw: Any) -> None:
        for answer in raw if isinstance(raw, list) else [raw]:
            call_id = answer.get("id") if isinstance(answer, dict) else None
            waiting = self._calls.get(call_id) if isinstance(call_id, str) else None
            if waiting is not None and not waiting.done() and _readable(answer):
                waiting.set_result(answer)

    @callback
    def _latch(self, place: Place, latched: bool) -> None:  # noqa: FBT001 - a signal's argument
        for told in self._latches.get(place, ()):
            if not told.done():
                told.set_result("ON" if latched else "OFF")


def envelope(
    value: Any, *, owner: str, ttl: float | None = None, priority: int | None = None, token: str | None = None
) -> dict[str, Any]:
    """Make a command with its id, and with our time: an agent refuses one that is proven to be late."""
    command = {"value": value, "id": f"ha-{secrets.token_hex(8)}", "owner": owner, "at": round(time.time(), 3)}
    given = {"ttl": ttl, "priority": priority, "token": token}
    return command | {key: one for key, one in given.items() if one is not None}


@contextmanager
def _waiting[T](table: dict[str, asyncio.Future[T]], key: str) -> Iterator[asyncio.Future[T]]:
    table[key] = asyncio.get_running_loop().create_future()
    try:
        yield table[key]
    finally:
        del table[key]


async def _within[T](future: asyncio.Future[T], timeout_s: float) -> T | None:
    try:
        async with asyncio.timeout(timeout_s):
            return await future
    except TimeoutError:
        return None


def _readable(answer: dict[str, Any]) -> bool:
    try:
        read_result(answer)
    except WireError:
        return False
    return True
