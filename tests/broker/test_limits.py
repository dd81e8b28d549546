"""The limits that stand above every lease: `max_on` and `min_off`."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.broker.steps import (
    LATE_S,
    SLOW_S,
    Start,
    eventually,
    eventually_told,
    off_for,
    on_for,
    online,
    reached,
    replaced,
    results,
    seconds,
    switch,
    told,
)
from tests.rig import Observer

pytestmark = pytest.mark.broker


# ---- max_on


async def test_max_on_counts_from_switching_on_and_no_renewal_extends_it(node: Start, watch: Observer) -> None:
    running = node(switch("max_on: 3"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    for _ in range(3):
        await told(watch, "lamp", {"value": "ON", "ttl": 5, "owner": "me"})
        await asyncio.sleep(0.7)
    ended = await watch.result("lamp", outcome="reverted", cause="max_on")
    assert {"owner": "me", "state": "OFF"}.items() <= ended.items()
    await told(watch, "lamp", {"value": "ON"})  # it counts anew, also without a lease
    await reached(running, 27, 0)
    assert running.levels(27) == [0, 1, 0, 1, 0]
    assert all(3 <= on_s + 0.02 <= 3 + LATE_S + 0.02 for on_s in on_for(running, 27))
    await eventually(lambda: len(results(watch, "lamp", cause="max_on")) == 2, what="told")


async def test_max_on_counts_on_through_crashes(node: Start, watch: Observer) -> None:
    running = node(switch("max_on: 6"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    await reached(running, 27, 0)
    first_on = next(row["t_ns"] for row in running.rows() if row["pin"] == 27 and row["value"])
    assert seconds(first_on, running.rows()[-1]["t_ns"]) <= 6 + LATE_S
    assert running.levels(27) == [0, 1, 1, 0]


# ---- min_off


async def test_min_off_rejects_on_and_says_when_to_come_back_also_at_the_start(node: Start, watch: Observer) -> None:
    running = node(switch("min_off: 5"))
    await online(watch)
    refused = await told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "min_off"
    assert 0 < refused["retry_after_s"] <= 5
    await asyncio.sleep(refused["retry_after_s"] + 0.02)
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    await told(watch, "lamp", {"value": "OFF"})
    refused = await told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "min_off"
    await asyncio.sleep(refused["retry_after_s"] + 0.02)
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"  # it is on already
    assert all(off_s >= 5 for off_s in off_for(running, 27))


async def test_a_revert_or_start_that_min_off_forbids_waits_at_the_safe_value(node: Start, watch: Observer) -> None:
    running = node(switch("min_off: 1, initial: on"))
    await online(watch)
    await reached(running, 27, 1)
    since = len(watch.seen)
    await told(watch, "lamp", {"value": "OFF", "ttl": 0.2, "owner": "me"})
    assert (await watch.result("lamp", cause="expired"))["state"] == "OFF"
    await eventually(lambda: running.levels(27) == [0, 1, 0, 1])
    assert all(1 - 0.02 <= off_s <= 1 + SLOW_S for off_s in off_for(running, 27))
    await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "ON", since=since)


async def test_min_off_counts_on_through_a_crash_of_the_keeper(node: Start, watch: Observer) -> None:
    running = node(switch("min_off: 6"))
    await online(watch)
    await asyncio.sleep(6)
    await told(watch, "lamp", {"value": "ON"})
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    # it was on: the line may have fallen, so it starts off, stays so, and goes on again
    await eventually(lambda: running.levels(27) == [0, 1, 0, 1])
    assert off_for(running, 27)[1] >= 6
    await told(watch, "lamp", {"value": "OFF"})
    off_s = time.monotonic()
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    asked_s = time.monotonic()
    refused = await eventually_told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "min_off"
    assert refused["retry_after_s"] <= 6 - (asked_s - off_s)
