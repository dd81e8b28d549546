"""Commands to begin with: each form that the contract names, and each that it refuses."""

from __future__ import annotations

import json
from typing import Any

from tests.fuzz.target import joined


def commands() -> list[bytes]:
    """Commands to every output."""
    return [*_right(), *_wrong(), *_sequences(), *_bursts()]


def _right() -> list[bytes]:
    plain: dict[str, tuple[Any, ...]] = {
        "pump": ("ON", "OFF"),
        "heater": ("ON",),
        "fan": (50, -100, "forward", "stop"),
        "arm": (-45.5, "stop"),
        "car": ("left", {"x": 0.5, "y": -1}),
        "truck": ({"x": 1, "y": 1},),
        "car/limit": (30,),
        "lamp": ("ON", "OFF"),
        "glow": ({"state": "ON", "brightness": 10, "color": {"r": 1, "g": 2, "b": 3}, "transition": 2},),
        "winch": (20,),
        "eye/snapshot": ("PRESS",),
        "system/restart": ("PRESS",),
        "system/reboot": ("PRESS",),
    }
    found = [joined((f"{name}/set", text(value))) for name, values in plain.items() for value in values]
    full = {"ttl": 3, "id": "a", "owner": "ann", "priority": 5, "expiry": 5}
    found += [joined((f"{name}/set q", text({"value": values[0], **full}))) for name, values in plain.items()]
    return found


def _wrong() -> list[bytes]:
    wrong: list[Any] = [
        "",
        "1junk",
        "NaN",
        True,
        None,
        [],
        {"ttl": 1},
        {"value": 1, "x": 2},
        {"value": "ON", "ttl": 0},
        {"value": "ON", "ttl": 1e9},
        {"value": "ON", "priority": True},
        {"value": "ON", "priority": 10},
        {"value": "ON", "id": ""},
        {"value": "ON", "owner": 5},
        {"value": True},
        {"value": 1e400},
        {"x": 0.5},
        {"x": 2, "y": 0},
        {"x": "0", "y": 0},
        {"state": "ON", "brightness": 0},
        {"state": "on"},
        {"state": "ON", "brightness": 1.5},
        {"state": "ON", "transition": -1},
        {"state": "ON", "transition": "1"},
        {"state": "OFF", "brightness": 4},
        {"state": "ON", "color": [1]},
        {"value": "ON", "at": "soon"},
        101,
        "5" * 400,
    ]
    found = [joined((f"{name}/set", text(value))) for value in wrong for name in ("pump", "fan", "truck", "glow")]
    raw = (
        b'{"value": NaN}',
        b'{"value": 1e999, "ttl": 1}',
        b'{"value": "ON", "value": "OFF"}',
        b"\xff\xfe",
        b"{",
        b"{}",
        b'{"value": "\\ud800"}',
        b'{"value": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"value": "a:b"}',
        b"x" * 200,
        b'{"value": "ON", "id": "' + b"i" * 70 + b'"}',
        b'{"value": -0.0}',
        b" \t{}",
        b'["ON"]',
        b"1_000",
        b"\xd9\xa1",
        b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"value":1}',
    )
    found += [joined((f"{name}/set", payload)) for payload in raw for name in ("pump", "car")]
    return found


