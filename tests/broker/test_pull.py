"""Each death under both kernel rules: a released line keeps its level, or falls to the pull outside.

Levels are read from the chip's mapped file, and in order from the trace. What a dead holder's line fell to shows there
as soon as somebody opens the chip again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from itertools import groupby

import pytest

from tests.broker.steps import CAR, WHEELS, Driving, Start, kill_all, online, reached, replaced, seconds, told
from tests.rig import ROOT, Node, Observer

pytestmark = [pytest.mark.broker, pytest.mark.parametrize("rule", ["latch", "pull"])]

PUMP = "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}"
LAMP = "{id: lamp, kind: switch, pin: 27}"
#: A relay that is on when its input is low, pulled up outside.
RELAY = "{id: relay, kind: switch, pin: 22, active_low: true, ttl: {default: 5, max: 60}}"
DRIVEN: dict[int, float] = {5: 0.5, 6: 0, 13: 0.5, 19: 0, 17: 1, 27: 1, 22: 0}
SAFE: dict[int, float] = {**dict.fromkeys((*WHEELS, 17, 27), 0), 22: 1}
#: After a keeper's death: motion stopped, leases over, what rests ON still does.
RESTING: dict[int, float] = {**SAFE, 27: 1}


async def driven(node: Start, watch: Observer, rule: str) -> Node:
    """Start, with the lamp resting ON, pump and relay ON under a TTL, the car at speed for a dead-man."""
    running = node(CAR, PUMP, LAMP, RELAY, hardware=f", on_release: {rule}, pulls: {{22: up}}")
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    for device in ("pump", "relay"):
        await told(watch, device, {"value": "ON", "ttl": 30, "owner": "me"})
    await told(watch, "car", {"value": {"x": 0, "y": 0.5}, "owner": "me"})
    assert levels(running) == DRIVEN
    return running


def levels(running: Node) -> dict[int, float]:
    """Read the mapped chip: a double a line."""
    chip = (running.folder / "run/pimqtt/car1/levels").read_bytes()
    return {pin: round(struct.unpack_from("d", chip, 8 * pin)[0], 4) for pin in DRIVEN}


async def settled(running: Node, want: dict[int, float], since_s: float, within_s: float) -> None:
    """Wait until the chip is as wanted."""
    while levels(running) != want:
        assert time.monotonic() < since_s + within_s, f"{levels(running)} after {within_s} s, not {want}"
        await asyncio.sleep(0.005)


def after(running: Node, pin: int) -> list[float]:
    """Return the levels that a pin saw once it was driven."""
    seen = running.levels(pin)
    return seen[seen.index(DRIVEN[pin], 1) :]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_pin_keeper(node: Start, watch: Observer, rule: str, number: int) -> None:
    running = await driven(node, watch, rule)
    keeper, since_s = running.signal("keeper pins", number), time.monotonic()
    await replaced(running, "keeper pins", keeper)
    await settled(running, RESTING, since_s, 1)
    for device in ("pump", "relay"):
        assert (await watch.result(device, cause="keeper_lost"))["state"] == "OFF"
    fell = [0] if rule == "pull" else []
    assert after(running, 27) == [1, *fell, 1]
    assert after(running, 17) == [1, *fell, 0]
    assert after(running, 22) == [0, *([1] if fell else []), 1]


async def test_the_agent(node: Start, watch: Observer, rule: str) -> None:
    running = await driven(node, watch, rule)
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", since=since)
    await settled(running, {**DRIVEN, **dict.fromkeys(WHEELS, 0)}, time.monotonic(), 1)
    rows = [row["t_ns"] for row in running.rows() if row["pin"] == 5]
    assert 0.48 <= seconds(rows[-2], rows[-1]) <= 0.6  # the dead-man, whatever the agent does
    assert [after(running, pin) for pin in (5, 17, 27, 22)] == [[0.5, 0], [1], [1], [0]]
    assert (await told(watch, "relay", {"value": "OFF"}))["outcome"] == "accepted"
    await reached(running, 22, 1)


async def test_the_supervisor(node: Start, watch: Observer, rule: str) -> None:
    running = await driven(node, watch, rule)
    assert running.process
    since_s = time.monotonic()
    running.process.kill()
    await settled(running, SAFE, since_s, 0.5)
    running.process.wait()
    assert [after(running, pin) for pin in (5, 17, 27, 22)] == [[0.5, 0], [1, 0], [1, 0], [0, 1]]
    assert safe(running).returncode == 0
    assert levels(running) == SAFE


@pytest.mark.parametrize("first", [(), ("keeper pins", "agent")], ids=["at work", "frozen"])
async def test_all_of_them_and_then_safe(node: Start, watch: Observer, rule: str, first: tuple[str, ...]) -> None:
    running = await driven(node, watch, rule)
    async with Driving(watch, "car"):
        for role in first:
            running.signal(role, signal.SIGSTOP)
        kill_all(running)
    done = safe(running)
    assert (done.returncode, done.stderr) == (0, "")
    assert levels(running) == SAFE
    if first:  # else the pins may see their supervisor die and do `on_stop`, just before they are killed
        fell = [0] if rule == "pull" else []
        assert [after(running, 17), after(running, 27)] == [[1, *fell, 0]] * 2
        assert after(running, 22) == [0, *([1] if fell else []), 1]
    assert [[level for level, _ in groupby(after(running, pin))] for pin in (17, 27, 22)] == [[1, 0], [1, 0], [0, 1]]
    running.start()
    since = len(watch.seen)
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", 10, since)
    assert levels(running) == SAFE, "`initial` is off, and nothing was asked for since"


def safe(running: Node) -> subprocess.CompletedProcess[str]:
    """Run `pimqtt safe` as the unit does after a crash."""
    env = {**running.env, "SERVICE_RESULT": "signal"}
    command = [sys.executable, "-m", "pimqtt_agent", "safe", "-c", os.fspath(running.config)]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
