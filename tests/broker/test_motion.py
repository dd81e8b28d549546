"""What moves: the dead-man of motors and drives, and the values that they take."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.broker.steps import (
    CAR,
    DEADMAN_S,
    FAN,
    LATE_S,
    PATIENT_FAN,
    WHEELS,
    Driving,
    Start,
    eventually,
    moves,
    online,
    ran,
    reached,
    reached_any,
    replaced,
    seconds,
    told,
    wheels,
)
from tests.rig import Mosquitto, Node, Observer, config, observer

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Mosquitto]]:
    """A node that nobody moves, and its broker."""
    folder = tmp_path_factory.mktemp("standing")
    with Mosquitto(folder) as broker, Node(folder / "node", config(broker.port, CAR, FAN)) as running:
        asyncio.run(_online(broker))
        yield running, broker


async def _online(broker: Mosquitto) -> None:
    async with observer(broker.port) as watch:
        await online(watch)


def at_rest_ns(running: Node, pin: int, since_ns: int) -> int:
    """When a pin came to rest after a moment; 0 where it did not."""
    return next((row["t_ns"] for row in moves(running, pin) if row["t_ns"] > since_ns and not row["value"]), 0)


async def test_renewals_at_10_hz_leave_no_gap_and_their_end_stops_the_motor_on_time(
    node: Start, watch: Observer
) -> None:
    running = node(FAN)
    await online(watch)
    async with Driving(watch, "fan") as driving:
        await asyncio.sleep(1.5)
    expired = await watch.result("fan", outcome="reverted")
    assert {"cause": "expired", "owner": "me", "value": 0, "state": 0}.items() <= expired.items()
    assert expired["id"].startswith("me-")
    rows = moves(running, 23)
    assert [row["value"] for row in rows].count(0) == 1
    assert len(rows) >= 12
    last, stop = rows[-2:]
    assert stop["value"] == 0
    ran(DEADMAN_S, round(driving.sent_s * 1e9), last["t_ns"], stop["t_ns"])
    await watch.wait("pimqtt/car1/fan/state", lambda s: s.text == "0", since=len(watch.seen) - 5)
    assert running.levels(24) == [0]


async def test_a_command_without_ttl_takes_the_dead_man_and_a_shorter_ttl_is_kept(node: Start, watch: Observer) -> None:
    running = node(PATIENT_FAN)
    await online(watch)
    accepted = await told(watch, "fan", {"value": 40, "owner": "me"})
    assert {"outcome": "accepted", "ttl": 3, "holder": "me", "state": 40}.items() <= accepted.items()
    await reached(running, 23, 0)
    sent_ns = time.monotonic_ns()
    assert (await told(watch, "fan", {"value": 40, "ttl": 1}))["ttl"] == 1
    await reached(running, 23, 0)
    on, off = moves(running, 23)[2:]
    ran(1, sent_ns, on["t_ns"], off["t_ns"])


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
    async with Driving(watch, "car") as driving:
        await asyncio.sleep(0.6)
        running.signal("agent", number)
        if number == signal.SIGKILL:
            await driving.stop()  # else the next agent, which is there soon enough, goes on with the drive
        await asyncio.sleep(0.7)
        rows = moves(running, 5)
    if number == signal.SIGSTOP:
        running.signal("agent", signal.SIGCONT)
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


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_car_stops_when_the_run_ends_or_is_killed(node: Start, watch: Observer, number: int) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car"):
        await reached_any(running, 5)
        assert running.process
        killed_ns = time.monotonic_ns()
        running.process.send_signal(number)
        assert seconds(killed_ns, await reached(running, 5, 0)) < 0.5
        await asyncio.to_thread(running.process.wait, 5)
        await asyncio.sleep(0.3)
    assert running.levels(5)[-2:].count(0) == 1
    assert running.levels(5).count(0) == 2


async def test_a_car_stops_within_a_second_however_often_its_keeper_dies(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    for count in range(4):
        async with Driving(watch, "car", f"me{count}"):
            await eventually(lambda: running.levels(5)[-1] > 0, what="it drives")
            await asyncio.sleep(0.25)
            killed_ns = time.monotonic_ns()
            old = running.signal("keeper pins", signal.SIGKILL)
        safe_ns = await eventually(partial(at_rest_ns, running, 5, killed_ns))
        assert seconds(killed_ns, safe_ns) < 1
        await replaced(running, "keeper pins", old)


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
        ("car", {"x": 0}, "invalid"), ("car", {"x": 0, "y": 1, "z": 0}, "invalid"), ("car", "0", "invalid"),
        ("car", {"x": 2, "y": 0}, "out_of_range"), ("car", {"x": "0", "y": 1}, "invalid"),
        ("car", '{"x": 0, "y": NaN}', "invalid"), ("car", {"x": 0, "y": 1, "owner": "me"}, "invalid"),
        ("car", {"x": True, "y": 0}, "invalid"),
    ],
)  # fmt: skip
async def test_what_is_no_value_is_refused_and_never_completed(
    standing: tuple[Node, Mosquitto], device: str, payload: object, code: str
) -> None:
    running, broker = standing
    async with observer(broker.port) as watch:
        await refused(watch, device, payload, code)
    assert [running.levels(pin) for pin in (*WHEELS, 23, 24)] == [[0]] * 6


async def refused(watch: Observer, device: str, payload: object, code: str) -> None:
    since = len(watch.seen)
    await watch.send(f"pimqtt/car1/{device}/set", payload)
    seen = await watch.wait(f"pimqtt/car1/{device}/result", since=since)
    assert (seen.json()["outcome"], seen.json()["code"]) == ("rejected", code)
    assert seen.json()["reason"]
    assert not seen.retain
