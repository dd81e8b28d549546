"""What is too old to move anything: tokens, `at`, `expiry`, a stalled agent, a keeper that hangs."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest

from tests.broker.steps import (
    CAR,
    DEADMAN_S,
    FAN,
    LAMP,
    PUMP,
    WHEELS,
    Start,
    called,
    online,
    reached,
    replaced,
    results,
    stop_accepted,
    token,
    told,
    told_once,
)
from tests.rig import Observer

pytestmark = pytest.mark.broker


async def test_a_token_decides_alone_and_is_required_where_the_configuration_says_so(
    node: Start, watch: Observer
) -> None:
    running = node(FAN.replace("}", ", token: required}"), CAR)
    await online(watch)

    async def drive(**fields: Any) -> str:
        result = await told(watch, "fan", {"value": 40, "owner": "me", **fields})
        return str(result["code"] or result["outcome"])

    assert await drive() == "token"
    answer = await called(watch, action="token", device="fan")
    assert answer["result"]["max_age_s"] == DEADMAN_S
    fresh = answer["result"]["token"]
    assert await drive(token=fresh) == "accepted"
    assert await drive(token=fresh, at=time.time() - 100) == "accepted"  # the token alone decides
    assert await drive(token="made up") == "token"
    assert await drive(token=fresh[:-1] + ("0" if fresh[-1] != "0" else "1")) == "token"
    accepted = await told(watch, "fan", {"value": 40, "owner": "me", "token": await token(watch, "fan")})
    assert accepted["token"] != fresh
    assert await drive(token=accepted["token"]) == "accepted"
    await asyncio.sleep(DEADMAN_S + 0.1)
    stale = await told(watch, "fan", {"value": 40, "owner": "me", "token": fresh})
    assert stale["code"] == "stale"
    assert (await told(watch, "fan", {"value": 0}))["outcome"] == "accepted"  # a stop needs none
    assert (await called(watch, action="token", device="nobody"))["code"] == "unknown"
    await reached(running, 23, 0)


async def test_a_token_of_another_keeper_is_refused(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    old = await token(watch, "fan")
    pid = running.signal("keeper pins", signal.SIGKILL)
    await replaced(running, "keeper pins", pid)
    await stop_accepted(watch, "fan")
    assert (await told(watch, "fan", {"value": 40, "token": old}))["code"] in ("token", "stale")
    assert (await told(watch, "fan", {"value": 40, "token": await token(watch, "fan")}))["outcome"] == "accepted"


@pytest.mark.parametrize("clock", ["sync", "unsync"])
async def test_at_proves_a_command_stale_where_the_clock_is_synchronised(
    node: Start, watch: Observer, clock: str
) -> None:
    running = node(FAN, PUMP, env={"PIMQTT_CLOCK": clock})
    await online(watch)
    late = {"value": 40, "owner": "me", "at": time.time() - 2}
    result = await told(watch, "fan", late)
    assert (result["code"] or result["outcome"]) == ("stale" if clock == "sync" else "accepted")
    assert (await told(watch, "fan", {"value": 0, "at": time.time() - 100}))["outcome"] == "accepted"
    ahead = {"value": 40, "owner": "you", "at": time.time() + 100}  # a clock ahead proves nothing
    assert (await told(watch, "fan", ahead))["outcome"] == "accepted"
    long = {"value": "ON", "ttl": 30, "at": time.time() - 10}
    assert (await told(watch, "pump", long))["ttl"] == 30  # younger than its TTL: the full TTL from receipt
    result = await told(watch, "pump", {"value": "ON", "ttl": 30, "at": time.time() - 31})
    assert (result["code"] or result["outcome"]) == ("stale" if clock == "sync" else "accepted")
    assert running.levels(17)[-1] == 1


async def test_at_and_expiry_prove_a_resting_value_stale(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    old = time.time() - 20
    assert (await told(watch, "lamp", {"value": "ON", "at": old, "expiry": 10}))["code"] == "stale"
    assert running.levels(27) == [0]
    assert (await told(watch, "lamp", {"value": "ON", "at": old, "expiry": 30}))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "OFF", "at": old, "expiry": 10}))["outcome"] == "accepted"  # a stop
    assert (await told(watch, "lamp", {"value": "ON", "at": old}))["outcome"] == "accepted"  # nothing to be older than


async def test_a_press_that_is_stale_is_not_done(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    agent = running.pid("agent")
    for old in ({"at": time.time() - 20, "expiry": 10}, {"at": 1, "expiry": 1}):
        answer = await told_once(watch, "system/restart", {"value": "PRESS", "id": f"r{old['at']}", **old})
        assert (answer["outcome"], answer["code"]) == ("rejected", "stale")
        assert answer["reason"].startswith("at ")
    await asyncio.sleep(0.5)
    assert running.pid("agent") == agent
    await told_once(watch, "system/restart", {"value": "PRESS", "id": "now", "at": time.time(), "expiry": 10})
    await replaced(running, "agent", agent)


async def test_commands_that_waited_in_a_stalled_agent_move_nothing_and_a_stop_among_them_works(
    node: Start, watch: Observer
) -> None:
    running = node(CAR, FAN, LAMP)
    await online(watch)
    await watch.send("pimqtt/car1/fan/set", {"value": 50, "owner": "me", "id": "before"})
    await watch.result("fan", "before", outcome="accepted")
    running.signal("agent", signal.SIGSTOP)
    for number in range(20):
        await watch.send("pimqtt/car1/car/set", {"value": {"x": 0, "y": 0.5}, "owner": "me", "id": f"car{number}"})
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "lamp"})
    await watch.send("pimqtt/car1/fan/set", {"value": "stop", "id": "stop"})
    await asyncio.sleep(1)
    running.signal("agent", signal.SIGCONT)
    await watch.result("fan", "stop", outcome="accepted")
    assert (await watch.result("car", "car19"))["code"] == "stale"
    assert len(results(watch, "car", code="stale")) == 20
    assert [running.levels(pin) for pin in WHEELS] == [[0]] * 4
    await watch.result("lamp", "lamp", outcome="accepted")  # a level may wait
    fresh = await told_once(watch, "car", {"value": {"x": 0, "y": 0.5}, "owner": "me", "id": "fresh"})
    assert fresh["outcome"] == "accepted", "the first after the stall"


async def test_a_command_that_its_keeper_does_not_take_in_time_is_rejected_and_not_done_later(
    node: Start, watch: Observer
) -> None:
    running = node(FAN, LAMP)
    await online(watch)
    running.signal("keeper pins", signal.SIGSTOP)
    sent_s = time.monotonic()
    for device, value in (("lamp", "ON"), ("fan", 50)):
        await watch.send(f"pimqtt/car1/{device}/set", {"value": value, "id": "late", "ttl": 0.4})
    late = await watch.wait("pimqtt/car1/lamp/result")
    running.signal("keeper pins", signal.SIGCONT)
    assert (late.json()["outcome"], late.json()["code"]) == ("rejected", "unavailable")
    assert 0.25 < late.at_s - sent_s < 0.6
    await asyncio.sleep(0.3)
    assert (running.levels(27)[-1], running.levels(23)[-1]) == (0, 0)
    assert 1 not in running.levels(27)
    assert 0.5 not in running.levels(23)
