"""As much of JSON schema as ours uses: what an editor would underline."""

from __future__ import annotations

import re
from math import inf
from typing import Any

TYPES: dict[str, Any] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "object": dict,
    "array": list,
}  # fmt: skip


def fits(part: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Tell whether a value fits a part of the schema ``root``."""
    return all(rule(part, value, root) for rule in (_type, _words, _choices, _text, _number, _object, _array))


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _is(name: str, value: Any) -> bool:
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES[name]) or (name == "integer" and isinstance(value, float) and value.is_integer())


def _type(part: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    reference = part.get("$ref")
    if reference is not None and not fits(root["$defs"][reference.removeprefix("#/$defs/")], value, root):
        return False
    types = part.get("type", list(TYPES))
    return any(_is(name, value) for name in ([types] if isinstance(types, str) else types))


def _words(part: dict[str, Any], value: Any, _: dict[str, Any]) -> bool:
    words = part.get("enum", [part["const"]] if "const" in part else None)
    return words is None or any(_equal(word, value) for word in words)


def _choices(part: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    if "oneOf" in part and sum(fits(choice, value, root) for choice in part["oneOf"]) != 1:
        return False
    return "anyOf" not in part or any(fits(choice, value, root) for choice in part["anyOf"])


def _text(part: dict[str, Any], value: Any, _: dict[str, Any]) -> bool:
    if not isinstance(value, str):
        return True
    right_length = part.get("minLength", 0) <= len(value) <= part.get("maxLength", inf)
    return right_length and re.search(part.get("pattern", ""), value) is not None


def _number(part: dict[str, Any], value: Any, _: dict[str, Any]) -> bool:
    if not isinstance(value, int | float):
        return True
    within = part.get("minimum", -inf) <= value <= part.get("maximum", inf)
    strictly = part.get("exclusiveMinimum", -inf) < value < part.get("exclusiveMaximum", inf)
    return bool(within and strictly and ("multipleOf" not in part or value % part["multipleOf"] == 0))


def _object(part: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    if any(key not in value for key in part.get("required", ())):
        return False
    return all(_pair(part, str(key), inner, root) for key, inner in value.items())


def _pair(part: dict[str, Any], key: str, value: Any, root: dict[str, Any]) -> bool:
    if not fits(part.get("propertyNames", {}), key, root):
        return False
    patterns = [inner for pattern, inner in part.get("patternProperties", {}).items() if re.search(pattern, key)]
    inner: Any = part.get("properties", {}).get(key) or next(iter(patterns), part.get("additionalProperties", True))
    return bool(inner) if isinstance(inner, bool) else fits(inner, value, root)


def _array(part: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    if not isinstance(value, list):
        return True
    doubled = part.get("uniqueItems") and any(value.count(item) > 1 for item in value)
    return not doubled and all(fits(part.get("items", {}), item, root) for item in value)