def _sequences() -> list[bytes]:
    return [
        joined(("car/set", text({"value": "left", "owner": "ann", "token": "%TOKEN%"}))),
        joined(("winch/set", text({"value": 20, "token": "%TOKEN%", "id": "t"}))),
        joined(("winch/set", text({"value": 20, "token": "1.2.3"}))),
        joined(("pump/set r", "ON"), ("pump/set r q", '{"value": "ON", "ttl": 5}')),
        joined(("fan/set r", "50"), ("eye/snapshot/set r", "PRESS")),
        joined(("pump/set p r", '{"value": "ON", "ttl": 9, "at": %NOW%}'), ("marker", "m")),
        joined(("pump/set p r e=3", '{"value": "ON", "ttl": 9, "expiry": 5}'), ("marker", "m")),
        joined(("pump/set p r", '{"value": "ON", "ttl": 9}'), ("pump/set", "OFF"), ("stop/set", "ON"), ("marker", "m")),
        joined(("fan/set p", "50"), ("fan/set p", "stop"), ("stop/set", "ON"), ("marker", "m w=1")),
        joined(("pump/set p r e=9", '{"value": "ON", "ttl": 9, "expiry": 5}'), ("marker", "m")),
        joined(("pump/set p r w=2", '{"value": "ON", "ttl": 0.06, "at": 1}'), ("marker", "m")),
        joined(("pump/set 3 q", '{"value": "ON", "id": "b"}'), ("pump/set 3 r", '{"value": "ON", "id": "b"}')),
        joined(("pump/set 3 r", "ON"), ("pump/set 3", ""), ("pump/set 3 r", "OFF")),
        joined(
            ("pump/set q a=pimqtt/reply/x c=1", '{"value": "ON", "id": "b"}'),
            ("pump/set q", '{"value": "ON", "id": "b"}'),
        ),
        joined(("pump/set q a=pimqtt/other", '{"value": "ON"}'), ("pump/set a=pimqtt/reply/+", "ON")),
        joined(("pump/set", '{"value": "ON", "owner": "ann"}'), ("pump/set", '{"value": "ON", "owner": "bob"}')),
        joined(("pump/set", '{"value": "ON", "owner": "guest", "priority": 9}'), ("pump/set w=6", "ON")),
        joined(("heater/set", "ON"), ("cooler/set", "ON"), ("heater/set w=0.2", "ON"), ("cooler/set w=1", "OFF")),
        joined(
            ("fan/set", '{"value": 9, "owner": "ann"}'),
            ("fan/set", "stop"),
            ("fan/set", '{"value": 9, "owner": "ann"}'),
        ),
        joined(("fan/set s=0.3", "50"), ("fan/set s=9", "stop"), ("pump/set s=1 e=1", '{"value": "ON", "expiry": 4}')),
        joined(
            ("pump/set", '{"value": "ON", "at": 5, "ttl": 3}'), ("pump/set", '{"value": "ON", "at": 9e99, "expiry": 1}')
        ),
        joined(("stop/set", "ON"), ("fan/set", "50"), ("stop/set", "OFF"), ("fan/set", "50")),
        joined(("nobody/set", "ON"), ("set", "ON"), ("pump/nothing/set r", "{"), ("system/identify/set", "PRESS")),
        joined(("nobody/set", '{"value": "ON", "id": "u", "owner": "ann"}'), ("a/b/c/set", "x")),
        joined(
            ("call", '{"action": "heartbeat", "owner": "ann"}'),
            ("call", '{"action": "heartbeat", "owner": "ann"}'),
            ("car/set", '{"value": "forward", "owner": "ann"}'),
        ),
    ]


def _bursts() -> list[bytes]:
    """Several in one read, and at a connection's beginning."""
    return [
        joined(("pump/set", "x" * 66_000)),
        joined(("fan/set b", "50"), ("truck/set b", "left"), ("fan/set", "stop")),
        joined(
            ("fan/set b", '{"value": 50, "owner": "ann"}'),
            ("fan/set b", "stop"),
            ("fan/set b", "stop"),
            ("fan/set", "stop"),
        ),
        joined(("pump/set b", "ON"), ("fan/set b", "50"), ("stop/set b", "ON"), ("stop/set", "OFF")),
        joined(("pump/set b q", '{"value": "ON", "id": "b"}'), ("pump/set q", '{"value": "ON", "id": "b"}')),
        joined(
            ("pump/set p", "OFF"), ("fan/set p", "stop"), ("pump/set p", "ON"), ("pump/set p", "OFF"), ("marker", "m")
        ),
        joined(("pump/state k", "ON"), ("x/state", "1"), ("pump/set k", "ON")),
    ]


def text(content: Any) -> str:
    """Write a payload: text as it is, else as JSON."""
    return content if isinstance(content, str) else json.dumps(content)
