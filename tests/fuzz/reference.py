"""A second reading of commands, from the contract alone and by another JSON reader: what may move a pin, and how."""

from __future__ import annotations

import math
import re
from typing import Any

from tests.fuzz.target import strict

FIELDS = {"ttl", "id", "owner", "priority", "at", "expiry", "token"}
NOTHING = object()
_WORDS = {
    "motor": {"forward", "backward", "stop"},
    "drive": {"forward", "backward", "left", "right", "stop"},
    "switch": {"ON", "OFF"},
    "press": {"PRESS"},
    "number": set(),
    "servo": {"stop"},
}


def value_of(payload: bytes) -> Any:
    """Take the value out of a command; ``NOTHING`` where it is none."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return NOTHING
    if len(payload) > 65_536:
        return NOTHING
    if not text.lstrip(" \t\r\n").startswith("{"):
        return float(text) if re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?", text) and _is_float(text) else text
    try:
        message = strict(text)
    except (ValueError, RecursionError):
        return NOTHING
    if "value" not in message:
        return message if not FIELDS & message.keys() else NOTHING
    sound = message.keys() <= FIELDS | {"value"} and all(_sound(key, message[key]) for key in FIELDS & message.keys())
    return message["value"] if sound else NOTHING


def fits(kind: str, value: Any, low: float = -100, high: float = 100) -> bool:
    """Tell whether a value is one that an output of that kind may take; ranges as the tests configure them."""
    if isinstance(value, str):
        return value in _WORDS.get(kind, {"ON", "OFF"})
    if kind in ("motor", "servo", "number"):
        return _is_number(value) and low <= value <= high
    if kind == "drive":
        return isinstance(value, dict) and value.keys() == {"x", "y"} and all(map(_is_unit, value.values()))
    return kind.startswith("light") and isinstance(value, dict) and _is_light(value, coloured=kind == "light rgb")


def _is_light(value: dict[str, Any], *, coloured: bool) -> bool:
    allowed = {"state", "brightness", "transition"} | ({"color"} if coloured else set())
    color = value.get("color", {"r": 0, "g": 0, "b": 0})
    wholes = [value.get("brightness", 1), *(color.values() if isinstance(color, dict) else [None])]
    return (
        value.get("state") in ("ON", "OFF")
        and value.keys() <= allowed
        and isinstance(color, dict)
        and color.keys() == {"r", "g", "b"}
        and all(type(whole) is int and 0 <= whole <= 255 for whole in wholes)
        and value.get("brightness") != 0
        and _is_number(value.get("transition", 0))
    )


def _sound(key: str, part: Any) -> bool:
    if key == "priority":
        return type(part) is int and 0 <= part <= 9
    if key in ("id", "owner", "token"):
        return isinstance(part, str) and 0 < len(part) <= 64
    return _is_number(part) and (key != "expiry" or part > 0)


def _is_number(part: Any) -> bool:
    if isinstance(part, bool) or not isinstance(part, int | float):
        return False
    return abs(part) <= 1.7976931348623157e308


def _is_unit(part: Any) -> bool:
    return _is_number(part) and -1 <= part <= 1


def _is_float(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
