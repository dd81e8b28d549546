"""Members of an interlock are never on together, and the dead time is kept."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from typing import Any

import pytest

from tests.broker.steps import (
    Start,
    eventually,
    eventually_told,
    kill_all,
    online,
    reached,
    replaced,
    seconds,
    switch,
    told,
)
from tests.rig import Node, Observer

pytestmark = pytest.mark.broker


DEAD_S = 0.4
GROUP = "interlock: {group: g, dead_time: 0.4}"
UP, DOWN = switch(GROUP, "up", 2), switch(GROUP, "down", 3)


def assert_never_both(running: Node, pins: tuple[int, ...], dead_s: float = DEAD_S) -> None:
    """Check the trace: never two on, and between two of them lies the dead time."""
    levels = dict.fromkeys(pins, 0)
    off_ns: dict[int, int] = {}
    for row in running.rows():
        pin = row["pin"]
        if pin not in levels:
            continue
        if row["value"]:
            assert not any(on for other, on in levels.items() if other != pin), f"two are on: {row}"
            since_s = [seconds(at_ns, row["t_ns"]) for other, at_ns in off_ns.items() if other != pin]
            if not levels[pin]:
                assert all(gap_s >= dead_s - 0.001 for gap_s in since_s), f"the dead time is not kept: {row} {since_s}"
        elif levels[pin]:
            off_ns[pin] = row["t_ns"]
        levels[pin] = row["value"]


async def test_on_turns_the_other_member_off_waits_the_dead_time_and_is_then_accepted(
    node: Start, watch: Observer
) -> None:
    running = node(UP, DOWN)
    await online(watch)
    await asyncio.sleep(DEAD_S)  # a start counts as just switched off
    await told(watch, "up", {"value": "ON"})
    since, sent_s = len(watch.seen), time.monotonic()
    accepted = await told(watch, "down", {"value": "ON", "owner": "me"})
    assert {"outcome": "accepted", "state": "ON"}.items() <= accepted.items()
    assert time.monotonic() - sent_s >= DEAD_S
    await watch.wait("pimqtt/car1/up/state", lambda s: s.text == "OFF", since=since)
    assert (running.levels(2), running.levels(3)) == ([0, 1, 0], [0, 1])
    assert_never_both(running, (2, 3))


async def test_a_member_that_is_held_is_not_turned_off_and_its_holder_is_named(node: Start, watch: Observer) -> None:
    running = node(UP, DOWN)
    await online(watch)
    await eventually_on(watch, "up", ttl=30, owner="me", priority=5)
    refused = await told(watch, "down", {"value": "ON", "owner": "you"})
    assert {"code": "interlock", "holder": "me"}.items() <= refused.items()
    assert "up" in refused["reason"]
    assert running.levels(2) == [0, 1]
    accepted = await told(watch, "down", {"value": "ON", "owner": "you", "priority": 6})
    assert accepted["outcome"] == "accepted"
    ended = await watch.result("up", outcome="reverted")
    assert {"owner": "me", "cause": "stopped"}.items() <= ended.items()
    assert_never_both(running, (2, 3))


async def eventually_on(watch: Observer, device: str, **fields: Any) -> None:
    """Switch a member on once the start's dead time is over."""
    accepted = await told(watch, device, {"value": "ON", **fields})
    assert accepted["outcome"] == "accepted"


async def test_of_two_that_wait_for_the_dead_time_the_newest_goes_on_and_the_other_is_rejected(
    node: Start, watch: Observer
) -> None:
    running = node(UP, DOWN, switch(GROUP, "left", 4))
    await online(watch)
    await eventually_on(watch, "up")
    for device, command_id in (("down", "1"), ("left", "2")):
        await watch.send(f"pimqtt/car1/{device}/set", {"value": "ON", "id": command_id})
    refused = await watch.result("down", "1")
    assert {"outcome": "rejected", "code": "interlock"}.items() <= refused.items()
    assert (await watch.result("left", "2"))["outcome"] == "accepted"
    await watch.send("pimqtt/car1/up/set", {"value": "ON", "id": "3"})
    await watch.send("pimqtt/car1/up/set", "OFF")
    assert (await watch.result("up", "3"))["code"] == "interlock"
    assert [running.levels(pin)[-1] for pin in (2, 3, 4)] == [0, 0, 0]
    assert_never_both(running, (2, 3, 4))


