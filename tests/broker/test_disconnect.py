"""What a lost controller does."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.broker.steps import (
    LATE_S,
    SLOW_S,
    Start,
    called,
    on_for,
    online,
    reached,
    replaced,
    seconds,
    switch,
    told,
)
from tests.rig import Mosquitto, Observer

pytestmark = pytest.mark.broker


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
    if how == "killed":
        broker.stop(signal.SIGKILL)
    elif how == "frozen":
        broker.freeze()
    else:
        running.signal("agent", signal.SIGSTOP)
    lost_ns = time.monotonic_ns()
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
    running = node(switch("on_disconnect: {after: 8, value: off}"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    broker.freeze()
    await asyncio.sleep(0.5)
    broker.thaw()
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await asyncio.sleep(9)
    assert running.levels(27) == [0, 1]


@pytest.mark.parametrize("after_s", [0.9, 1.5, 2.5])
async def test_a_short_delay_is_no_false_alarm_while_the_broker_is_quiet(
    node: Start, watch: Observer, broker: Mosquitto, after_s: float
) -> None:
    running = node(switch(f"on_disconnect: {{after: {after_s}}}"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await asyncio.sleep(max(3, 2 * after_s))
    seen = running.levels(27)
    assert seen == [0, 1], "a false alarm, or a machine that was quiet for so long itself"
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
    running = node(switch("on_disconnect: {after: 2, value: off, controller: home_assistant}"))
    await watch.send("homeassistant/status", "online", retain=True)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await watch.send("homeassistant/status", "offline", retain=True)
    await asyncio.sleep(0.5)
    await watch.send("homeassistant/status", "online", retain=True)
    await asyncio.sleep(2.2)
    assert running.levels(27) == [0, 1]
    sent_ns = time.monotonic_ns()
    await watch.send("homeassistant/status", "offline", retain=True)
    off_ns = await reached(running, 27, 0)
    assert 2 <= seconds(sent_ns, off_ns) <= 2 + SLOW_S
    lost = await watch.result("lamp", outcome="reverted")
    assert {"cause": "disconnected", "id": None, "owner": None, "state": "OFF"}.items() <= lost.items()
    await watch.send("homeassistant/status", "online", retain=True)
    await asyncio.sleep(0.3)
    assert running.levels(27) == [0, 1, 0]


async def test_an_owner_is_the_controller_by_its_commands_and_heartbeats(node: Start, watch: Observer) -> None:
    running = node(switch("on_disconnect: {after: 3, value: off, controller: {owner: panel}}"))
    await online(watch)
    await told(watch, "lamp", {"value": "ON", "owner": "panel"})
    for _ in range(3):
        await asyncio.sleep(1.5)
        beat_ns = time.monotonic_ns()
        await called(watch, action="heartbeat", owner="panel")
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})  # no proof of the panel's life
    assert running.levels(27) == [0, 1]
    off_ns = await reached(running, 27, 0)
    assert (await watch.result("lamp", outcome="reverted"))["cause"] == "disconnected"
    assert 3 <= seconds(beat_ns, off_ns) <= 3 + SLOW_S
    # while it is lost another sets it; then the panel is back, and lost once more
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})
    await called(watch, action="heartbeat", owner="panel")
    await reached(running, 27, 0)
    assert 2.5 <= on_for(running, 27)[1] <= 3 + SLOW_S


async def test_the_commands_of_an_owner_to_one_output_prove_its_life_for_another(node: Start, watch: Observer) -> None:
    running = node(switch("on_disconnect: {after: 2, controller: {owner: panel}}"), switch("safe: off", "other", 22))
    await online(watch)
    await asyncio.sleep(2.5)  # lost
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})
    for _ in range(3):
        await told(watch, "other", {"value": "ON", "owner": "panel"})
        await asyncio.sleep(1)
    assert running.levels(27) == [0, 1]
    await reached(running, 27, 0)


async def test_the_delay_counts_on_through_the_death_of_the_keeper(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(switch("initial: on, on_disconnect: {after: 3, value: off}"))
    await online(watch)
    await asyncio.sleep(0.5)
    broker.freeze()
    frozen_ns = time.monotonic_ns()
    await asyncio.sleep(1.5)
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    off_ns = await reached(running, 27, 0, 4)
    broker.thaw()
    assert 3 - 1.2 <= seconds(frozen_ns, off_ns) <= 3 + SLOW_S  # the last proof was up to a second before
    assert running.levels(27) == [1, 1, 0]


async def test_what_was_set_while_the_controller_is_lost_outlives_the_keeper(node: Start, watch: Observer) -> None:
    running = node(switch("on_disconnect: {after: 0.5, value: off, controller: {owner: panel}}"))
    await online(watch)
    await asyncio.sleep(0.7)  # lost
    await told(watch, "lamp", {"value": "ON", "owner": "somebody"})
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    await asyncio.sleep(1)
    assert running.levels(27) == [0, 1, 1]
