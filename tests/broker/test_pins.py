"""The node call `list_pins`: every line with the level that it has now."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.broker.steps import CAR, PUMP, Start, called, online, told
from tests.rig import Observer

pytestmark = pytest.mark.broker

LAMP = "{id: lamp, kind: light, pin: 18}"
RELAY = "{id: relay, kind: switch, pin: 27, active_low: true}"
DOOR = "{id: door, kind: binary_sensor, pin: 22, pull: up, debounce: 0}"


async def pins(watch: Observer) -> dict[int, tuple[Any, ...]]:
    answer = await called(watch, action="list_pins")
    assert answer["outcome"] == "accepted"
    rows = answer["result"]["pins"]
    assert all(set(row) == {"line", "device", "role", "mode", "level"} for row in rows)
    return {row["line"]: (row["device"], row["role"], row["mode"], row["level"]) for row in rows}


async def test_it_tells_levels_as_they_are_driven_and_read(node: Start, watch: Observer) -> None:
    node(PUMP, RELAY, LAMP, DOOR, CAR, hardware=", control: true")
    await online(watch)
    assert await pins(watch) == {
        17: ("pump", "pin", "output", 0),
        27: ("relay", "pin", "output", 1),  # physical: a relay board that is off
        18: ("lamp", "pin", "pwm", 0),
        22: ("door", "pin", "input", 1),
        5: ("car", "left.forward", "pwm", 0),
        6: ("car", "left.backward", "pwm", 0),
        13: ("car", "right.forward", "pwm", 0),
        19: ("car", "right.backward", "pwm", 0),
    }
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    await told(watch, "relay", {"value": "ON"})
    await told(watch, "lamp", {"value": {"state": "ON", "brightness": 51}})
    await told(watch, "car", {"value": {"x": 0, "y": -0.5}, "owner": "me"})
    await watch.send("pimqtt/car1/sim/22/set", "0")
    await watch.wait("pimqtt/car1/door/state", lambda seen: seen.text == "OFF")
    now = await pins(watch)
    assert {line: row[3] for line, row in now.items()} == {
        17: 1, 27: 0, 18: 0.2, 22: 0, 5: 0, 6: 0.5, 13: 0, 19: 0.5,
    }  # fmt: skip


async def test_it_is_among_the_actions_and_in_batches(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    assert "list_pins" in (await called(watch, action="list_actions"))["result"]
    since = len(watch.seen)
    await watch.send("pimqtt/car1/call", [{"action": "list_pins", "id": 1}, {"action": "get_version", "id": 2}])
    answers = (await watch.wait("pimqtt/car1/call/result", since=since)).json()
    assert [(answer["id"], answer["outcome"]) for answer in answers] == [(1, "accepted"), (2, "accepted")]


async def test_without_outputs_there_is_a_list_all_the_same(node: Start, watch: Observer) -> None:
    node("{id: eye, kind: camera, source: synthetic}")
    await online(watch)
    assert await pins(watch) == {}


async def test_a_keeper_that_stands_still_is_not_waited_for(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    keeper = running.signal("keeper pins", signal.SIGSTOP)
    answer = await called(watch, action="list_pins")
    assert {"outcome": "rejected", "code": "unavailable", "result": None}.items() <= answer.items()
    if running.pid("keeper pins") == keeper:
        os.kill(keeper, signal.SIGCONT)
