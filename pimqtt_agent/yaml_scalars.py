"""Single values of YAML, read as YAML 1.1 as PyYAML does (``on`` is true).

Refused is what YAML 1.1 reads as something that nobody means (``017`` is 15, ``1:30`` is 90), and what is not finite.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import yaml

from pimqtt_agent.yaml_source import Node

_RESOLVERS: dict[str | None, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers
_CORE = "tag:yaml.org,2002:"
_BOOLS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_READERS = ("bool", "int", "float", "null", "str")


def resolve(text: str) -> str:
    """Tell what YAML takes a plain scalar for: ``int``, ``bool``, ..., ``str``."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            name = tag.removeprefix(_CORE)
            return name if name in _READERS else "str"
    return "str"


@lru_cache(4096)
def plain(text: str) -> Any:
    """Read a plain scalar; raises ``ValueError`` with a sentence."""
    return read(text, resolve(text))


def typed(text: str) -> Any:
    """Read a text as a plain scalar where that makes sense, else as a text."""
    try:
        return plain(text)
    except ValueError:
        return text


def scalar(node: Node) -> Any:
    """Read a scalar; raises ``ValueError`` with a sentence."""
    text = node.text or ""
    if node.tag is None:
        return plain(text) if node.style is None else text
    if node.tag == "!":
        return text
    kind = (node.tag or "").removeprefix(_CORE)
    if kind not in _READERS:
        raise ValueError(f"unknown tag {node.tag!r}; allowed: !secret, !include")
    try:
        return read(text, kind)
    except (ValueError, KeyError):
        raise ValueError(f"{text!r} is not of the type that its tag says") from None


def read(text: str, kind: str) -> Any:
    """Read a plain text as one of the kinds of scalars."""
    if kind == "str":
        return text
    if kind == "bool":
        return _BOOLS[text.lower()]
    if kind == "null":
        return None
    return _int(text) if kind == "int" else _float(text)


def _int(text: str) -> int:
    digits = text.replace("_", "")
    if len(digits) > 80:
        raise ValueError(f"{digits[:20]}... is too large a number")
    if ":" in digits:
        raise ValueError(f"{text!r} is read by YAML as a number to the base 60; put it in quotes")
    body = digits.lstrip("+-")
    if body.startswith("0") and body.isdigit() and int(body, 8) != int(body):
        decimal = body.lstrip("0")
        raise ValueError(f"{text!r} is read by YAML as octal ({int(body, 8)}); write {decimal}, or put it in quotes")
    return int(digits, 0 if body[:2].lower() in ("0x", "0b") else 10)


def _float(text: str) -> float:
    if ":" in text:
        raise ValueError(f"{text!r} is read by YAML as a number to the base 60; put it in quotes")
    plain = text.replace("_", "").lower()
    value = float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value
