"""One finding of pydantic in plain words. Which section it is in, and where, is the business of ``explain.py``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import get_args

from pydantic_core import ErrorDetails

from pimqtt_agent.mistakes import Path, is_hidden, shorten, show
from pimqtt_agent.shapes import limits, models
from pimqtt_agent.yaml_source import Node

UNKNOWN_KEY = ("extra_forbidden", "invalid_key")
_NEEDS = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "bool": "true or false",
    "model": "a mapping",
    "dict": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
}
_TYPE = re.compile(r"(.+?)(_type|_parsing|_parsing_size|_from_float|_attributes_type)?")
_PATTERNS = {
    r"^[a-z0-9_-]+$": "a-z, 0-9, _ and -",
    r"^[^#+/\s\x00-\x1f\x7f-\x9f][^#+\s\x00-\x1f\x7f-\x9f]*$": (
        "a topic that does not begin with / and has no #, + or spaces"
    ),
    r"^[\w-]+:[\w-]+$": "an icon of Home Assistant such as mdi:pump",
    r"^[^\x00]+$": "a file's name",
    r"^\S+$": "a text without spaces",
}
_RANGES = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclass
class Case:
    """What was found at one place: ``path`` in the whole, ``node`` there (or around it), the types that it may have."""

    node: Node
    path: Path
    found: list[ErrorDetails]
    kinds: list[object] = field(default_factory=list)
    #: the keys that are allowed around it
    keys: list[str] = field(default_factory=list)

    @property
    def quoted(self) -> str:
        """The value as it may be shown."""
        return show(self.node, self.path)


@dataclass
class Said:
    """A sentence and its parts; ``below`` is a key inside that it is about."""

    what: str
    allowed: Sequence[object] = ()
    got: object = None
    below: str | None = None


def say(case: Case) -> Said:
    """Put it into words."""
    detail = case.found[0]
    if "[key]" in detail["loc"]:
        return _key(case, detail)
    if all(is_type(detail) for detail in case.found):
        return _type(case)
    return _SAYERS.get(detail["type"], _other)(case, detail)


def is_type(detail: ErrorDetails) -> bool:
    """Tell whether a finding is about a value's type (or its being one of some words)."""
    return detail["type"] == "literal_error" or _need(detail) is not None


def quoted_words(detail: ErrorDetails, key: str) -> list[str]:
    """Return the words that pydantic lists as ``'a', 'b' or 'c'``."""
    text = str(detail.get("ctx", {}).get(key, ""))
    return [quoted or plain for quoted, plain in re.findall(r"'([^']*)'|([^\s,']+(?=,|$| or ))", text)]


def _need(detail: ErrorDetails) -> str | None:
    match = _TYPE.fullmatch(detail["type"])
    return _NEEDS.get(match[1]) if match else None


def _type(case: Case) -> Said:
    words = [word for detail in case.found for word in quoted_words(detail, "expected")]
    needs = list(dict.fromkeys(need for detail in case.found if (need := _need(detail))))
    if words:
        return Said(f"unknown value {case.quoted}", words + needs, case.node.data)
    what = f"{case.quoted} is not {' or '.join(needs)}"
    if "a text" in needs and case.node.style is None and case.node.text:
        what += "; put it in quotes"
    sections = models(case.kinds) if "a mapping" in needs else []
    return Said(what, sorted({key for model in sections for key in model.model_fields}))


def _key(case: Case, detail: ErrorDetails) -> Said:
    """Say what is wrong with a key that the user chose."""
    key = f"the key {shorten(repr(case.path[-1]))}"
    context = detail.get("ctx", {})
    if (pattern := context.get("pattern")) is not None:
        return Said(f"{key} is not allowed here", [_PATTERNS.get(str(pattern), f"the pattern {pattern}")])
    if {"max_length", "min_length"} & context.keys():
        return Said(f"{key} is too {'long' if 'max_length' in context else 'short'}", [_bound(context, "characters")])
    return Said(f"{key} is not a text; put it in quotes")


def _missing(case: Case, _: ErrorDetails) -> Said:
    return Said(f"key {str(case.path[-1])!r} is missing")


def _unknown(case: Case, _: ErrorDetails) -> Said:
    return Said(f"unknown key {str(case.path[-1])!r}", case.keys, case.path[-1])


def _union(case: Case, detail: ErrorDetails) -> Said:
    key = quoted_words(detail, "discriminator")[0]
    words = [word for model in models(case.kinds) for word in get_args(model.model_fields[key].annotation)]
    if (child := case.node.child(key)) is None:
        return Said(f"key {key!r} is missing", words, below=key)
    return Said(f"unknown value {show(child, (*case.path, key))}", words, child.data, below=key)


def _range(case: Case, detail: ErrorDetails) -> Said:
    context = detail.get("ctx", {})
    told = ", ".join(f"{word} {context[side]:g}" for side, word in _BOUNDS.items() if side in context)
    return Said(f"{case.quoted} is out of range", [limits(case.kinds) or told])


def _pattern(case: Case, detail: ErrorDetails) -> Said:
    pattern = str(detail.get("ctx", {}).get("pattern"))
    return Said(f"{case.quoted} is not allowed here", [_PATTERNS.get(pattern, f"the pattern {pattern}")])


def _length(case: Case, detail: ErrorDetails) -> Said:
    context = detail.get("ctx", {})
    unit = "characters" if detail["type"].startswith("string") else "items"
    return Said(f"{case.quoted} is too {'long' if 'max_length' in context else 'short'}", [_bound(context, unit)])


def _bound(context: dict[str, object], unit: str) -> str:
    longest = context.get("max_length")
    return f"at least {context.get('min_length')} {unit}" if longest is None else f"at most {longest} {unit}"


def _other(case: Case, detail: ErrorDetails) -> Said:
    below = detail.get("ctx", {}).get("below")
    node, path = case.node, case.path
    if below is not None:
        node, path = node.child(below) or node, (*path, below)
    quoted = show(node, path)
    if node.source or is_hidden(node, path):
        return Said(f"{quoted} is not allowed here", below=below)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return Said(f"{quoted}{message.removeprefix('Input')}" if message.startswith("Input ") else message, below=below)


_SAYERS: dict[str, Callable[[Case, ErrorDetails], Said]] = {
    "missing": _missing,
    **dict.fromkeys(UNKNOWN_KEY, _unknown),
    **dict.fromkeys(("union_tag_invalid", "union_tag_not_found"), _union),
    **dict.fromkeys(_RANGES, _range),
    "string_pattern_mismatch": _pattern,
    **dict.fromkeys(("string_too_long", "string_too_short", "too_long", "too_short"), _length),
}
