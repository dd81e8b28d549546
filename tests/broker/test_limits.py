"""Where outputs start and end, what a lost controller does, and the limits that stand above every lease."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from typing import Any

import pytest

from tests.broker.steps import (
    LATE_S,
    Start,
    called,
    eventually,
    kill_all,
    online,
    reached,
    replaced,
    results,
    seconds,
    told,
)
from tests.rig import Mosquitto, Node, Observer

pytestmark = pytest.mark.broker

#: What a loaded machine may add to a change that is no dead-man (s).
SLOW_S = 0.4


def switch(options: str, name: str = "lamp", pin: int = 27) -> str:
    """Configure a switch."""
    return f"{{id: {name}, kind: switch, pin: {pin}, {options}}}"


def on_for(running: Node, pin: int) -> list[float]:
    """List how long a pin was on each time (s), without the last if it still is."""
    times, since = [], None
    for row in running.rows():
        if row["pin"] == pin:
            if row["value"] and since is None:
                since = row["t_ns"]
            elif not row["value"] and since is not None:
                times.append(seconds(since, row["t_ns"]))
                since = None
    return times


def off_for(running: Node, pin: int) -> list[float]:
    """List how long a pin was off each time before it went on again (s)."""
    times, since = [], None
    for row in running.rows():
        if row["pin"] == pin:
            if not row["value"] and since is None:
                since = row["t_ns"]
            elif row["value"] and since is not None:
                times.append(seconds(since, row["t_ns"]))
                since = None
    return times


# ---- the start and the end


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ("initial: off", [0, 1, 0, 0]),
        ("initial: on", [1, 0, 1]),  # the command changes nothing
        ("initial: last", [0, 1, 0, 1]),
        ("restore: last", [0, 1, 0, 1]),
        ("restore: off", [0, 1, 0, 0]),
        ("initial: last, on_stop: keep", [0, 1, 1]),
        ("on_stop: on", [0, 1, 0]),
        ("initial: last, active_low: true", [1, 0, 1, 0]),
    ],
)
async def test_a_restart_brings_back_what_the_configuration_says(
    node: Start, watch: Observer, options: str, levels: list[int]
) -> None:
    running = node(switch(options))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    assert running.stop() == 0
    since = len(watch.seen)
    running.start()
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10, since)
    assert running.levels(27) == levels


async def test_the_last_resting_value_survives_a_power_cut_and_another_right_after_the_start(
    node: Start, watch: Observer
) -> None:
    running = node(switch("initial: last"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "lamp", {"value": "OFF", "ttl": 30})  # a lease is forgotten
    state = running.folder / "state" / "pimqtt" / "car1" / "state.json"
    await eventually(lambda: state.exists() and '"lamp":true' in state.read_text(), what="the resting value on disk")
    for count in (1, 2):
        kill_all(running)
        since = len(watch.seen)
        running.start()
        await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10, since)
        assert running.levels(27) == [0, 1, 0] + [1] * count


async def test_a_lease_ends_with_the_run_and_on_stop_is_applied(node: Start, watch: Observer) -> None:
    running = node(
        switch("on_stop: keep", "keep", 2), switch("on_stop: on", "lit", 3), switch("initial: on", "dark", 4),
        switch("initial: on, on_stop: keep", "kept", 7),
    )  # fmt: skip
    await online(watch)
    await told(watch, "keep", {"value": "ON", "ttl": 30, "owner": "me"})
    await told(watch, "kept", {"value": "OFF", "ttl": 30, "owner": "me"})
    assert running.stop() == 0
    assert [running.levels(pin) for pin in (2, 3, 4, 7)] == [[0, 1, 0], [0, 1], [1, 0], [1, 0, 1]]
    for device in ("keep", "kept"):
        ended = await watch.result(device, cause="stopped")
        assert ended["owner"] == "me"


async def test_a_stop_waits_for_the_pins_and_not_for_the_broker(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(switch("on_stop: off"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    broker.freeze()
    started = time.monotonic()
    status = await asyncio.to_thread(running.stop)
    took_s = time.monotonic() - started
    broker.thaw()
    assert status == 0
    assert running.levels(27) == [0, 1, 0]
    off_s = running.rows()[-1]["t_ns"] / 1e9 - started
    assert off_s < 0.5
    assert took_s < 3


async def test_a_renewal_moves_the_deadline_and_off_with_a_ttl_does_not_come_back_as_on(
    node: Start, watch: Observer
) -> None:
    running = node(switch("ttl: {max: 60}"), switch("safe: off", "other", 22))
    await online(watch)
    await told(watch, "lamp", {"value": "ON", "ttl": 0.5})
    await asyncio.sleep(0.25)
    await told(watch, "lamp", {"value": "ON", "ttl": 0.6})
    await told(watch, "other", {"value": "OFF", "ttl": 0.3})
    await reached(running, 27, 0)
    assert 0.85 - 0.02 <= on_for(running, 27)[0] <= 0.85 + SLOW_S
    await told(watch, "lamp", {"value": "ON", "ttl": 30})
    await told(watch, "lamp", {"value": "ON"})  # a command to which no TTL applies ends the lease ...
    await told(watch, "lamp", {"value": "OFF", "ttl": 0.2, "owner": "me"})  # ... and is where the next one ends
    await watch.result("lamp", cause="expired", owner="me")
    assert running.levels(27) == [0, 1, 0, 1, 0, 1]
    assert running.levels(22) == [0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_where_a_released_line_falls_a_crash_of_the_keeper_ends_the_same(
    node: Start, watch: Observer, number: int
) -> None:
    fan = "{id: fan, kind: motor, forward: 23, backward: 24}"
    running = node(
        switch("initial: on"), switch("ttl: {default: 30}", "pump", 17), fan,
        switch("initial: on, active_low: true", "low", 22),
        hardware=", on_release: pull, pulls: {22: up}",
    )  # fmt: skip
    await online(watch)
    await told(watch, "pump", {"value": "ON", "owner": "me"})
    await told(watch, "fan", {"value": 50, "owner": "me"})
    await replaced(running, "keeper pins", running.signal("keeper pins", number))
    assert (await watch.result("pump", cause="keeper_lost"))["state"] == "OFF"
    assert (await watch.result("fan", cause="keeper_lost"))["state"] == 0
    assert [running.levels(pin) for pin in (27, 17, 23, 22)] == [[1, 0, 1], [0, 1, 0, 0], [0, 0.5, 0, 0], [0, 1, 0]]


# ---- the controller is lost


AFTER_S = 2.0
LOST = f"on_disconnect: {{after: {AFTER_S:g}, value: off}}"


@pytest.mark.parametrize("how", ["killed", "frozen", "agent frozen"])
async def test_the_loss_of_the_broker_ends_a_resting_value_after_its_delay(
    node: Start, watch: Observer, broker: Mosquitto, how: str
) -> None:
    running = node(switch(LOST), switch("initial: off", "free", 22))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "free", {"value": "ON"})
    lost_ns = time.monotonic_ns()
    if how == "killed":
        broker.stop(signal.SIGKILL)
    elif how == "frozen":
        broker.freeze()
    else:
        running.signal("agent", signal.SIGSTOP)
    off_ns = await reached(running, 27, 0, AFTER_S + 2)
    # the delay counts from the last proof of life, which is up to a second old
    assert AFTER_S - 1.2 <= seconds(lost_ns, off_ns) <= AFTER_S + LATE_S
    assert running.levels(22) == [0, 1]
    if how == "killed":
        broker.start()
    elif how == "frozen":
        broker.thaw()
    else:
        running.signal("agent", signal.SIGCONT)
    await asyncio.sleep(0.5)
    assert running.levels(27) == [0, 1, 0]  # being back restores nothing


async def test_a_broker_that_is_back_in_time_and_one_that_is_only_quiet_end_nothing(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(switch("on_disconnect: {after: 3.5, value: off}"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    broker.freeze()
    await asyncio.sleep(0.5)
    broker.thaw()
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await asyncio.sleep(4)
    assert running.levels(27) == [0, 1]


@pytest.mark.parametrize("after_s", [0.9, 1.5])
async def test_a_short_delay_is_no_false_alarm_while_the_broker_is_quiet(
    node: Start, watch: Observer, broker: Mosquitto, after_s: float
) -> None:
    running = node(switch(f"on_disconnect: {{after: {after_s}}}"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await asyncio.sleep(3)
    assert running.levels(27) == [0, 1]
    lost_ns = time.monotonic_ns()
    broker.freeze()
    off_ns = await reached(running, 27, 0)
    broker.thaw()
    assert after_s / 3 <= seconds(lost_ns, off_ns) <= after_s + LATE_S


async def test_a_running_lease_runs_on_to_its_deadline_and_ends_at_the_value_of_the_loss(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(
        switch("initial: on, on_disconnect: {after: 1.6, value: off}"),
        switch("on_disconnect: {after: 1.6, value: on}, ttl: {default: 2.5}", "pump", 17),
    )
    await online(watch)
    await told(watch, "lamp", {"value": "ON", "ttl": 2.5, "owner": "me"})
    await told(watch, "pump", {"value": "ON", "owner": "me"})
    sent_ns = time.monotonic_ns()
    broker.freeze()
    off_ns = await reached(running, 27, 0, 4)
    assert 2.5 - 0.2 <= seconds(sent_ns, off_ns) <= 2.5 + LATE_S
    broker.thaw()
    assert (await watch.result("lamp", cause="expired"))["state"] == "OFF"
    assert running.levels(27) == [1, 0]
    assert running.levels(17) == [0, 1]  # it went on resting where the loss left it
    expired = await watch.result("pump", cause="expired")
    assert expired["state"] == "ON"


async def test_home_assistant_offline_counts_as_lost_where_it_is_the_controller(node: Start, watch: Observer) -> None:
    running = node(switch("on_disconnect: {after: 1, value: off, controller: home_assistant}"))
    await watch.send("homeassistant/status", "online", retain=True)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await watch.send("homeassistant/status", "offline", retain=True)
    await asyncio.sleep(0.5)
    await watch.send("homeassistant/status", "online", retain=True)
    await asyncio.sleep(1.2)
    assert running.levels(27) == [0, 1]
    sent_ns = time.monotonic_ns()
    await watch.send("homeassistant/status", "offline", retain=True)
    off_ns = await reached(running, 27, 0)
    assert 0.9 <= seconds(sent_ns, off_ns) <= 1 + SLOW_S
    lost = await watch.result("lamp", outcome="reverted")
    assert {"cause": "disconnected", "id": None, "owner": None, "state": "OFF"}.items() <= lost.items()
    await watch.send("homeassistant/status", "online", retain=True)
    await asyncio.sleep(0.3)
    assert running.levels(27) == [0, 1, 0]


async def test_an_owner_is_the_controller_by_its_commands_and_heartbeats(node: Start, watch: Observer) -> None:
    running = node(switch("on_disconnect: {after: 0.6, value: off, controller: {owner: panel}}"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON", "owner": "panel"})
    for _ in range(4):
        await asyncio.sleep(0.3)
        await called(watch, action="heartbeat", owner="panel")
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})  # no proof of the panel's life
    assert running.levels(27) == [0, 1]
    await reached(running, 27, 0)
    assert (await watch.result("lamp", outcome="reverted"))["cause"] == "disconnected"
    assert 1.2 + 0.6 - 0.1 <= on_for(running, 27)[0] <= 1.2 + 0.6 + SLOW_S
    # while it is lost another sets it; then the panel is back, and lost once more
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})
    await called(watch, action="heartbeat", owner="panel")
    await reached(running, 27, 0)
    assert 0.5 <= on_for(running, 27)[1] <= 0.6 + SLOW_S


async def test_the_commands_of_an_owner_to_one_output_prove_its_life_for_another(node: Start, watch: Observer) -> None:
    running = node(switch("on_disconnect: {after: 0.6, controller: {owner: panel}}"), switch("safe: off", "other", 22))
    await online(watch)
    await asyncio.sleep(0.8)  # lost
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})
    for _ in range(3):
        await told(watch, "other", {"value": "ON", "owner": "panel"})
        await asyncio.sleep(0.3)
    assert running.levels(27) == [0, 1]
    await reached(running, 27, 0, 1)


# ---- max_on


async def test_max_on_counts_from_switching_on_and_no_renewal_extends_it(node: Start, watch: Observer) -> None:
    running = node(switch("max_on: 0.8"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    for _ in range(3):
        await told(watch, "lamp", {"value": "ON", "ttl": 5, "owner": "me"})
        await asyncio.sleep(0.2)
    ended = await watch.result("lamp", outcome="reverted", cause="max_on")
    assert {"owner": "me", "state": "OFF"}.items() <= ended.items()
    await told(watch, "lamp", {"value": "ON"})  # it counts anew, also without a lease
    await reached(running, 27, 0)
    assert running.levels(27) == [0, 1, 0, 1, 0]
    assert all(0.8 <= on_s + 0.02 <= 0.8 + LATE_S + 0.02 for on_s in on_for(running, 27))
    await eventually(lambda: len(results(watch, "lamp", cause="max_on")) == 2, what="told")


async def test_max_on_counts_on_through_crashes(node: Start, watch: Observer) -> None:
    running = node(switch("max_on: 1.5"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    await reached(running, 27, 0)
    first_on = next(row["t_ns"] for row in running.rows() if row["pin"] == 27 and row["value"])
    assert seconds(first_on, running.rows()[-1]["t_ns"]) <= 1.5 + LATE_S
    assert running.levels(27) == [0, 1, 1, 0]


# ---- min_off


async def test_min_off_rejects_on_and_says_when_to_come_back_also_at_the_start(node: Start, watch: Observer) -> None:
    running = node(switch("min_off: 1"))
    started = time.monotonic()
    await online(watch)
    refused = await told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "min_off"
    assert 0 < refused["retry_after_s"] <= 1
    await asyncio.sleep(refused["retry_after_s"] + 0.02)
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert time.monotonic() - started < 6
    await told(watch, "lamp", {"value": "OFF"})
    refused = await told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "min_off"
    await asyncio.sleep(refused["retry_after_s"] + 0.02)
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"  # it is on already
    assert all(off_s >= 1 for off_s in off_for(running, 27))


async def test_a_revert_or_start_that_min_off_forbids_waits_at_the_safe_value(node: Start, watch: Observer) -> None:
    running = node(switch("min_off: 1, initial: on"))
    await online(watch)
    await reached(running, 27, 1)
    await told(watch, "lamp", {"value": "OFF", "ttl": 0.2, "owner": "me"})
    assert (await watch.result("lamp", cause="expired"))["state"] == "OFF"
    await reached(running, 27, 1)
    assert running.levels(27) == [0, 1, 0, 1]
    assert all(1 <= off_s <= 1 + SLOW_S for off_s in off_for(running, 27))
    await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "ON", since=len(watch.seen) - 3)


async def test_min_off_counts_on_through_a_crash_of_the_keeper(node: Start, watch: Observer) -> None:
    running = node(switch("min_off: 1.5"))
    await online(watch)
    await asyncio.sleep(1.5)
    await told(watch, "lamp", {"value": "ON"})
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    # it was on: the line may have fallen, so it starts off, stays so, and goes on again
    await reached(running, 27, 1)
    assert running.levels(27) == [0, 1, 0, 1]
    assert off_for(running, 27)[1] >= 1.5
    await told(watch, "lamp", {"value": "OFF"})
    off_s = time.monotonic()
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    refused = await eventually_told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "min_off"
    assert refused["retry_after_s"] <= 1.5 - (time.monotonic() - off_s) + 0.3


async def eventually_told(watch: Observer, device: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Send a command until a keeper is there for it."""
    for _ in range(50):
        result = await told(watch, device, payload)
        if result["code"] != "unavailable":
            return result
        await asyncio.sleep(0.05)
    raise AssertionError("no keeper")


# ---- interlocks


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
