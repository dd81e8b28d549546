"""Who may drive: owners, priorities, stops, arming."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.broker.steps import (
    CAR,
    FAN,
    NODE,
    PATIENT_FAN,
    PUMP,
    Driving,
    Start,
    called,
    eventually,
    moves,
    online,
    reached,
    reached_any,
    results,
    seconds,
    told,
)
from tests.rig import Observer

pytestmark = pytest.mark.broker


async def test_a_stop_comes_from_anyone_and_the_driver_must_let_go_first(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car", "me", priority=9) as driving:
        await asyncio.sleep(0.35)
        since, sent_ns = len(watch.seen), time.monotonic_ns()
        await watch.send("pimqtt/car1/car/set", "stop")
        stopped_ns = await reached(running, 5, 0)
        assert seconds(sent_ns, stopped_ns) < 0.15
        await watch.wait("pimqtt/car1/car/result", lambda s: s.json()["code"] == "let_go", since=since)
        stopped = results(watch, "car", since, outcome="reverted")
        assert [(result["cause"], result["owner"]) for result in stopped] == [("stopped", "me")]
        await asyncio.sleep(0.8)  # it goes on renewing: nothing moves, however long
        assert running.levels(5)[-1] == 0
        assert results(watch, "car", since, outcome="accepted") == []
        driving.fields["owner"] = "you"
        await eventually(lambda: running.levels(5)[-1] > 0, what="another may drive")
    await reached(running, 5, 0)


async def test_who_was_stopped_drives_again_after_the_safe_value_or_a_dead_man_of_silence(
    node: Start, watch: Observer
) -> None:
    node(PATIENT_FAN)
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me"})
    await told(watch, "fan", {"value": 0, "owner": "you"})
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["code"] == "let_go"
    assert (await told(watch, "fan", {"value": "stop", "owner": "me"}))["outcome"] == "accepted"
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["outcome"] == "accepted"
    await told(watch, "fan", {"value": 0, "owner": "you"})
    await asyncio.sleep(1.8)
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["code"] == "let_go"
    await asyncio.sleep(1.8)  # 3.6 s after the stop, but 1.8 s after the last try
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["code"] == "let_go"
    await asyncio.sleep(3 + 0.05)
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["outcome"] == "accepted"


async def test_the_safe_value_with_a_ttl_is_a_command_like_any_other(node: Start, watch: Observer) -> None:
    node(PATIENT_FAN)
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me"})
    assert (await told(watch, "fan", {"value": 0, "ttl": 2, "owner": "you"}))["code"] == "held"
    zero = await told(watch, "fan", {"value": 0, "ttl": 2, "owner": "me"})
    assert {"outcome": "accepted", "ttl": 2, "holder": "me", "state": 0}.items() <= zero.items()
    assert (await told(watch, "fan", {"value": 10, "owner": "you"}))["code"] == "held"


async def test_who_was_stopped_at_a_level_need_not_let_go(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "owner": "me", "priority": 5})
    assert (await told(watch, "pump", {"value": "ON", "owner": "you", "priority": 5}))["code"] == "held"
    assert (await told(watch, "pump", {"value": "OFF", "owner": "you"}))["outcome"] == "accepted"
    assert (await watch.result("pump", cause="stopped"))["owner"] == "me"
    assert (await told(watch, "pump", {"value": "ON", "owner": "me"}))["outcome"] == "accepted"
    assert running.levels(17) == [0, 1, 0, 1]


async def test_all_anonymous_senders_are_one_owner(node: Start, watch: Observer) -> None:
    running = node(PATIENT_FAN)
    await online(watch)
    await watch.send("pimqtt/car1/fan/set", "40")
    await reached(running, 23, 0.4)
    lease = await watch.wait("pimqtt/car1/fan/lease", lambda s: s.payload != b"{}")
    assert lease.json()["owner"] == "anonymous"
    assert (await told(watch, "fan", {"value": 50, "owner": "anonymous"}))["holder"] == "anonymous"
    assert (await told(watch, "fan", {"value": 50, "owner": "me"}))["code"] == "held"
    await watch.send("pimqtt/car1/fan/set", "stop")
    assert (await told(watch, "fan", {"value": 60}))["outcome"] == "accepted"


async def test_a_ramp_delays_no_stop_no_expiry_and_no_emergency_stop(node: Start, watch: Observer) -> None:
    running = node(PATIENT_FAN.replace("}", ", ramp: 400}"))
    await online(watch)
    await told(watch, "fan", {"value": 100, "owner": "me"})
    await eventually(lambda: 1 in running.levels(23), what="full speed")
    levels = running.levels(23)
    rising = levels[: levels.index(1) + 1]
    assert len(rising) > 4
    assert rising == sorted(rising)
    for payload in ("stop", None, "ON"):
        await told(watch, "fan", {"value": 100, "owner": f"me{payload}"})
        await eventually(lambda: running.levels(23)[-1] > 0.2, what="it ramps up")
        if payload:
            await watch.send(f"{NODE}/set" if payload == "ON" else "pimqtt/car1/fan/set", payload)
        await reached(running, 23, 0)
        rows = moves(running, 23)
        assert rows[-2]["value"] > 0.2  # at once, not down a ramp


async def test_a_held_output_names_its_holder_and_who_was_refused_must_let_go(node: Start, watch: Observer) -> None:
    running = node(PATIENT_FAN)
    await online(watch)
    async with Driving(watch, "fan", "me", priority=4) as driving:
        await reached_any(running, 23)
        for priority in (0, 4):
            held = await told(watch, "fan", {"value": -50, "owner": "you", "priority": priority})
            assert {"code": "held", "holder": "me", "owner": "you", "value": -50}.items() <= held.items()
            assert "me" in held["reason"]
            assert held["state"] > 0
        await driving.stop()
        await reached(running, 23, 0)
        # it tried less than a dead-man ago
        await told(watch, "fan", {"value": 1, "owner": "me"})
        await told(watch, "fan", {"value": -50, "owner": "you"})
        await told(watch, "fan", {"value": 0, "owner": "me"})
        assert (await told(watch, "fan", {"value": -50, "owner": "you"}))["code"] == "let_go"
    assert running.levels(24) == [0]


async def test_a_higher_priority_takes_over_at_once_and_the_other_must_let_go(node: Start, watch: Observer) -> None:
    running = node(PATIENT_FAN)
    await online(watch)
    async with Driving(watch, "fan", "me", priority=3):
        await reached_any(running, 23)
        taken = await told(watch, "fan", {"value": -50, "owner": "you", "priority": 4})
        assert {"outcome": "accepted", "holder": "you"}.items() <= taken.items()
        assert running.levels(24)[-1] == 0.5
        assert running.levels(23)[-1] == 0
        count = len(running.levels(23))
        await reached(running, 24, 0)
        await asyncio.sleep(0.3)
        assert len(running.levels(23)) == count
        assert results(watch, "fan", owner="me", code="let_go")
    lease = await watch.wait("pimqtt/car1/fan/lease", lambda s: s.json().get("owner") == "you")
    assert lease.json()["value"] == -50


async def test_the_configuration_caps_the_priority_of_owners(node: Start, watch: Observer) -> None:
    node(PATIENT_FAN, extra="owners:\n  guest: {max_priority: 2}\n")
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me", "priority": 3})
    refused_ = await told(watch, "fan", {"value": 50, "owner": "guest", "priority": 9})
    assert {"code": "held", "holder": "me"}.items() <= refused_.items()
    assert (await told(watch, "fan", {"value": 50, "owner": "you", "priority": 4}))["outcome"] == "accepted"


async def test_shared_control_lets_everybody_in(node: Start, watch: Observer) -> None:
    running = node(PATIENT_FAN.replace("}", ", control: shared}"))
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me", "priority": 9})
    assert (await told(watch, "fan", {"value": 50, "owner": "you"}))["holder"] == "you"
    assert (await told(watch, "fan", {"value": 60, "owner": "me"}))["holder"] == "me"
    assert running.levels(23) == [0, 0.4, 0.5, 0.6]


async def test_motion_is_armed_by_two_heartbeats_of_its_owner(node: Start, watch: Observer) -> None:
    running = node(FAN.replace("}", ", arming: {heartbeat_s: 0.5}}"))
    await online(watch)

    async def drive(owner: str = "me") -> str:
        result = await told(watch, "fan", {"value": 40, "owner": owner})
        return str(result["code"] or result["outcome"])

    assert await drive() == "not_armed"
    assert (await called(watch, action="heartbeat", owner="me"))["outcome"] == "accepted"
    assert await drive() == "not_armed"
    await called(watch, action="heartbeat", owner="me")
    assert await drive() == "accepted"
    await reached(running, 23, 0)
    assert await drive() == "not_armed"
    assert await drive("you") == "not_armed"
    assert (await told(watch, "fan", {"value": 0, "owner": "me"}))["outcome"] == "accepted"  # a stop needs no arming
    await called(watch, action="heartbeat", owner="me")
    assert await drive() == "accepted"
    assert (await called(watch, action="heartbeat"))["code"] == "invalid"
    assert running.levels(23) == [0, 0.4, 0, 0.4]
