"""JSON that anybody may have sent, read so that it can be kept and shown: not too long, not too deep. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import json_loads

MAX_TEXT = 500
MAX_BYTES = 1 << 20
#: JSON is nested so deep at most, and a value so long (bytes): what we take must be writable again, to every browser.
MAX_DEPTH = 20
MAX_VALUE_BYTES = 2048


class WireError(ValueError):
    """A payload that is not what its topic says."""


def loads(payload: bytes | bytearray | str) -> Any:
    """Read JSON. Raises ``WireError``."""
    if len(payload) > MAX_BYTES:
        raise WireError(f"{len(payload)} bytes are more than anything that pimqtt says")
    try:
        raw = json_loads(payload)
    except (ValueError, RecursionError) as error:
        raise WireError(f"{quote(payload)} is not JSON: {error}") from None
    if deeper_than(raw, MAX_DEPTH):
        raise WireError(f"{quote(payload)} is nested deeper than {MAX_DEPTH}")
    return raw


def number(raw: Any) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        return None
    return raw


def quote(raw: Any) -> str:
    """Quote what somebody sent, shortened."""
    text = repr(raw[: MAX_TEXT * 2] if isinstance(raw, bytes | str) else raw)
    return text if len(text) <= 60 else text[:57] + "..."


def deeper_than(raw: Any, most: int) -> bool:
    """Tell whether JSON is nested deeper; without recursion, since it may be nested a thousand times."""
    level = [raw]
    for _ in range(most):
        level = [one for each in level if isinstance(each, dict | list) for one in _inside(each)]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _inside(raw: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return raw.values() if isinstance(raw, dict) else raw


def too_long(value: Any) -> bool:
    """Tell whether a value is more than any that an output takes."""
    return isinstance(value, str | dict | list) and len(json_bytes(value)) > MAX_VALUE_BYTES
