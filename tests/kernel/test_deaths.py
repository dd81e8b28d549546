"""Deaths under both kernel rules, read from the kernel's lines: a released line keeps its level, or falls to the pull.

After a keeper's death leases are over and motion stands; what rests ON is ON.
"""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.broker.steps import replaced, told
from tests.kernel.bench import (
    DRIVEN,
    FORWARD,
    KERNEL_FIRST,
    LAMP,
    LATE_S,
    LOST_S,
    PAIRS,
    PULL_FIRST,
    PUMP,
    RELAY,
    SAFE,
    Bench,
    moved,
)
from tests.rig import Observer

pytestmark = pytest.mark.broker
RESTING = {**SAFE, LAMP: 1}
#: All is on by then (s).
SET_S = 5


async def driven(bench: Bench, watch: Observer) -> None:
    """Have the lamp resting ON, pump and relay ON under a TTL, the motor at full speed for a dead-man."""
    await told(watch, "lamp", {"value": "ON"})
    for device in ("pump", "relay"):
        await told(watch, device, {"value": "ON", "ttl": 30, "owner": "me"})
    end_s = time.monotonic() + SET_S
    while bench.outside.levels() != DRIVEN:  # an emulated machine may answer when the dead-man is already over
        assert time.monotonic() < end_s, bench.outside.levels()
        await moved(watch, 100)
        await asyncio.sleep(0.05)
    bench.outside.forget()


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.full)])
async def test_the_pin_keeper(bench: Bench, watch: Observer, rule: str, number: int) -> None:
    await driven(bench, watch)
    since, since_s = len(watch.seen), time.monotonic()
    keeper = bench.node.signal("keeper pins", number)
    await bench.outside.until({line: RESTING[line] for line in (PUMP, RELAY, FORWARD)}, LOST_S)
    print(f"safe after {time.monotonic() - since_s:.3f} s")  # noqa: T201 - a figure for whoever asks with -s
    await replaced(bench.node, "keeper pins", keeper)
    await bench.outside.until(RESTING, LOST_S)
    for device in ("pump", "relay"):
        lost = await watch.wait(
            f"pimqtt/car1/{device}/result", lambda seen: seen.json()["cause"] == "keeper_lost", since=since
        )
        assert lost.json()["state"] == "OFF"
    fell = [0, 1] if rule == "pull" else []
    assert (bench.outside.seen(PUMP), bench.outside.seen(LAMP), bench.outside.seen(RELAY)) == ([0], fell, [1])


async def test_the_agent(bench: Bench, watch: Observer) -> None:
    await driven(bench, watch)
    since = len(watch.seen)
    await replaced(bench.node, "agent", bench.node.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", 20, since)
    await bench.outside.until({**DRIVEN, FORWARD: 0}, LATE_S)  # its dead-man, whatever the agent does
    assert [row["pin"] for row in bench.outside.rows()] == [FORWARD]
    assert (await told(watch, "relay", {"value": "OFF"}))["outcome"] == "accepted"
    assert bench.outside.level(RELAY) == 1


@pytest.mark.full
async def test_the_supervisor(bench: Bench, watch: Observer, rule: str) -> None:
    await driven(bench, watch)
    assert bench.node.process
    bench.node.process.kill()
    await bench.outside.until(left_in_order(rule), LOST_S)
    bench.node.process.wait()
    done = bench.safe()
    assert done.returncode == 0, done.stderr
    await bench.outside.until(SAFE, LATE_S)


@PAIRS
async def test_all_of_them_and_then_safe(bench: Bench, watch: Observer, rule: str) -> None:
    await driven(bench, watch)
    bench.freeze_and_kill_all()
    await asyncio.sleep(0.1)
    # What a Raspberry Pi's kernel does: whatever ran is running on, and nothing of pimqtt is there.
    left = {**DRIVEN, FORWARD: bench.outside.level(FORWARD)} if rule == "latch" else SAFE
    assert bench.outside.levels() == left
    done = bench.safe()
    assert (done.returncode, done.stderr) == (0, "")
    assert bench.outside.levels() == SAFE
    assert "lamp: line 27 low" in done.stdout
    assert "relay: line 24 high" in done.stdout
    assert (bench.outside.seen(PUMP), bench.outside.seen(RELAY)) == ([0], [1])
    bench.outside.forget()
    bench.start()
    since = len(watch.seen)
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", 60, since)
    assert bench.outside.rows() == [], "`initial` is off, and nothing was asked for since"


async def test_safe_leaves_a_running_node_alone(bench: Bench, watch: Observer) -> None:
    await told(watch, "lamp", {"value": "ON"})
    bench.outside.forget()
    done = bench.safe()
    assert bench.node.process
    assert done.returncode == 1
    consumer = "lg" if bench.backend == "pi" else "pimqtt"
    assert f'lamp: line 27 is held by "{consumer}"' in done.stderr
    assert f"car1 is running as pid {bench.node.process.pid}: use pimqtt stop car1" in done.stderr
    await asyncio.sleep(0.05)
    assert bench.outside.rows() == []


@KERNEL_FIRST
@PULL_FIRST
async def test_a_stop_in_order_does_on_stop(bench: Bench, watch: Observer, rule: str) -> None:
    await driven(bench, watch)
    assert bench.stop() == 0
    await bench.outside.until(left_in_order(rule), LATE_S)


def left_in_order(rule: str) -> dict[int, int]:
    """What the lines are after `on_stop`: the lamp's `keep` holds only where the kernel keeps what is released.

    Of the others whoever plays that kernel knows nothing: they are written and released within a millisecond.
    """
    return {LAMP: 1} if rule == "latch" else SAFE
