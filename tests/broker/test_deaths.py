"""Each process dies or freezes: what the pins see, and what is told."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.broker.steps import (
    LAMP,
    PUMP,
    Start,
    eventually,
    eventually_told,
    online,
    ran,
    reached,
    replaced,
    results,
    seconds,
    told,
)
from tests.rig import Node, Observer

pytestmark = pytest.mark.broker

HEATER = "{id: heater, kind: switch, pin: 27, initial: on}"
EYE = "{id: eye, kind: camera, source: synthetic}"


# ---- the agent


async def test_levels_and_leases_survive_a_crash_of_the_agent(node: Start, watch: Observer) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    sent_ns = time.monotonic_ns()
    await told(watch, "pump", {"value": "ON", "ttl": 8, "id": "a", "owner": "me"})
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since)
    lease = await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}", since=since)
    assert lease.json()["owner"] == "me"
    assert (await watch.result("pump", outcome="reverted"))["id"] == "a"
    on, off = [row["t_ns"] for row in running.rows() if row["pin"] == 17][1:]
    ran(8, sent_ns, on, off)
    assert running.levels(27) == [0, 1]


@pytest.mark.timeout(90)
async def test_an_agent_that_was_silent_for_20_s_is_replaced_and_the_pins_do_not_notice(
    node: Start, watch: Observer
) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 50, "owner": "me"})
    keeper, since, frozen_s = running.pid("keeper pins"), len(watch.seen), time.monotonic()
    old = running.signal("agent", signal.SIGSTOP)
    await eventually(lambda: running.pid("agent") not in (0, old), 25, "another agent")
    assert 14 <= time.monotonic() - frozen_s <= 21  # it had beaten up to 5 s before
    assert not title(old), "it was killed and reaped"
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10, since)
    lease = await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}", 10, since)
    assert lease.json()["owner"] == "me"
    assert running.pid("keeper pins") == keeper
    assert (running.levels(17), running.levels(27)) == ([0, 1], [0, 1])
    assert (await told(watch, "pump", {"value": "OFF"}))["outcome"] == "accepted"


async def test_a_short_linger_does_not_end_the_pins_of_a_living_agent(node: Start, watch: Observer) -> None:
    running = node(PUMP, extra="linger_s: 1\n")
    await online(watch)
    keeper = running.pid("keeper pins")
    await asyncio.sleep(2.5)
    assert running.pid("keeper pins") == keeper


async def test_the_pins_end_once_without_an_agent_and_come_back_with_it(node: Start, watch: Observer) -> None:
    running = node(LAMP, PUMP, extra="linger_s: 1\n")
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    agent = running.signal("agent", signal.SIGSTOP)
    await reached(running, 27, 0)  # on_stop
    await asyncio.sleep(3)
    assert running.levels(27) == [0, 1, 0], "nobody may bring the pins back but an agent"
    assert not running.pid("keeper pins")
    os.kill(agent, signal.SIGCONT)
    await reached(running, 27, 1)
    assert (await eventually_told(watch, "lamp", {"value": "OFF"}))["outcome"] == "accepted"
    assert running.pid("agent") == agent
    assert running.levels(27) == [0, 1, 0, 1, 0]


# ---- the pins' keeper


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_outputs_are_safe_within_a_second_when_the_pin_keeper_dies_or_freezes(
    node: Start, watch: Observer, number: int
) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "id": "a", "owner": "me"})
    since, killed_ns = len(watch.seen), time.monotonic_ns()
    running.signal("keeper pins", number)
    assert seconds(killed_ns, await reached(running, 17, 0)) < 1
    lost = await watch.result("pump", outcome="reverted")
    assert {"id": "a", "owner": "me", "cause": "keeper_lost"}.items() <= lost.items()
    await watch.wait("pimqtt/car1/pump/state", lambda s: s.text == "OFF", since=since)
    assert (await told(watch, "pump", {"value": "ON", "ttl": 1}))["outcome"] == "accepted"


async def test_a_keeper_that_dies_while_its_agent_hangs_is_replaced_all_the_same(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "id": "a", "owner": "me"})
    agent, keeper, since = running.signal("agent", signal.SIGSTOP), running.pid("keeper pins"), len(watch.seen)
    killed_ns = time.monotonic_ns()
    running.signal("keeper pins", signal.SIGKILL)
    assert seconds(killed_ns, await reached(running, 17, 0)) < 1
    await replaced(running, "keeper pins", keeper)
    assert not results(watch, "pump", outcome="reverted"), "nobody was there to tell it"
    os.kill(agent, signal.SIGCONT)
    lost = await watch.result("pump", outcome="reverted")
    assert {"id": "a", "owner": "me", "cause": "keeper_lost"}.items() <= lost.items()
    await watch.wait("pimqtt/car1/pump/state", lambda s: s.text == "OFF", since=since)
    assert running.pid("agent") == agent


async def test_the_fifth_death_of_the_keeper_is_as_short_as_the_first(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    for _ in range(5):
        assert (await told(watch, "pump", {"value": "ON", "ttl": 30}))["outcome"] == "accepted"
        since, killed_ns = len(watch.seen), time.monotonic_ns()
        await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
        assert seconds(killed_ns, await reached(running, 17, 0)) < 1
        await watch.wait("pimqtt/car1/pump/state", lambda s: s.text == "OFF", since=since)


async def test_a_resting_value_survives_the_keeper_and_nothing_twitches(node: Start, watch: Observer) -> None:
    running = node(LAMP, PUMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await replaced(running, "keeper pins", running.signal("keeper pins", signal.SIGKILL))
    await eventually(lambda: len(running.levels(27)) == 3, what="the claim of the new keeper")
    assert running.levels(27) == [0, 1, 1]


async def test_a_stop_that_meets_a_keeper_that_hangs_is_rejected_told_and_never_kept_for_later(
    node: Start, watch: Observer
) -> None:
    running = node(HEATER)
    await online(watch)
    await told(watch, "heater", {"value": "ON"})
    since, sent_s = len(watch.seen), time.monotonic()
    keeper = running.signal("keeper pins", signal.SIGSTOP)
    await watch.send("pimqtt/car1/heater/set", "OFF")
    refused = await watch.wait("pimqtt/car1/heater/result", since=since)
    assert (refused.json()["outcome"], refused.json()["code"]) == ("rejected", "unavailable")
    assert 0.25 <= refused.at_s - sent_s <= 0.6
    await watch.wait("pimqtt/car1/heater/state", lambda s: s.text == "ON", since=since)
    await replaced(running, "keeper pins", keeper)
    await eventually(lambda: len(running.levels(27)) == 2, what="the claim of the new keeper")
    await asyncio.sleep(0.5)
    assert running.levels(27) == [1, 1]
    assert (await told(watch, "heater", {"value": "OFF"}))["outcome"] == "accepted"
    assert running.levels(27) == [1, 1, 0]


async def test_every_command_around_the_death_of_a_keeper_is_answered_once(node: Start, watch: Observer) -> None:
    running = node(HEATER)
    await online(watch)
    for turn in range(240):
        await watch.send("pimqtt/car1/heater/set", {"value": "OFF" if turn % 2 else "ON", "id": str(turn)})
        if turn % 120 == 20:
            running.signal("keeper pins", signal.SIGSTOP if turn > 120 else signal.SIGKILL)
        await asyncio.sleep(0.01)

    def answers() -> list[int]:
        return sorted(int(result["id"]) for result in results(watch, "heater") if result["outcome"] != "reverted")

    await eventually(lambda: len(answers()) >= 240, what="an answer to each")
    assert answers() == list(range(240))
    refused = results(watch, "heater", outcome="rejected")
    assert {result["code"] for result in refused} == {"unavailable"}


async def test_a_stop_that_was_rejected_and_done_all_the_same_shows_in_the_state(node: Start, watch: Observer) -> None:
    running = node(HEATER)
    await online(watch)
    assert running.process
    keeper = running.signal("keeper pins", signal.SIGSTOP)
    os.kill(running.process.pid, signal.SIGSTOP)  # it would replace the keeper
    await watch.send("pimqtt/car1/heater/set", "OFF")
    refused = await watch.wait("pimqtt/car1/heater/result")
    assert refused.json()["code"] == "unavailable"
    since = len(watch.seen)
    os.kill(keeper, signal.SIGCONT)
    await reached(running, 27, 0)
    await watch.wait("pimqtt/car1/heater/state", lambda s: s.text == "OFF", since=since)
    os.kill(running.process.pid, signal.SIGCONT)  # only now: it counts a keeper's silence
    await asyncio.sleep(0.5)
    assert running.pid("keeper pins") == keeper


# ---- the supervisor


async def test_the_death_of_the_supervisor_leaves_nothing_behind(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    children = running.descendants()
    killed_ns = time.monotonic_ns()
    kill_supervisor(running)
    assert seconds(killed_ns, await reached(running, 17, 0)) < 0.5
    await eventually(lambda: not any(map(title, children)), what="children end")
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "offline")


async def test_while_the_supervisor_is_frozen_its_children_go_on(node: Start, watch: Observer) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    assert running.process
    children = [running.pid("agent"), running.pid("keeper pins")]
    os.kill(running.process.pid, signal.SIGSTOP)
    await told(watch, "lamp", {"value": "ON"})
    sent_ns = time.monotonic_ns()
    await told(watch, "pump", {"value": "ON", "ttl": 2})
    await watch.result("pump", cause="expired")
    on, off = [row["t_ns"] for row in running.rows() if row["pin"] == 17][1:]
    ran(2, sent_ns, on, off)
    os.kill(running.process.pid, signal.SIGCONT)
    await asyncio.sleep(0.5)
    assert [running.pid("agent"), running.pid("keeper pins")] == children, "late beats are no silence"
    assert running.levels(27) == [0, 1]


@pytest.mark.timeout(60)
async def test_a_camera_keeper_that_froze_is_replaced_when_somebody_asks_for_a_picture(
    node: Start, watch: Observer
) -> None:
    running = node(PUMP, EYE)
    await online(watch)
    await watch.wait("pimqtt/car1/eye/image", timeout_s=15)
    camera, pins = running.signal("keeper camera eye", signal.SIGSTOP), running.pid("keeper pins")
    asked_s = time.monotonic()
    await watch.send("pimqtt/car1/eye/snapshot/set", {"value": "PRESS", "id": "p"})
    assert (await watch.result("eye/snapshot", "p"))["code"] == "unavailable"
    assert (await told(watch, "pump", {"value": "ON", "ttl": 30}))["outcome"] == "accepted"  # it holds up nobody
    await eventually(lambda: running.pid("keeper camera eye") not in (0, camera), 12, "another keeper")
    assert time.monotonic() - asked_s > 9, "a camera may be busy for 10 s"
    assert not title(camera)
    since = len(watch.seen)
    await watch.wait("pimqtt/car1/eye/image", timeout_s=15, since=since)
    await watch.send("pimqtt/car1/eye/snapshot/set", {"value": "PRESS", "id": "q"})
    assert (await watch.result("eye/snapshot", "q"))["outcome"] == "accepted"
    assert running.pid("keeper pins") == pins
    assert running.levels(17) == [0, 1]


async def test_a_camera_that_can_not_end_does_not_keep_the_node_from_starting_again(
    node: Start, watch: Observer
) -> None:
    running = node(PUMP, EYE)
    await online(watch)
    await eventually(lambda: running.pid("keeper camera eye"))
    camera = running.signal("keeper camera eye", signal.SIGSTOP)
    try:
        children = [pid for pid in running.descendants() if pid != camera]
        kill_supervisor(running)
        await eventually(lambda: not any(map(title, children)), what="children end")
        assert title(camera)
        since = len(watch.seen)
        running.start()
        await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10, since)
    finally:
        os.kill(camera, signal.SIGKILL)


def kill_supervisor(running: Node) -> None:
    assert running.process
    running.process.kill()
    running.process.wait()


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    except OSError:
        return ""
