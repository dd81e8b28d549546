"""A pin keeper that does not come up again: outputs are made safe without it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from pimqtt_agent.hardware.levels import OUTPUT, Levels, Release
from tests.broker.frail import Frail
from tests.broker.steps import PUMP, Start, eventually, online, reached, replaced, retain, seconds, told
from tests.rig import Mosquitto, Node, Observer, config

pytestmark = pytest.mark.broker

IT = "{id: it, kind: frail, pin: 4}"
LIT = "{id: lit, kind: switch, pin: 27, initial: on}"
FAN = "{id: fan, kind: motor, forward: 23, backward: 24}"


@pytest.fixture
def frail(tmp_path: Path) -> Frail:
    return Frail(tmp_path / "site")


async def running_on(node: Start, watch: Observer, frail: Frail) -> Node:
    """Start a node with something on, so that its lines are away from safe."""
    running = node(IT, PUMP, LIT, env=frail.env)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    await told(watch, "it", {"value": "ON"})
    return running


async def accepted_again(watch: Observer, device: str = "pump") -> None:
    async def tries() -> bool:
        return bool((await told(watch, device, {"value": "ON", "ttl": 1}))["outcome"] == "accepted")

    end = time.monotonic() + 10
    while not await tries():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def test_outputs_are_safe_within_a_second_though_every_next_keeper_dies_at_its_start(
    node: Start, watch: Observer, frail: Frail
) -> None:
    running = await running_on(node, watch, frail)
    frail.fails("crash")
    killed_ns = time.monotonic_ns()
    since = len(watch.seen)
    running.signal("keeper pins", signal.SIGKILL)
    for pin in (4, 17, 27):
        assert seconds(killed_ns, await reached(running, pin, 0)) < 1
    levels = {pin: running.levels(pin) for pin in (4, 17, 27)}
    problem = await watch.wait("pimqtt/car1/info", lambda s: "no pin keeper" in str(s.json()["problem"]), since=since)
    assert "exit status 70" in problem.json()["problem"]
    for device in ("it", "pump", "lit"):  # else Home Assistant would show as on what is off
        await watch.wait(f"pimqtt/car1/{device}/availability", lambda s: s.text == "offline", since=since)
    since = len(watch.seen)
    await asyncio.sleep(2.5)  # further tries twitch nothing
    assert {pin: running.levels(pin) for pin in (4, 17, 27)} == levels
    assert running.log.read_text().count("put to its safe value") == 1
    frail.works("crash")
    await eventually(lambda: running.pid("keeper pins"), 12, "a keeper at last")
    await accepted_again(watch)
    assert running.levels(27) == [1, 0, 1]  # safe without a keeper, then its resting value
    assert running.levels(4) == [0, 1, 0, 1]
    await watch.wait("pimqtt/car1/info", lambda s: s.json()["problem"] is None, since=since)
    for device in ("it", "pump", "lit"):
        await watch.wait(f"pimqtt/car1/{device}/availability", lambda s: s.text == "online", since=since)
    lost = await watch.result("pump", cause="keeper_lost")
    assert lost["owner"] == "me"


async def test_where_no_keeper_has_come_up_yet_devices_are_offline_whatever_was_retained(
    broker: Mosquitto, watch: Observer, frail: Frail, tmp_path: Path
) -> None:
    pump = "pimqtt/car1/pump/availability"
    await retain(broker.port, pump, "online")
    frail.fails("crash")
    running = Node(tmp_path / "node", config(broker.port, IT, PUMP), frail.env).start(wait=False)
    try:
        await online(watch)
        await watch.wait(pump, lambda s: s.text == "offline")
        frail.works("crash")
        await watch.wait(pump, lambda s: s.text == "online", 20, since=len(watch.seen))
        await accepted_again(watch)
    finally:
        running.__exit__(None, None, None)


async def test_a_keeper_that_hangs_at_its_start_leaves_nothing_on_and_then_gets_the_time_it_needs(
    node: Start, watch: Observer, frail: Frail
) -> None:
    running = await running_on(node, watch, frail)
    frail.fails("slow")
    killed_ns = time.monotonic_ns()
    running.signal("keeper pins", signal.SIGKILL)
    for _ in range(30):  # whoever drives goes on: an unanswered command must not end a keeper that is starting
        await watch.send("pimqtt/car1/pump/set", {"value": "ON", "ttl": 1, "owner": "me"})
        await asyncio.sleep(0.1)
    first_off = next(row for row in running.rows() if row["pin"] == 17 and row["t_ns"] > killed_ns)
    assert first_off["value"] == 0
    assert seconds(killed_ns, first_off["t_ns"]) < 1
    await accepted_again(watch)


async def test_a_keeper_that_starts_slowly_but_gets_on_is_left_alone(
    node: Start, watch: Observer, frail: Frail
) -> None:
    many = [f"{{id: it{pin}, kind: frail, pin: {pin}}}" for pin in range(5, 10)]
    running = node(LIT, *many, PUMP, env=frail.env)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    frail.fails("leisurely")
    old = running.signal("keeper pins", signal.SIGKILL)
    await replaced(running, "keeper pins", old)
    await accepted_again(watch)
    assert running.levels(27) == [1, 1], "a second start would have let it twitch"
    assert "is silent" not in running.log.read_text()


async def test_what_moves_is_claimed_before_anything_else(node: Start, watch: Observer, frail: Frail) -> None:
    running = node("{id: door, kind: binary_sensor, pin: 22}", IT, LIT, FAN, env=frail.env)
    await online(watch)
    await told(watch, "fan", {"value": 60, "owner": "me"})
    since = len(running.rows())
    old = running.signal("keeper pins", signal.SIGKILL)
    await replaced(running, "keeper pins", old)
    await accepted_again(watch, "it")
    first = list(dict.fromkeys(row["pin"] for row in running.rows()[since:]))
    assert set(first[:2]) == {23, 24}, first
    assert set(first[2:]) == {4, 27}, first


async def test_a_start_that_gets_on_for_too_long_leaves_nothing_on(node: Start, watch: Observer, frail: Frail) -> None:
    many = [f"{{id: it{pin}, kind: frail, pin: {pin}}}" for pin in (4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18)]
    running = node(*many, PUMP, env=frail.env)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    frail.fails("leisurely")
    killed_ns = time.monotonic_ns()
    running.signal("keeper pins", signal.SIGKILL)
    assert seconds(killed_ns, await reached(running, 17, 0)) < 1
    assert "is silent" in running.log.read_text()
    frail.works("leisurely")
    await accepted_again(watch)


async def test_a_line_that_somebody_else_holds_is_told_and_the_rest_is_safe(
    node: Start, watch: Observer, frail: Frail
) -> None:
    running = await running_on(node, watch, frail)
    frail.fails("crash")
    keeper = running.pid("keeper pins")
    assert running.process
    os.kill(running.process.pid, signal.SIGSTOP)  # until the line is taken
    os.kill(keeper, signal.SIGKILL)
    await eventually(lambda: Path(f"/proc/{keeper}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    levels = Levels(running.folder / "run/pimqtt/car1/levels", Release())
    levels.claim(17, OUTPUT, 1)
    os.kill(running.process.pid, signal.SIGCONT)
    await reached(running, 4, 0)
    await reached(running, 27, 0)
    held = f"pump: line 17 is held by process {os.getpid()}"
    await eventually(lambda: held in running.log.read_text(), what=held)
    await eventually(lambda: "not every output could be put to its safe value" in running.log.read_text())
    levels.free(17)
    await reached(running, 17, 0)
    levels.close()
    frail.works("crash")
    await accepted_again(watch)


async def test_pins_that_do_not_end_in_time_at_a_stop_are_made_safe_all_the_same(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    assert running.process
    running.signal("keeper pins", signal.SIGSTOP)
    running.process.send_signal(signal.SIGTERM)
    status = await asyncio.to_thread(running.process.wait, 6)
    assert status == 0
    assert running.levels(17) == [0, 1, 0]


async def test_a_stop_while_no_keeper_comes_up_ends_in_time(node: Start, watch: Observer, frail: Frail) -> None:
    running = await running_on(node, watch, frail)
    frail.fails("crash")
    running.signal("keeper pins", signal.SIGKILL)
    await reached(running, 17, 0)
    began_s = time.monotonic()
    assert await asyncio.to_thread(running.stop) == 0
    assert time.monotonic() - began_s < 3
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "offline")


async def test_what_dies_right_after_it_worked_is_not_replaced_for_ever_at_once(
    node: Start, watch: Observer, frail: Frail
) -> None:
    running = node(IT, PUMP, env=frail.env)
    await online(watch)
    pid = running.pid("keeper pins")
    for _ in range(11):
        os.kill(pid, signal.SIGKILL)
        pid = await replaced(running, "keeper pins", pid)
        await asyncio.sleep(0.1)
    assert "put to its safe value" not in running.log.read_text()  # nothing was away from it
    assert "keeper pins ended (killed by SIGKILL); it starts again in 1 s" in running.log.read_text()
    await accepted_again(watch)
