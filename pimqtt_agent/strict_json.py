"""JSON of commands and calls, read strictly. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from pimqtt_agent.entities import quote, shortened
from pimqtt_agent.errors import CommandError

#: The longest name (id, owner, token).
MAX_NAME = 64
#: Deeper JSON is not read: what comes after could not bear it.
MAX_DEPTH = 32


def read_json(text: bytes) -> Any:
    """Read strict JSON: no NaN, valid UTF-8, no key twice, not nested without end. Raises ``CommandError``."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise CommandError("invalid", f"{quote(text.decode(errors='replace'))} is not JSON: {error}") from None
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and not _shallow(message):
        raise CommandError("invalid", f"this JSON is nested deeper than {MAX_DEPTH} levels")
    if text.count(b":") != _keys(message):  # a key stands twice, or else a colon in a text
        _refuse_doubles(text, message)
    return message


def echo(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a rejection repeats of a message that is not valid."""
    names = {
        key: message[key]
        for key in ("id", "owner")
        if isinstance(message.get(key), str | int | float) and len(str(message[key])) <= MAX_NAME
    }
    return {**names, "value": shortened(message["value"])} if "value" in message else names


def _shallow(message: Any) -> bool:
    level = [message]
    for _ in range(MAX_DEPTH):
        level = [part for whole in level for part in _parts(whole)]
    return not level


def _parts(whole: Any) -> Iterable[Any]:
    if isinstance(whole, dict):
        return whole.values()
    return whole if isinstance(whole, list) else ()


def _keys(part: Any) -> int:
    """Count the keys at every depth."""
    found = len(part) if isinstance(part, dict) else 0
    for inner in _parts(part):
        if isinstance(inner, dict | list):
            found += _keys(inner)
    return found


def _refuse_doubles(text: bytes, message: Any) -> None:
    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                whole = message if isinstance(message, dict) else {}
                known = {other: whole[other] for other in whole if other != key}
                raise CommandError("invalid", f"key {quote(key)} is given twice", **echo(known))
            seen.add(key)

    json.loads(text, object_pairs_hook=once, parse_int=str, parse_float=str)
