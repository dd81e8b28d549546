"""Very many messages that are no command: answered, moving nothing, and no process ends."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.broker import flooding
from tests.broker.steps import FAN, LAMP, PUMP, Start, called, eventually, online, told
from tests.rig import Observer

pytestmark = pytest.mark.broker

watch = flooding.watch

#: What may not stand beside a value.
FIELDS = (
    '"ttl": 1e999', '"ttl": "5"', '"ttl": -1', '"ttl": 0', '"ttl": true', '"id": 7', '"id": ""', '"owner": []',
    '"owner": "' + "o" * 65 + '"', '"priority": 1.5', '"priority": -1', '"priority": ' + "9" * 5000, '"token": {}',
    '"at": "now"', '"at": ' + "9" * 400, '"expiry": 0', '"extra": 1', '"value": "OFF", "x": 1',
)  # fmt: skip
#: What is no value, as JSON or what looks like it.
VALUES = (
    "NaN", "Infinity", "1e400", "9" * 5000, '"\\ud800"', '"\\u0000"', '["ON"]', '{"value": "ON"}', "null", '"on"', "",
)  # fmt: skip
#: What is no command at all.
TEXTS: tuple[str | bytes, ...] = (
    "on", "1junk", "{", "}", "[]", "[1]", "null", "NaN", '{"value"}', '{"value": "ON"', '"ON"', " ON", "ON ", "ON\0",
    '{"ttl": 1}', '{"": {}}', "{}", '{"state": "on"}', "\ufeffON", "\uff2f\uff2e", "1" * 60_000, "x" * 70_000,
    "é" * 1000, b"\xff\xfe", b"\x00", b"\x80ON", b'{"value": "\xff"}', b"{\x00}",
)  # fmt: skip


def malformed(chance: random.Random) -> bytes:
    """Make something that no output takes."""
    deep = chance.choice((20, 200, 900, 5000, 20_000))
    texts: list[str | bytes] = [
        *TEXTS,
        *(f'{{"value": "ON", {field}}}' for field in FIELDS),
        *(f'{{"value": {value}}}' for value in VALUES),
        '{"value": ' + "[" * deep + "]" * deep + "}",
        '{"value": ' + '{"a":' * deep + "1" + "}" * deep + "}",
        '{"a":' * deep + "1" + "}" * deep,
        "[" * deep,
    ]
    chosen = chance.choice([*texts, None])
    if chosen is None:
        return chance.randbytes(chance.randrange(1, 400)).replace(b"\0", b"?") + b"\xff"
    return chosen if isinstance(chosen, bytes) else chosen.encode()


async def test_1000_malformed_messages_are_all_answered_move_nothing_and_end_nothing(
    node: Start, watch: Observer
) -> None:
    running = node(LAMP, PUMP, FAN, "{id: glow, kind: light, pin: 18}", hardware=", control: true")
    await online(watch)
    before, chance, begin = running.descendants(), random.Random(11), len(watch.seen)
    devices = ("lamp", "pump", "fan", "glow")
    expected = dict.fromkeys(devices, 0)
    for number in range(1000):
        device = devices[number % 4]
        expected[device] += 1
        await watch.send(f"pimqtt/car1/{device}/set", malformed(chance), qos=number % 2)
        if number % 20 == 0:
            await asyncio.sleep(0.01)

    def answered() -> dict[str, int]:
        topics = [seen.topic for seen in watch.seen[begin:]]
        return {device: topics.count(f"pimqtt/car1/{device}/result") for device in devices}

    await eventually(lambda: answered() == expected, 10, f"all answered: {answered()} of {expected}")
    codes = {seen.json()["code"] for seen in watch.seen[begin:] if seen.topic.endswith("/result")}
    assert codes <= {"invalid", "too_large", "out_of_range", "ttl_range", "forbidden"}
    assert [running.levels(pin) for pin in (27, 17, 23, 24, 18)] == [[0]] * 5
    assert running.descendants() == before
    assert "Traceback" not in running.log.read_text()
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"


async def test_malformed_calls_stops_and_odd_topics_end_nothing_either(node: Start, watch: Observer) -> None:
    running = node(LAMP, FAN, hardware=", control: true")
    await online(watch)
    before, chance = running.descendants(), random.Random(12)
    topics = (
        "call", "stop/set", "fan/stop/set", "sim/5/set", "sim/²/set", f"sim/{'9' * 5000}/set", "sim/-1/set", "sim//set",
        "sim/1e3/set", "marker", "availability", "info", "/set", "//set", "lamp//set", "a/b/set", "lämp/set", "set",
        "lamp/set/set", "sim/set", "stop/stop/set", "system/set", "system/restart/set", "call/set", "\u200b/set",
    )  # fmt: skip
    for number in range(400):
        payload = malformed(chance)
        if topics[number % len(topics)] == "info" and b"hardware_id" in payload:
            continue
        await watch.send(f"pimqtt/car1/{topics[number % len(topics)]}", payload)
        if number % 20 == 0:
            await asyncio.sleep(0.02)
    for deep in (50, 300, 700, 900, 980, 1000, 5000, 30_000):
        nested = "[" * deep + "]" * deep
        await watch.send("pimqtt/car1/call", '{"action": "get_version", "mine": ' + nested + "}")
        await watch.send("pimqtt/car1/info", '{"hardware_id": ' + nested + "}")
        await watch.send("homeassistant/device/car1/ghost/config", nested)
    await watch.send("homeassistant/status", b"\xff\xfe")
    for pin in ("²", "5", "9999", "1" * 4999):
        await watch.send(f"pimqtt/car1/sim/{pin}/set", "1")
    assert (await called(watch, action="get_version"))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert running.levels(23) == [0]
    assert running.descendants() == before
    assert "Traceback" not in running.log.read_text()
