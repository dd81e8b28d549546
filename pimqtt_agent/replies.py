"""What is told about commands and calls, where everybody sees it and to response topics.

An answer that is more than the broker takes would be lost, so a shorter one is told instead.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec

#: A response topic and its correlation data.
Reply = tuple[str, bytes | None] | None

#: Of so many topics it is logged that an answer there was too large.
LOGGED = 100
#: The keys of an answer to a call.
_CALL = ("id", "action", "outcome", "code", "reason", "result")

log = logging.getLogger(__name__)
_json = msgspec.json.Encoder().encode


class Publisher(Protocol):
    """What is needed of the bridge."""

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        """Publish where connected."""

    def room(self, topic: str, correlation: bytes | None = None) -> float:
        """Tell how many bytes of payload the broker takes there."""

    def flush(self) -> None:
        """Write what was published."""


def result(**fields: Any) -> dict[str, Any]:
    """Make a result with every key of the wire."""
    return {
        "id": None, "outcome": None, "code": None, "reason": None, "value": None, "state": None, "ttl": None,
        "cause": None, "owner": None, "holder": None, "token": None, **fields,
    }  # fmt: skip


class Replies:
    """Tells, at QoS 1."""

    def __init__(self, bridge: Publisher) -> None:
        """Know nothing to be too large yet."""
        self._bridge = bridge
        self._logged: set[str] = set()

    def result(self, topic: str, content: dict[str, Any], reply: Reply) -> None:
        """Tell a result on its topic, unless that is empty, and to a response topic."""
        data = _json(content)
        for name, correlation in _where(topic, reply):
            self._send(name, correlation, data, lambda reason: [_short_result(content, reason)])

    def calls(self, topic: str, answers: Any, reply: Reply) -> None:
        """Tell what became of one call, or of a list of them."""
        data = _dumped(answers)
        for name, correlation in _where(topic, reply):
            self._send(name, correlation, data, lambda reason: _short_answers(answers, reason))

    def _send(self, topic: str, correlation: bytes | None, data: bytes, shorter: Callable[[str], list[Any]]) -> None:
        room = self._bridge.room(topic, correlation)
        if len(data) > room:
            reason = f"the answer has {len(data)} bytes, more than the broker takes here ({max(room, 0):g})"
            data = next((short for short in map(_dumped, shorter(reason)) if len(short) <= room), b"")
            self._log(topic, f"{reason}: {'too_large is told instead' if data else 'nothing can be told'}")
        if data:
            self._bridge.publish(topic, data, qos=1, correlation=correlation)

    def _log(self, topic: str, problem: str) -> None:
        if topic not in self._logged and len(self._logged) < LOGGED:
            self._logged.add(topic)
            log.error("%s: %s", topic[:200], problem)


def _where(topic: str, reply: Reply) -> Iterator[tuple[str, bytes | None]]:
    if topic:
        yield topic, None
    if reply:
        yield reply


def _dumped(content: Any) -> bytes:
    return json.dumps(content, allow_nan=False).encode()


def _short_result(content: dict[str, Any], reason: str) -> dict[str, Any]:
    """Leave out what can be long; what became of the command stays."""
    kept = {key: content[key] for key in ("id", "outcome", "cause")}
    return result(**kept, code=content["code"] or "too_large", reason=reason)


def _short_answers(answers: Any, reason: str) -> list[Any]:
    """Return ever shorter forms, the last one the shortest that there is."""
    bare = {**dict.fromkeys(_CALL), "outcome": "rejected", "code": "too_large", "reason": reason}
    if isinstance(answers, list):
        return [[_without_result(answer, bare) for answer in answers], bare]
    return [_without_result(answers, bare), bare]


def _without_result(answer: dict[str, Any], bare: dict[str, Any]) -> dict[str, Any]:
    return {**bare, "id": answer["id"], "action": answer["action"], "code": answer["code"] or "too_large"}