async def test_interlock_and_dead_time_are_kept_through_crashes_and_restarts(node: Start, watch: Observer) -> None:
    members = (switch(f"{GROUP}, initial: last, on_stop: keep", name, pin) for name, pin in (("up", 2), ("down", 3)))
    running = node(*members)
    await online(watch)
    await eventually_on(watch, "up")
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    await reached(running, 2, 1)  # a crash is no reason to stay off
    await eventually_told(watch, "down", {"value": "ON"})
    state = running.folder / "state" / "pimqtt" / "car1" / "state.json"
    await eventually(lambda: state.exists() and '"down":true' in state.read_text(), what="the resting value on disk")
    kill_all(running)
    running.start()
    await reached(running, 3, 1, 8)
    assert_never_both(running, (2, 3))


async def test_what_waits_for_a_dead_time_when_the_keeper_dies_is_rejected_and_does_not_go_on_later(
    node: Start, watch: Observer
) -> None:
    running = node(UP, DOWN)
    await online(watch)
    await eventually_on(watch, "up")
    await watch.send("pimqtt/car1/down/set", {"value": "ON", "id": "waits"})
    await reached(running, 2, 0)
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    assert (await watch.result("down", "waits"))["code"] == "unavailable"
    await asyncio.sleep(DEAD_S + 0.3)
    assert (running.levels(2)[-1], running.levels(3)[-1]) == (0, 0)


async def test_a_member_that_rests_on_goes_on_when_the_other_has_gone_off(node: Start, watch: Observer) -> None:
    rests_on = f"{GROUP}, on_disconnect: {{after: 0.3, value: on, controller: {{owner: panel}}}}"
    running = node(UP, switch(rests_on, "down", 3))
    await online(watch)
    await reached(running, 3, 1)
    await told(watch, "up", {"value": "ON", "ttl": 1.5, "owner": "panel"})  # turns the other off for good ...
    assert (running.levels(2), running.levels(3)) == ([0, 1], [0, 1, 0])
    await asyncio.sleep(0.5)  # ... until its controller is lost once more
    assert running.levels(3) == [0, 1, 0]
    await watch.result("up", cause="expired")
    await reached(running, 3, 1)
    assert_never_both(running, (2, 3))


async def test_no_storm_of_commands_puts_two_members_on_together(node: Start, watch: Observer) -> None:
    group = "interlock: {group: g, dead_time: 0.05}, ttl: {max: 60}"
    running = node(*(switch(group, f"m{pin}", pin) for pin in (2, 3, 4)))
    await online(watch)
    chance = random.Random(7)
    for number in range(300):
        command: dict[str, Any] = {"value": chance.choice(["ON", "ON", "OFF"]), "id": f"s{number}"}
        if chance.random() < 0.5:
            command |= {
                "ttl": chance.choice([0.05, 0.1, 0.3]),
                "owner": chance.choice("ab"),
                "priority": chance.randrange(3),
            }
        await watch.send(f"pimqtt/car1/m{chance.choice((2, 3, 4))}/set", command)
        await asyncio.sleep(chance.choice((0, 0, 0.01, 0.03)))
        if number in (100, 200):
            running.signal("keeper pins", signal.SIGKILL)
    told_: set[str] = set()

    def answered() -> bool:
        told_.update(
            s.json()["id"] for s in watch.seen if s.topic.endswith("/result") and s.json()["outcome"] != "reverted"
        )
        return told_ >= {f"s{number}" for number in range(300)}

    await eventually(answered, 5, "every command is answered")
    assert_never_both(running, (2, 3, 4), 0.05)
    assert sum(running.levels(2)) > 3
