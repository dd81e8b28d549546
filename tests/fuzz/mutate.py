"""Changes that make sense: words of the contract, numbers that hurt, records in other orders, msgpack by its parts."""

from __future__ import annotations

import random
import re
from typing import Any

import msgspec

RECORD = b"\x1e"
#: Numbers, and what looks like one.
NASTY = (
    b"NaN",
    b"nan",
    b"inf",
    b"-inf",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b"1e-400",
    b"0",
    b"-0",
    b"-0.0",
    b"1e308",
    b"true",
    b"false",
    b"null",
    b"9" * 30,
    b"1" * 400,
    b"0x1F",
    b"1_0",
    b"1junk",
    b"01",
    b".5",
    b"5.",
    b"+5",
    b"100.0001",
    b"-101",
    b"0.05",
    b"0.049999",
    b"1e400",
    b'""',
    b"[]",
    b"{}",
    b"\xd9\xa1",
    b"\xef\xbb\xbf",
    b"2147483648",
    b"18446744073709551616",
)
_TOKEN = re.compile(rb"[A-Za-z_]+|[-+0-9.eE]+|\"[^\"]*\"|.", re.DOTALL)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    0.5,
    -0.0,
    float("nan"),
    float("inf"),
    1e308,
    1 << 63,
    -(1 << 63),
    "",
    "pump",
    "fan",
    "car",
    "x" * 70,
    b"\xff",
    [],
    {},
    [None],
    {"x": 1, "y": 0},
    {"on": True, "brightness": 5},
    "ON",
    1e5,
    1e5 - 1,
)


def text(data: bytes, words: tuple[str, ...], rng: random.Random) -> bytes:
    """Change a text: tokens replaced, dropped, doubled, swapped; records shuffled."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        data = rng.choice(_WAYS)(data, words, rng)
    return data


def packed(data: bytes, rng: random.Random) -> bytes:
    """Change msgpack behind a byte of flags; what is none is changed as bytes."""
    flags, body = data[:1] or b"\0", data[1:]
    if rng.random() < 0.15:
        flags = bytes([rng.randrange(256)])
    try:
        whole = msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return flags + _bytes(body, (), rng)
    if rng.random() < 0.1:
        return flags + _bytes(body, (), rng)
    try:
        return flags + msgspec.msgpack.encode(_part(whole, rng))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return flags + _bytes(body, (), rng)


def _part(part: Any, rng: random.Random) -> Any:
    if isinstance(part, list) and part and rng.random() < 0.9:
        index, changed = rng.randrange(len(part)), list(part)
        if rng.random() < 0.1:
            del changed[index]
        elif index == 0 and isinstance(part[0], int):
            changed[0] = rng.choice((*range(1, 11), *range(20, 32), part[0]))
        else:
            changed[index] = _part(part[index], rng)
        return changed
    if isinstance(part, dict) and part and rng.random() < 0.9:
        key = rng.choice(list(part))
        return {**part, key: _part(part[key], rng)}
    return rng.choice(_VALUES)


def _tokens(data: bytes) -> list[bytes]:
    return _TOKEN.findall(data[:4000]) + ([data[4000:]] if len(data) > 4000 else [])


def _replace(data: bytes, words: tuple[str, ...], rng: random.Random) -> bytes:
    tokens = _tokens(data) or [b""]
    tokens[rng.randrange(len(tokens))] = _word(words, rng)
    return b"".join(tokens)


def _insert(data: bytes, words: tuple[str, ...], rng: random.Random) -> bytes:
    tokens = _tokens(data)
    tokens.insert(rng.randint(0, len(tokens)), _word(words, rng))
    return b"".join(tokens)


def _drop(data: bytes, _words: tuple[str, ...], rng: random.Random) -> bytes:
    tokens = _tokens(data)
    if tokens:
        start = rng.randrange(len(tokens))
        del tokens[start : start + rng.choice((1, 1, 2, 5))]
    return b"".join(tokens)


def _swap(data: bytes, _words: tuple[str, ...], rng: random.Random) -> bytes:
    tokens = _tokens(data) or [b""]
    one, two = rng.randrange(len(tokens)), rng.randrange(len(tokens))
    tokens[one], tokens[two] = tokens[two], tokens[one]
    return b"".join(tokens)


def _number(data: bytes, words: tuple[str, ...], rng: random.Random) -> bytes:
    tokens = _tokens(data)
    found = [index for index, token in enumerate(tokens) if token[:1].isdigit() or token[:1] in (b"-", b".", b'"')]
    if not found:
        return _replace(data, words, rng)
    tokens[rng.choice(found)] = rng.choice(NASTY)
    return b"".join(tokens)


def _records(data: bytes, _words: tuple[str, ...], rng: random.Random) -> bytes:
    parts = data.split(RECORD)
    parts.insert(rng.randint(0, len(parts)), rng.choice(parts))
    if rng.random() < 0.3:
        rng.shuffle(parts)
    return RECORD.join(parts[:6])


def _bytes(data: bytes, _words: tuple[str, ...], rng: random.Random) -> bytes:
    found = bytearray(data[:8000])
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randint(0, len(found))
        found[at : at + rng.choice((0, 1, 1, 3))] = bytes(rng.randrange(256) for _ in range(rng.choice((0, 1, 1, 2))))
    return bytes(found)


def _word(words: tuple[str, ...], rng: random.Random) -> bytes:
    if words and rng.random() < 0.7:
        return rng.choice(words).encode("utf-8", "surrogatepass")
    return rng.choice(NASTY)


_WAYS = (_replace, _replace, _insert, _insert, _drop, _swap, _number, _number, _records, _bytes)
