"""The speed limit of a drive is a setting: nothing that makes the car safe makes it faster afterwards."""

from __future__ import annotations

import signal

import pytest

from tests.broker.steps import CAR, DEVICE, NODE, Start, eventually_told, online, replaced, told, wheels
from tests.rig import Observer

pytestmark = pytest.mark.broker

LIMIT = "pimqtt/car1/car/limit/state"


async def limited(watch: Observer) -> None:
    assert (await told(watch, "car/limit", {"value": 20}))["state"] == 20


@pytest.mark.parametrize("topic", [NODE, DEVICE])
async def test_an_emergency_stop_and_its_reset_leave_it(node: Start, watch: Observer, topic: str) -> None:
    running = node(CAR)
    await online(watch)
    await limited(watch)
    await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"})
    await wheels(running, 0.2, 0, 0.2, 0)
    since = len(watch.seen)
    await watch.send(f"{topic}/set", "ON")
    await wheels(running, 0, 0, 0, 0)
    assert (await told(watch, "car/limit", {"value": 30}))["outcome"] == "accepted"  # it may be lowered, or raised
    assert (await told(watch, "car/limit", {"value": 20}))["outcome"] == "accepted"
    await watch.send(f"{topic}/set", "OFF")
    await watch.wait(f"{topic}/state", lambda s: s.text == "OFF", since=since)
    assert {seen.text for seen in watch.seen[since:] if seen.topic == LIMIT} <= {"20", "30"}
    result = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you"})
    assert result["outcome"] == "accepted"
    await wheels(running, 0.2, 0, 0.2, 0)


async def test_a_keeper_that_dies_under_a_latch_leaves_it(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    await limited(watch)
    await watch.send(f"{NODE}/set", "ON")
    await watch.wait(f"{NODE}/state", lambda s: s.text == "ON")
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    since = len(watch.seen)
    await watch.send(f"{NODE}/set", "OFF")
    await watch.wait(f"{NODE}/state", lambda s: s.text == "OFF", since=since)
    assert (await eventually_told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"}))["outcome"] == "accepted"
    await wheels(running, 0.2, 0, 0.2, 0)


async def test_its_highest_value_is_no_stop(node: Start, watch: Observer) -> None:
    node(CAR)
    await online(watch)
    assert (await told(watch, "car/limit", {"value": 20, "ttl": 30, "owner": "parent", "priority": 5}))["ttl"] == 30
    refused = await told(watch, "car/limit", {"value": 100, "owner": "child"})
    assert {"outcome": "rejected", "code": "held", "holder": "parent", "state": 20}.items() <= refused.items()
