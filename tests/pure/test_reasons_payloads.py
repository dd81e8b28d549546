"""A reason quotes what it refuses: payloads that are no command for what they are sent to."""

from __future__ import annotations

import json

import pytest

from pimqtt_agent.commands import MAX_BYTES, open_envelope, read
from pimqtt_agent.errors import CommandError
from pimqtt_agent.strict_json import MAX_NAME
from tests.pure.reasons import Told, entity, lacks


def command(name: str, payload: bytes | str) -> Told:
    """Refuse a payload; return its code and reason."""
    with pytest.raises(CommandError) as caught:
        read(entity(name), open_envelope(payload if isinstance(payload, bytes) else payload.encode()))
    return caught.value.code, str(caught.value)


#: what was sent; the code; what the reason must hold
PAYLOADS: list[tuple[str, bytes | str, str, list[str]]] = [
    ("pump", "1junk", "invalid", ["'1junk'", "ON or OFF"]),
    ("pump", b"ON\xff", "invalid", [r"b'ON\xff'", "UTF-8"]),
    ("pump", '{"value": }', "invalid", ["""'{"value": }'""", "JSON"]),
    ("pump", '{"value": NaN}', "invalid", ["NaN", "JSON"]),
    ("pump", '{"value": "ON", "tll": 5}', "invalid", ["'tll'"]),
    ("pump", '{"ttl": 5}', "invalid", ["'ttl'", "value"]),
    ("pump", '{"value": "ON", "value": "OFF"}', "invalid", ["'value'", "twice"]),
    ("pump", '{"value": "ON", "ttl": "5"}', "invalid", ["ttl", "'5'"]),
    ("pump", '{"value": "ON", "owner": ""}', "invalid", ["owner", "''", str(MAX_NAME)]),
    ("pump", '{"value": "ON", "priority": 10}', "invalid", ["priority", "10", "0 to 9"]),
    ("pump", '{"value": "ON", "expiry": -1}', "invalid", ["expiry", "-1"]),
    ("pump", '{"value": ' + "[" * 99 + "]" * 99 + "}", "invalid", ["32"]),
    ("fan", "fast", "invalid", ["'fast'", "forward, backward, stop"]),
    ("arm", "NaN", "invalid", ["'NaN'", "stop"]),
    ("lamp", "on", "invalid", ["'on'", "ON, OFF"]),
    ("lamp", '{"state": "ON", "color": {"r": 1, "g": 2, "b": 3}}', "invalid", ["'color'", "brightness"]),
    ("lamp", '{"state": "ON", "brightness": 1.5}', "invalid", ["brightness", "1.5"]),
    ("lamp", '{"state": "ON", "transition": "slow"}', "invalid", ["transition", "'slow'"]),
    ("glow", '{"state": "ON", "color": "red"}', "invalid", ["color", "'red'"]),
    ("car", "up", "invalid", ["'up'", "forward"]),
    ("car", '{"x": 1}', "invalid", ["{'x': 1}", "x and y"]),
    ("car", '{"x": "left", "y": 0}', "invalid", ["x", "'left'"]),
    ("eye/snapshot", "CLICK", "invalid", ["'CLICK'", "PRESS"]),
    ("eye/taken", "ON", "invalid", ["'ON'", "no commands"]),
    ("pump", b"x" * (MAX_BYTES + 1), "too_large", [str(MAX_BYTES + 1), str(MAX_BYTES)]),
    ("fan", "100.00000001", "out_of_range", ["100.00000001", "-100 to 100"]),
    ("fan", "-101", "out_of_range", ["-101 "]),
    ("arm", "46", "out_of_range", ["46", "-45 to 45"]),
    ("car", '{"x": 0, "y": -1.5}', "out_of_range", ["y", "-1.5", "-1 to 1"]),
    ("car/limit", "101", "out_of_range", ["101", "0 to 100"]),
    ("lamp", '{"state": "ON", "brightness": 256}', "out_of_range", ["brightness", "256", "1 to 255"]),
    ("lamp", '{"state": "ON", "transition": 6553.1}', "out_of_range", ["transition", "6553.1", "6553 s"]),
    ("glow", '{"state": "ON", "color": {"r": 1, "g": -2, "b": 3}}', "out_of_range", ["g", "-2", "0 to 255"]),
    ("pump", '{"value": "ON", "ttl": 60.0000001}', "ttl_range", ["60.0000001", "1 to 60 s"]),
    ("lamp", '{"value": "ON", "ttl": 0.01}', "ttl_range", ["0.01", "at least 0.05 s"]),
    ("eye/snapshot", '{"value": "PRESS", "ttl": 5}', "ttl_range", ["ttl 5"]),
    ("gate", "ON", "ttl_required", ["ON", "ttl", "at least 0.05 s"]),
    ("pump", json.dumps({"value": "ON", **{f"key{n}": n for n in range(999)}}), "invalid", ["'key0'", "994 more"]),
    ("lamp", json.dumps({"state": "ON", **{f"key{n}": n for n in range(999)}}), "invalid", ["'key0'", "994 more"]),
]


@pytest.mark.parametrize(("name", "payload", "code", "parts"), PAYLOADS)
def test_of_a_payload(name: str, payload: bytes | str, code: str, parts: list[str]) -> None:
    found, reason = command(name, payload)
    assert found == code
    assert lacks(reason, parts) == [], reason
