"""From a payload to a command, or to the reason why it is none. Pure: the time is an argument."""

from __future__ import annotations

from typing import Any

import msgspec

from pimqtt_agent.entities import Entity, figure, from_text, names, number, quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import ANONYMOUS, Rules, Value
from pimqtt_agent.strict_json import MAX_NAME, echo, read_json

KEYS = frozenset(("ttl", "id", "owner", "priority", "at", "expiry", "token"))
_ALLOWED = KEYS | {"value"}
#: Payloads above this are answered ``too_large`` without being read.
MAX_BYTES = 65_536


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


def open_envelope(payload: bytes) -> Envelope:
    """Take the value out of a payload; raises ``CommandError`` where it is no command at all."""
    if len(payload) > MAX_BYTES:
        raise CommandError("too_large", f"{len(payload)} bytes; a command has at most {MAX_BYTES}")
    if payload.lstrip(b" \t\r\n")[:1] != b"{":
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise CommandError("invalid", f"{quote(payload)} is not UTF-8") from None
        return Envelope(raw=from_text(text) if text[:1] in "+-.0123456789" else text)
    message = read_json(payload)
    if not isinstance(message, dict):
        raise CommandError("invalid", f"{quote(message)} is not an object")
    if "value" not in message:
        if KEYS.isdisjoint(message):
            return Envelope(raw=message, plain=False)
        raise CommandError("invalid", f"{names(KEYS & set(message))} without value", **echo(message))
    unknown = message.keys() - _ALLOWED
    if unknown:
        raise CommandError("invalid", f"unknown {names(unknown)} beside value", **echo(message))
    try:
        return _read(message)
    except CommandError as error:
        error.extra = echo(message)
        raise


def read(entity: Entity, envelope: Envelope, last: Value = None) -> Request:
    """Read the value and the TTL for an entity; raises ``CommandError``."""
    value, transition_s = entity.decode(envelope.raw, last)
    rules = entity.rules
    if rules is None:
        if envelope.ttl is not None:
            raise CommandError("ttl_range", f"ttl {figure(envelope.ttl)}: a press takes none")
        return Request(value=value, transition_s=None, ttl_s=None, stop=False)
    if envelope.ttl is None and value == rules.safe and not rules.setting:
        return Request(value=value, transition_s=None, ttl_s=None, stop=True)
    return Request(value=value, transition_s=transition_s, ttl_s=_ttl(entity, rules, value, envelope.ttl), stop=False)


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


def _ttl(entity: Entity, rules: Rules, value: Value, asked: float | None) -> float | None:
    if asked is None:
        if rules.ttl.required:
            raise CommandError("ttl_required", f"{entity.quoted(value)} has no ttl; it needs one of {_range(rules)}")
        return rules.ttl.default
    low, high = rules.ttl.min, rules.ttl.max
    if asked < low or (high is not None and asked > high):
        raise CommandError("ttl_range", f"ttl {figure(asked)} is not {_range(rules)}", min=low, max=high)
    return asked


def _range(rules: Rules) -> str:
    low, high = rules.ttl.min, rules.ttl.max
    return f"at least {low:g} s" if high is None else f"{low:g} to {high:g} s"


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
