"""What moves: the dead-man, who may drive, stops, emergency stops, freshness."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest

from tests.broker.steps import (
    CAR,
    FAN,
    LAMP,
    LATE_S,
    Driving,
    Start,
    called,
    cleared,
    eventually,
    kill_all,
    online,
    reached,
    replaced,
    results,
    retain,
    seconds,
    stored,
    token,
    told,
)
from tests.rig import Mosquitto, Node, Observer

pytestmark = pytest.mark.broker

DEADMAN_S = 0.5
WHEELS = (5, 6, 13, 19)
ALL, NODE, DEVICE = "pimqtt/stop", "pimqtt/car1/stop", "pimqtt/car1/car/stop"


def moves(running: Node, pin: int) -> list[dict[str, Any]]:
    """List the rows of a pin after its claim."""
    return [row for row in running.rows() if row["pin"] == pin][1:]


async def wheels(running: Node, *levels: float) -> None:
    """Wait until the four lines of the car are at these levels."""

    def now() -> tuple[float, ...]:
        return tuple(running.levels(pin)[-1] for pin in WHEELS)

    await eventually(lambda: now() == levels, 3, f"{levels}, is {now()}")


# ---- the dead-man


async def test_renewals_at_10_hz_leave_no_gap_and_their_end_stops_the_motor_on_time(
    node: Start, watch: Observer
) -> None:
    running = node(FAN)
    await online(watch)
    async with Driving(watch, "fan"):
        await asyncio.sleep(1.5)
    expired = await watch.result("fan", outcome="reverted")
    assert {"cause": "expired", "owner": "me", "value": 0, "state": 0}.items() <= expired.items()
    assert expired["id"].startswith("me-")
    rows = moves(running, 23)
    assert [row["value"] for row in rows].count(0) == 1
    assert len(rows) >= 12
    last, stop = rows[-2:]
    assert stop["value"] == 0
    assert DEADMAN_S - 0.05 <= seconds(last["t_ns"], stop["t_ns"]) <= DEADMAN_S + LATE_S
    await watch.wait("pimqtt/car1/fan/state", lambda s: s.text == "0", since=len(watch.seen) - 5)
    assert running.levels(24) == [0]


async def test_a_command_without_ttl_takes_the_dead_man_and_a_shorter_ttl_is_kept(
    node: Start, watch: Observer
) -> None:
    running = node(FAN)
    await online(watch)
    accepted = await told(watch, "fan", {"value": 40, "owner": "me"})
    assert {"outcome": "accepted", "ttl": DEADMAN_S, "holder": "me", "state": 40}.items() <= accepted.items()
    await reached(running, 23, 0)
    assert (await told(watch, "fan", {"value": 40, "ttl": 0.2}))["ttl"] == 0.2
    await reached(running, 23, 0)
    on, off = moves(running, 23)[2:]
    assert 0.2 - 0.05 <= seconds(on["t_ns"], off["t_ns"]) <= 0.2 + LATE_S


async def test_the_ttl_of_motion_is_capped_by_its_dead_man(node: Start, watch: Observer) -> None:
    running = node(FAN, "{id: winch, kind: motor, forward: 20, backward: 21, deadman: 0.3, ttl: {max: 2}}")
    await online(watch)
    refused = await told(watch, "fan", {"value": 40, "ttl": 0.6})
    assert {"outcome": "rejected", "code": "ttl_range"}.items() <= refused.items()
    assert "0.5" in refused["reason"]
    assert (await told(watch, "winch", {"value": 40, "ttl": 1.5}))["outcome"] == "accepted"
    assert (await told(watch, "winch", {"value": 40, "ttl": 2.5}))["code"] == "ttl_range"
    assert running.levels(23) == [0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_dead_man_holds_when_the_agent_dies_or_freezes(node: Start, watch: Observer, number: int) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car"):
        await asyncio.sleep(0.6)
        running.signal("agent", number)
        await asyncio.sleep(0.7)
        rows = moves(running, 5)
    assert [row["value"] for row in rows].count(0) == 1
    last, stop = rows[-2:]
    assert stop["value"] == 0
    assert DEADMAN_S - 0.05 <= seconds(last["t_ns"], stop["t_ns"]) <= DEADMAN_S + LATE_S


async def test_the_dead_man_holds_when_the_broker_freezes(node: Start, watch: Observer, broker: Mosquitto) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car"):
        await asyncio.sleep(0.6)
        broker.freeze()
        await asyncio.sleep(0.7)
        rows = moves(running, 5)
    broker.thaw()
    last, stop = rows[-2:]
    assert stop["value"] == 0
    assert DEADMAN_S - 0.05 <= seconds(last["t_ns"], stop["t_ns"]) <= DEADMAN_S + LATE_S


# ---- values


async def test_a_motor_takes_percent_and_words(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    for payload, forward, backward, state in (
        ("40", 0.4, 0, "40"), ("-25.5", 0, 0.255, "-25.5"), ("forward", 1, 0, "100"), ("backward", 0, 1, "-100"),
        ("stop", 0, 0, "0"), ({"value": "forward"}, 1, 0, "100"), ({"value": 60.5}, 0.605, 0, "60.5"),
        ("0", 0, 0, "0"),
    ):  # fmt: skip
        count = len(watch.seen)
        await watch.send("pimqtt/car1/fan/set", payload)
        await watch.wait("pimqtt/car1/fan/state", lambda s, state=state: s.text == state, since=count)  # type: ignore[misc]
        assert (running.levels(23)[-1], running.levels(24)[-1]) == (forward, backward)


async def test_a_drive_takes_a_joystick_and_words(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    for payload, levels in (
        ({"x": 0, "y": 0.5}, (0.5, 0, 0.5, 0)),
        ({"x": 0.25, "y": 0.5}, (0.75, 0, 0.25, 0)),
        ({"x": 1, "y": 1}, (1, 0, 0, 0)),
        ({"value": {"x": -0.5, "y": 0}, "owner": "anonymous"}, (0, 0.5, 0.5, 0)),
        ("forward", (1, 0, 1, 0)),
        ("backward", (0, 1, 0, 1)),
        ("left", (0, 1, 1, 0)),
        ("right", (1, 0, 0, 1)),
        ("stop", (0, 0, 0, 0)),
    ):
        await watch.send("pimqtt/car1/car/set", payload)
        await wheels(running, *levels)
    state = await watch.wait("pimqtt/car1/car/state", lambda s: s.json() == {"x": 1, "y": 1})
    assert state.retain


@pytest.mark.parametrize(
    ("device", "payload", "code"),
    [
        ("fan", "101", "out_of_range"), ("fan", "full", "invalid"), ("fan", "1e400", "invalid"),
        ("fan", {"value": True}, "invalid"), ("fan", {"value": None}, "invalid"), ("fan", {"x": 0, "y": 1}, "invalid"),
        ("car", {"x": 0}, "invalid"), ("car", {"x": 0, "y": 1, "z": 0}, "invalid"), ("car", {"x": 2, "y": 0}, "out_of_range"),
        ("car", {"x": "0", "y": 1}, "invalid"), ("car", '{"x": 0, "y": NaN}', "invalid"),
        ("car", {"x": 0, "y": 1, "owner": "me"}, "invalid"), ("car", "0", "invalid"), ("car", {"x": True, "y": 0}, "invalid"),
    ],
)  # fmt: skip
async def test_what_is_no_value_is_refused_and_never_completed(
    shared_node: tuple[Node, Observer], device: str, payload: object, code: str
) -> None:
    running, watch = shared_node
    since = len(watch.seen)
    await watch.send(f"pimqtt/car1/{device}/set", payload)
    seen = await watch.wait(f"pimqtt/car1/{device}/result", since=since)
    assert (seen.json()["outcome"], seen.json()["code"]) == ("rejected", code)
    assert not seen.retain
    assert [running.levels(pin) for pin in (*WHEELS, 23, 24)] == [[0]] * 6
