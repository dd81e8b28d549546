"""Where outputs start and end."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.broker.steps import SLOW_S, Start, eventually, kill_all, on_for, online, reached, replaced, switch, told
from tests.rig import Mosquitto, Observer

pytestmark = pytest.mark.broker


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
