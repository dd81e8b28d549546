"""From a payload to a command, or to the reason why it is none. Pure: the time is an argument."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from pimqtt_agent.entities import Entity, from_text, number, quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import ANONYMOUS, Rules, Value

KEYS = frozenset(("ttl", "id", "owner", "priority", "at", "expiry", "token"))
#: Payloads above this are answered ``too_large`` without being read.
MAX_BYTES = 65_536
MAX_NAME = 64
#: Deeper JSON is not read: what comes after could not bear it.
MAX_DEPTH = 32


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON form around a value; all of it is None for a plain payload."""

    raw: Any = None
    plain: bool = True
    id: str | None = None
    owner: str | None = None
    priority: int = 0
    ttl: float | None = None
    at: float | None = None
    expiry: float | None = None
    token: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A command that is valid for its entity. ``ttl_s`` None sets the resting value."""

    value: Value
    transition_s: float | None
    ttl_s: float | None
    stop: bool


def read_json(text: str | bytes) -> Any:
    """Read strict JSON (no NaN, valid UTF-8, not nested without end); raises ``CommandError``."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise CommandError("invalid", f"this is not JSON: {error}") from None
    level = [message]
    for _ in range(MAX_DEPTH):
        level = [part for whole in level if isinstance(whole, list | dict) for part in _parts(whole)]
        if not level:
            return message
    raise CommandError("invalid", f"this JSON is nested deeper than {MAX_DEPTH} levels")


def open_envelope(payload: bytes) -> Envelope:
    """Take the value out of a payload; raises ``CommandError`` where it is no command at all."""
    if len(payload) > MAX_BYTES:
        raise CommandError("too_large", f"{len(payload)} bytes; a command has at most {MAX_BYTES}")
    if payload.lstrip(b" \t\r\n")[:1] != b"{":
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise CommandError("invalid", f"{quote(payload[:40])} is not UTF-8") from None
        return Envelope(raw=from_text(text) if text[:1] in "+-.0123456789" else text)
    message = read_json(payload)
    if not isinstance(message, dict):
        raise CommandError("invalid", f"{quote(message)} is not an object")
    if "value" not in message:
        if KEYS.isdisjoint(message):
            return Envelope(raw=message, plain=False)
        raise CommandError("invalid", f"{_names(KEYS & set(message))} without value", **_echo(message))
    unknown = set(message) - KEYS - {"value"}
    if unknown:
        raise CommandError("invalid", f"unknown {_names(unknown)} beside value", **_echo(message))
    try:
        return _read(message)
    except CommandError as error:
        error.extra = _echo(message)
        raise


def read(entity: Entity, envelope: Envelope, last: Value = None) -> Request:
    """Read the value and the TTL for an entity; raises ``CommandError``."""
    value, transition_s = entity.decode(envelope.raw, last)
    rules = entity.rules
    if rules is None:
        if envelope.ttl is not None:
            raise CommandError("ttl_range", f"ttl {envelope.ttl:g}: this takes none")
        return Request(value=value, transition_s=None, ttl_s=None, stop=False)
    if envelope.ttl is None and value == rules.safe:
        return Request(value=value, transition_s=None, ttl_s=None, stop=True)
    return Request(value=value, transition_s=transition_s, ttl_s=_ttl(rules, envelope.ttl), stop=False)


def stale(envelope: Envelope, ttl_s: float | None, wall_s: float | None) -> str:
    """Tell why a live command is stale, where ``at`` proves it; ``wall_s`` is None without a synchronised clock."""
    if envelope.at is None or wall_s is None:
        return ""
    age_s = wall_s - envelope.at
    limit_s = ttl_s if ttl_s is not None else envelope.expiry
    if age_s < -1:
        return ""  # a clock ahead of ours proves nothing
    if limit_s is None or age_s <= limit_s:
        return ""
    return f"at {envelope.at:.3f}: it is {age_s:.2f} s old, it may be {limit_s:g} s"


def _ttl(rules: Rules, asked: float | None) -> float | None:
    if asked is None:
        if rules.ttl.required:
            raise CommandError("ttl_required", "this output takes no command without a ttl")
        return rules.ttl.default
    low, high = rules.ttl.min, rules.ttl.max if rules.ttl.max is not None else math.inf
    if not low <= asked <= high:
        limits = f"{low:g} to {high:g} s" if high < math.inf else f"at least {low:g} s"
        raise CommandError("ttl_range", f"ttl {asked:g} is not within {limits}", min=low, max=rules.ttl.max)
    return asked


def _read(message: dict[str, Any]) -> Envelope:
    priority = message.get("priority", 0)
    if isinstance(priority, bool) or not isinstance(priority, int) or not 0 <= priority <= 9:
        raise CommandError("invalid", f"priority {quote(priority)} is not a whole number from 0 to 9")
    owner = _text(message, "owner")
    return Envelope(
        raw=message["value"],
        plain=False,
        id=_text(message, "id"),
        owner=None if owner == ANONYMOUS else owner,
        priority=priority,
        ttl=_seconds(message, "ttl"),
        at=_seconds(message, "at"),
        expiry=_seconds(message, "expiry"),
        token=_text(message, "token"),
    )


def _text(message: dict[str, Any], key: str) -> str | None:
    if key not in message:
        return None
    text = message[key]
    if not isinstance(text, str) or not 0 < len(text) <= MAX_NAME:
        raise CommandError("invalid", f"{key} {quote(text)} is not a text of 1 to {MAX_NAME} characters")
    return text


def _seconds(message: dict[str, Any], key: str) -> float | None:
    if key not in message:
        return None
    raw = message[key]
    value = number(raw)
    if value is None or (key == "expiry" and value <= 0):
        raise CommandError("invalid", f"{key} {quote(raw)} is not a number of seconds")
    return value


def _echo(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a rejection repeats of a message that is not valid."""
    return {
        key: message[key]
        for key in ("id", "owner")
        if isinstance(message.get(key), str | int | float) and len(str(message[key])) <= MAX_NAME
    }


def _parts(whole: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return whole.values() if isinstance(whole, dict) else whole


def _names(keys: set[str] | frozenset[str]) -> str:
    return ", ".join(quote(key) for key in sorted(keys))
