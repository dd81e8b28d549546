"""Sending commands and calls, and waiting for what became of them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from . import clocks
from .answers import Answer, answer_of, unable_to, unanswered
from .errors import NOT_FOUND, RefusedError
from .fleet import SIGNAL_CALLED, SIGNAL_RESULT, Fleet
from .model import Entity, Result, read_result
from .nodes import Node
from .publishing import EXPIRY_S, encoded, heard, publish, require_connection
from .strict_json import WireError
from .topics import Place

#: What stops anything where it is sent without a TTL, and what stops whatever 0 does not move.
_STOPS: Final = ("stop", "OFF")
_ZEROS: Final = (0, {"x": 0, "y": 0})
#: Keys of an answer that only we fill in.
_OURS: Final = ("reason_key", "reason_placeholders")


class Commands:
    """One per entry. Raises ``RefusedError`` for what can't be sent; what an agent refuses is an answer."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet) -> None:
        """Wait for nothing yet."""
        self._hass, self._fleet = hass, fleet
        self._results: dict[str, asyncio.Future[Result]] = {}
        self._calls: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def async_listen(self) -> list[Callable[[], None]]:
        """Hear answers; return what ends that."""
        return [
            async_dispatcher_connect(self._hass, SIGNAL_RESULT, self._result),
            async_dispatcher_connect(self._hass, SIGNAL_CALLED, self._called),
        ]

    async def send(
        self, place: Place, value: Any, *, owner: str, ttl: float | None = None, priority: int | None = None
    ) -> Answer:
        """Send a command and wait for its result."""
        node = self._reachable(place.node)
        entity = node.entity(place)
        stops = ttl is None and is_stop(value, entity)
        unable = unable_to(node, owner)
        if unable and not stops:
            return unable
        moves = entity is not None and entity.motion in ("continuous", "bounded")
        expiry_s = None if stops else EXPIRY_S
        command = envelope(value, owner=owner, ttl=ttl, priority=priority, expiry_s=expiry_s)
        sent_s = time.monotonic()
        # what moves must not be kept and sent after a reconnect, as the client does with QoS 1
        sending = self.publish(place, "set", command, qos=0 if moves else 1, expiry_s=expiry_s)
        result = await _ask(self._results, command["id"], sending)
        if result is None:
            return unanswered(node, owner)
        answer = answer_of(result, sent_s)
        limit_s = ttl or (entity.ttl.default if entity and entity.ttl else None) or EXPIRY_S
        return answer if stops else clocks.judged(self._fleet, node, answer, limit_s)

    async def call(self, node_id: str, action: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make a node call and return its answer, as the wire has it."""
        node = self._reachable(node_id)
        call_id = secrets.token_hex(8)
        unable = unable_to(node, "")
        if unable:
            return _called(call_id, action, unable)
        sending = self.publish(Place(node_id), "call", {**(arguments or {}), "action": action, "id": call_id})
        answer = await _ask(self._calls, call_id, sending)
        bare = _called(call_id, action, unanswered(node, ""))
        if answer is None:
            return bare
        return {key: None if key in _OURS else answer.get(key) for key in bare}

    async def publish(
        self, place: Place, level: str, content: Any, *, qos: int = 0, expiry_s: int | None = None
    ) -> None:
        """Publish JSON. Raises ``RefusedError`` where MQTT is not connected."""
        topic = place.topic(self._fleet.base, level)
        await publish(self._hass, topic, encoded(content), qos=qos, expiry_s=expiry_s)

    def _reachable(self, node_id: str) -> Node:
        node = self._fleet.nodes.get(node_id)
        if node is None:
            raise RefusedError(NOT_FOUND, "no_such_node", node=node_id[:64])
        require_connection(self._hass)
        return node

    @callback
    def _result(self, _place: Place, result: Result) -> None:
        waiting = self._results.get(result.id or "")
        if waiting is not None and not waiting.done() and result.outcome != "reverted":
            waiting.set_result(result)

    @callback
    def _called(self, _node: str, raw: Any) -> None:
        for answer in raw if isinstance(raw, list) else [raw]:
            call_id = answer.get("id") if isinstance(answer, dict) else None
            waiting = self._calls.get(call_id) if isinstance(call_id, str) else None
            if waiting is not None and not waiting.done() and _readable(answer):
                waiting.set_result(answer)


def is_stop(value: Any, entity: Entity | None) -> bool:
    """Tell whether a value without a TTL stops: it is sent also where no answer is to be hoped for, and never too late.

    0 is where a servo goes, and may be where anything goes that we know nothing of.
    """
    return value in _STOPS or (value in _ZEROS and entity is not None and entity.motion != "bounded")


def envelope(
    value: Any,
    *,
    owner: str,
    ttl: float | None = None,
    priority: int | None = None,
    token: str | None = None,
    expiry_s: int | None = None,
) -> dict[str, Any]:
    """Make a command with its id, and with our time: an agent refuses one that is proven to be late."""
    command = {"value": value, "id": f"ha-{secrets.token_hex(8)}", "owner": owner, "at": round(time.time(), 3)}
    given = {"ttl": ttl, "priority": priority, "token": token, "expiry": expiry_s}
    return command | {key: one for key, one in given.items() if one is not None}


async def _ask[T](table: dict[str, asyncio.Future[T]], key: str, sending: Coroutine[Any, Any, None]) -> T | None:
    """Send, and return the answer that is put into the table; None where none came."""
    task = asyncio.create_task(sending)
    try:
        with _waiting(table, key) as told:
            return await heard(task, told)
    finally:
        task.cancel()


@contextmanager
def _waiting[T](table: dict[str, asyncio.Future[T]], key: str) -> Iterator[asyncio.Future[T]]:
    table[key] = asyncio.get_running_loop().create_future()
    try:
        yield table[key]
    finally:
        del table[key]


def _called(call_id: str, action: str, answer: Answer) -> dict[str, Any]:
    """Return the answer to a call that no agent gave."""
    ours = answer.as_dict()
    told = {key: ours[key] for key in ("outcome", "code", "reason", *_OURS)}
    return {"id": call_id, "action": action, **told, "result": None}


def _readable(answer: dict[str, Any]) -> bool:
    try:
        read_result(answer)
    except WireError:
        return False
    return True
