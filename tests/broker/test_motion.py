"""What moves: the dead-man, who may drive, stops, emergency stops, freshness."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.broker.steps import (
    CAR,
    FAN,
    LAMP,
    LATE_S,
    PUMP,
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
from tests.rig import Mosquitto, Node, Observer, config, observer

pytestmark = pytest.mark.broker

DEADMAN_S = 0.5
WHEELS = (5, 6, 13, 19)
ALL, NODE, DEVICE = "pimqtt/stop", "pimqtt/car1/stop", "pimqtt/car1/car/stop"


def moves(running: Node, pin: int) -> list[dict[str, Any]]:
    """List the rows of a pin after its claim."""
    return [row for row in running.rows() if row["pin"] == pin][1:]


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


async def wheels(running: Node, *levels: float) -> None:
    """Wait until the four lines of the car are at these levels."""

    def now() -> tuple[float, ...]:
        return tuple(running.levels(pin)[-1] for pin in WHEELS)

    await eventually(lambda: now() == levels, 3, f"{levels}, is {now()}")


# ---- the dead-man


def at_rest_ns(running: Node, pin: int, since_ns: int) -> int:
    """When a pin came to rest after a moment; 0 where it did not."""
    return next((row["t_ns"] for row in moves(running, pin) if row["t_ns"] > since_ns and not row["value"]), 0)


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


async def test_a_command_without_ttl_takes_the_dead_man_and_a_shorter_ttl_is_kept(node: Start, watch: Observer) -> None:
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


# ---- who may drive


async def test_a_stop_comes_from_anyone_and_the_driver_must_let_go_first(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car", "me", priority=9) as driving:
        await asyncio.sleep(0.35)
        since, sent_ns = len(watch.seen), time.monotonic_ns()
        await watch.send("pimqtt/car1/car/set", "stop")
        stopped_ns = await reached(running, 5, 0)
        assert seconds(sent_ns, stopped_ns) < 0.15
        await watch.wait("pimqtt/car1/car/result", lambda s: s.json()["code"] == "let_go", since=since)
        stopped = results(watch, "car", since, outcome="reverted")
        assert [(result["cause"], result["owner"]) for result in stopped] == [("stopped", "me")]
        await asyncio.sleep(0.8)  # it goes on renewing: nothing moves, however long
        assert running.levels(5)[-1] == 0
        assert results(watch, "car", since, outcome="accepted") == []
        driving.fields["owner"] = "you"
        await eventually(lambda: running.levels(5)[-1] > 0, what="another may drive")
    await reached(running, 5, 0)


async def test_who_was_stopped_drives_again_after_the_safe_value_or_a_dead_man_of_silence(
    node: Start, watch: Observer
) -> None:
    node(FAN)
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me"})
    await told(watch, "fan", {"value": 0, "owner": "you"})
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["code"] == "let_go"
    assert (await told(watch, "fan", {"value": "stop", "owner": "me"}))["outcome"] == "accepted"
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["outcome"] == "accepted"
    await told(watch, "fan", {"value": 0, "owner": "you"})
    await asyncio.sleep(0.3)
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["code"] == "let_go"
    await asyncio.sleep(0.3)  # 0.6 s after the stop, but 0.3 s after the last try
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["code"] == "let_go"
    await asyncio.sleep(DEADMAN_S + 0.05)
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["outcome"] == "accepted"


async def test_the_safe_value_with_a_ttl_is_a_command_like_any_other(node: Start, watch: Observer) -> None:
    node(FAN)
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me"})
    assert (await told(watch, "fan", {"value": 0, "ttl": 0.3, "owner": "you"}))["code"] == "held"
    zero = await told(watch, "fan", {"value": 0, "ttl": 0.3, "owner": "me"})
    assert {"outcome": "accepted", "ttl": 0.3, "holder": "me", "state": 0}.items() <= zero.items()
    assert (await told(watch, "fan", {"value": 10, "owner": "you"}))["code"] == "held"


async def test_who_was_stopped_at_a_level_need_not_let_go(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "owner": "me", "priority": 5})
    assert (await told(watch, "pump", {"value": "ON", "owner": "you", "priority": 5}))["code"] == "held"
    assert (await told(watch, "pump", {"value": "OFF", "owner": "you"}))["outcome"] == "accepted"
    assert (await watch.result("pump", cause="stopped"))["owner"] == "me"
    assert (await told(watch, "pump", {"value": "ON", "owner": "me"}))["outcome"] == "accepted"
    assert running.levels(17) == [0, 1, 0, 1]


async def test_all_anonymous_senders_are_one_owner(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    await watch.send("pimqtt/car1/fan/set", "40")
    await reached(running, 23, 0.4)
    lease = await watch.wait("pimqtt/car1/fan/lease", lambda s: s.payload != b"{}")
    assert lease.json()["owner"] == "anonymous"
    assert (await told(watch, "fan", {"value": 50, "owner": "anonymous"}))["holder"] == "anonymous"
    assert (await told(watch, "fan", {"value": 50, "owner": "me"}))["code"] == "held"
    await watch.send("pimqtt/car1/fan/set", "stop")
    assert (await told(watch, "fan", {"value": 60}))["outcome"] == "accepted"


async def test_a_ramp_delays_no_stop_no_expiry_and_no_emergency_stop(node: Start, watch: Observer) -> None:
    running = node(FAN.replace("}", ", ramp: 400}"))
    await online(watch)
    await told(watch, "fan", {"value": 100, "owner": "me"})
    await reached(running, 23, 1)
    levels = running.levels(23)
    rising = levels[: levels.index(1) + 1]
    assert len(rising) > 4
    assert rising == sorted(rising)
    for payload in ("stop", None, "ON"):
        await told(watch, "fan", {"value": 100, "owner": f"me{payload}"})
        await eventually(lambda: running.levels(23)[-1] > 0.2, what="it ramps up")
        if payload:
            await watch.send(f"{NODE}/set" if payload == "ON" else "pimqtt/car1/fan/set", payload)
        await reached(running, 23, 0)
        rows = moves(running, 23)
        assert rows[-2]["value"] > 0.2  # at once, not down a ramp


async def test_a_held_output_names_its_holder_and_who_was_refused_must_let_go(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    async with Driving(watch, "fan", "me", priority=4) as driving:
        await reached_any(running, 23)
        for priority in (0, 4):
            held = await told(watch, "fan", {"value": -50, "owner": "you", "priority": priority})
            assert {"code": "held", "holder": "me", "owner": "you", "value": -50}.items() <= held.items()
            assert "me" in held["reason"]
            assert held["state"] > 0
        await driving.stop()
        await reached(running, 23, 0)
        # it tried less than a dead-man ago
        await told(watch, "fan", {"value": 1, "owner": "me"})
        await told(watch, "fan", {"value": -50, "owner": "you"})
        await told(watch, "fan", {"value": 0, "owner": "me"})
        assert (await told(watch, "fan", {"value": -50, "owner": "you"}))["code"] == "let_go"
    assert running.levels(24) == [0]


async def test_a_higher_priority_takes_over_at_once_and_the_other_must_let_go(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    async with Driving(watch, "fan", "me", priority=3):
        await reached_any(running, 23)
        taken = await told(watch, "fan", {"value": -50, "owner": "you", "priority": 4})
        assert {"outcome": "accepted", "holder": "you"}.items() <= taken.items()
        assert running.levels(24)[-1] == 0.5
        assert running.levels(23)[-1] == 0
        count = len(running.levels(23))
        await reached(running, 24, 0)
        await asyncio.sleep(0.3)
        assert len(running.levels(23)) == count
        assert results(watch, "fan", owner="me", code="let_go")
    lease = await watch.wait("pimqtt/car1/fan/lease", lambda s: s.json().get("owner") == "you")
    assert lease.json()["value"] == -50


async def test_the_configuration_caps_the_priority_of_owners(node: Start, watch: Observer) -> None:
    node(FAN, extra="owners:\n  guest: {max_priority: 2}\n")
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me", "priority": 3})
    refused_ = await told(watch, "fan", {"value": 50, "owner": "guest", "priority": 9})
    assert {"code": "held", "holder": "me"}.items() <= refused_.items()
    assert (await told(watch, "fan", {"value": 50, "owner": "you", "priority": 4}))["outcome"] == "accepted"


async def test_shared_control_lets_everybody_in(node: Start, watch: Observer) -> None:
    running = node(FAN.replace("}", ", control: shared}"))
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me", "priority": 9})
    assert (await told(watch, "fan", {"value": 50, "owner": "you"}))["holder"] == "you"
    assert (await told(watch, "fan", {"value": 60, "owner": "me"}))["holder"] == "me"
    assert running.levels(23) == [0, 0.4, 0.5, 0.6]


async def test_motion_is_armed_by_two_heartbeats_of_its_owner(node: Start, watch: Observer) -> None:
    running = node(FAN.replace("}", ", arming: {heartbeat_s: 0.5}}"))
    await online(watch)

    async def drive(owner: str = "me") -> str:
        result = await told(watch, "fan", {"value": 40, "owner": owner})
        return str(result["code"] or result["outcome"])

    assert await drive() == "not_armed"
    assert (await called(watch, action="heartbeat", owner="me"))["outcome"] == "accepted"
    assert await drive() == "not_armed"
    await called(watch, action="heartbeat", owner="me")
    assert await drive() == "accepted"
    await reached(running, 23, 0)
    assert await drive() == "not_armed"
    assert await drive("you") == "not_armed"
    assert (await told(watch, "fan", {"value": 0, "owner": "me"}))["outcome"] == "accepted"  # a stop needs no arming
    await called(watch, action="heartbeat", owner="me")
    assert await drive() == "accepted"
    assert (await called(watch, action="heartbeat"))["code"] == "invalid"
    assert running.levels(23) == [0, 0.4, 0, 0.4]


async def reached_any(running: Node, pin: int) -> None:
    await eventually(lambda: running.levels(pin) and running.levels(pin)[-1] > 0, what=f"pin {pin} is driven")


# ---- freshness


async def test_a_token_decides_alone_and_is_required_where_the_configuration_says_so(
    node: Start, watch: Observer
) -> None:
    running = node(FAN.replace("}", ", token: required}"), CAR)
    await online(watch)

    async def drive(**fields: Any) -> str:
        result = await told(watch, "fan", {"value": 40, "owner": "me", **fields})
        return str(result["code"] or result["outcome"])

    assert await drive() == "token"
    answer = await called(watch, action="token", device="fan")
    assert answer["result"]["max_age_s"] == DEADMAN_S
    fresh = answer["result"]["token"]
    assert await drive(token=fresh) == "accepted"
    assert await drive(token=fresh, at=time.time() - 100) == "accepted"  # the token alone decides
    assert await drive(token="made up") == "token"
    assert await drive(token=fresh[:-1] + ("0" if fresh[-1] != "0" else "1")) == "token"
    accepted = await told(watch, "fan", {"value": 40, "owner": "me", "token": await token(watch, "fan")})
    assert accepted["token"] != fresh
    assert await drive(token=accepted["token"]) == "accepted"
    await asyncio.sleep(DEADMAN_S + 0.1)
    stale = await told(watch, "fan", {"value": 40, "owner": "me", "token": fresh})
    assert stale["code"] == "stale"
    assert (await told(watch, "fan", {"value": 0}))["outcome"] == "accepted"  # a stop needs none
    assert (await called(watch, action="token", device="nobody"))["code"] == "unknown"
    await reached(running, 23, 0)


async def test_a_token_of_another_keeper_is_refused(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    old = await token(watch, "fan")
    pid = running.signal("keeper pins", signal.SIGKILL)
    await replaced(running, "keeper pins", pid)
    await eventually_accepted(watch, "fan")
    assert (await told(watch, "fan", {"value": 40, "token": old}))["code"] in ("token", "stale")
    assert (await told(watch, "fan", {"value": 40, "token": await token(watch, "fan")}))["outcome"] == "accepted"


async def eventually_accepted(watch: Observer, device: str) -> None:
    for _ in range(50):
        if (await told(watch, device, {"value": "stop"}))["outcome"] == "accepted":
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{device} does not take a stop")


@pytest.mark.parametrize("clock", ["sync", "unsync"])
async def test_at_proves_a_command_stale_where_the_clock_is_synchronised(
    node: Start, watch: Observer, clock: str
) -> None:
    running = node(FAN, PUMP, env={"PIMQTT_CLOCK": clock})
    await online(watch)
    late = {"value": 40, "owner": "me", "at": time.time() - 2}
    result = await told(watch, "fan", late)
    assert (result["code"] or result["outcome"]) == ("stale" if clock == "sync" else "accepted")
    assert (await told(watch, "fan", {"value": 0, "at": time.time() - 100}))["outcome"] == "accepted"
    ahead = {"value": 40, "owner": "you", "at": time.time() + 100}  # a clock ahead proves nothing
    assert (await told(watch, "fan", ahead))["outcome"] == "accepted"
    long = {"value": "ON", "ttl": 30, "at": time.time() - 10}
    assert (await told(watch, "pump", long))["ttl"] == 30  # younger than its TTL: the full TTL from receipt
    result = await told(watch, "pump", {"value": "ON", "ttl": 30, "at": time.time() - 31})
    assert (result["code"] or result["outcome"]) == ("stale" if clock == "sync" else "accepted")
    assert running.levels(17)[-1] == 1


async def test_at_and_expiry_prove_a_resting_value_stale(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    old = time.time() - 20
    assert (await told(watch, "lamp", {"value": "ON", "at": old, "expiry": 10}))["code"] == "stale"
    assert running.levels(27) == [0]
    assert (await told(watch, "lamp", {"value": "ON", "at": old, "expiry": 30}))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "OFF", "at": old, "expiry": 10}))["outcome"] == "accepted"  # a stop
    assert (await told(watch, "lamp", {"value": "ON", "at": old}))["outcome"] == "accepted"  # nothing to be older than


async def test_commands_that_waited_in_a_stalled_agent_move_nothing_and_a_stop_among_them_works(
    node: Start, watch: Observer
) -> None:
    running = node(CAR, FAN, LAMP)
    await online(watch)
    await watch.send("pimqtt/car1/fan/set", {"value": 50, "owner": "me", "id": "before"})
    await watch.result("fan", "before", outcome="accepted")
    running.signal("agent", signal.SIGSTOP)
    for number in range(20):
        await watch.send("pimqtt/car1/car/set", {"value": {"x": 0, "y": 0.5}, "owner": "me", "id": f"car{number}"})
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "lamp"})
    await watch.send("pimqtt/car1/fan/set", {"value": "stop", "id": "stop"})
    await asyncio.sleep(1)
    running.signal("agent", signal.SIGCONT)
    await watch.result("fan", "stop", outcome="accepted")
    assert (await watch.result("car", "car19"))["code"] == "stale"
    assert len(results(watch, "car", code="stale")) == 20
    assert [running.levels(pin) for pin in WHEELS] == [[0]] * 4
    await watch.result("lamp", "lamp", outcome="accepted")  # a level may wait
    fresh = await told(watch, "car", {"value": {"x": 0, "y": 0.5}, "owner": "me"})
    assert fresh["outcome"] == "accepted"


async def test_a_command_that_its_keeper_does_not_take_in_time_is_rejected_and_not_done_later(
    node: Start, watch: Observer
) -> None:
    running = node(FAN, LAMP)
    await online(watch)
    running.signal("keeper pins", signal.SIGSTOP)
    sent_s = time.monotonic()
    for device, value in (("lamp", "ON"), ("fan", 50)):
        await watch.send(f"pimqtt/car1/{device}/set", {"value": value, "id": "late", "ttl": 0.4})
    late = await watch.wait("pimqtt/car1/lamp/result")
    running.signal("keeper pins", signal.SIGCONT)
    assert (late.json()["outcome"], late.json()["code"]) == ("rejected", "unavailable")
    assert 0.25 < late.at_s - sent_s < 0.6
    await asyncio.sleep(0.3)
    assert (running.levels(27)[-1], running.levels(23)[-1]) == (0, 0)
    assert 1 not in running.levels(27)
    assert 0.5 not in running.levels(23)


# ---- the emergency stop


@pytest.mark.parametrize("topic", [ALL, NODE, DEVICE])
async def test_the_emergency_stop_latches_until_a_reset_and_a_reset_starts_nothing(
    node: Start, watch: Observer, topic: str
) -> None:
    running = node(CAR, LAMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    async with Driving(watch, "car", "me", priority=9):
        await reached_any(running, 5)
        sent_ns = time.monotonic_ns()
        await watch.send(f"{topic}/set", "ON")
        assert seconds(sent_ns, await reached(running, 5, 0)) < 0.15
        ended = await watch.result("car", outcome="reverted")
        assert {"cause": "emergency", "owner": "me"}.items() <= ended.items()
        state = DEVICE if topic == DEVICE else NODE
        assert (await watch.wait(f"{state}/state", lambda s: s.text == "ON")).retain
        latched = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you", "priority": 9})
        assert {"code": "latched", "holder": None}.items() <= latched.items()
        stop = await told(watch, "car", {"value": "stop", "owner": "you"})
        assert stop["outcome"] == "accepted"
        await watch.send(f"{topic}/set", "OFF")
        await watch.wait(f"{state}/state", lambda s: s.text == "OFF", since=len(watch.seen) - 1)
        count = len(running.levels(5))
        await watch.wait("pimqtt/car1/car/result", lambda s: s.json()["code"] == "let_go")
        await asyncio.sleep(0.3)
        assert len(running.levels(5)) == count  # me goes on renewing: it must let go first
    accepted = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you"})
    assert accepted["outcome"] == "accepted"
    assert running.levels(27) == ([0, 1] if topic == DEVICE else [0, 1, 0])
    lamp = await told(watch, "lamp", {"value": "ON"})
    assert lamp["outcome"] == "accepted"


async def test_a_reset_at_a_wider_topic_clears_the_narrower_and_not_the_other_way_round(
    node: Start, watch: Observer
) -> None:
    node(CAR, FAN)
    await online(watch)

    async def latched(device: str) -> bool:
        value: Any = {"x": 0, "y": 0.1} if device == "car" else 10
        return bool((await told(watch, device, {"value": value, "owner": "new"}))["code"] == "latched")

    async def state(topic: str, text: str) -> None:
        await eventually(lambda: (seen := watch.last(f"{topic}/state")) and seen.text == text, what=f"{topic} {text}")

    await watch.send(f"{DEVICE}/set", "ON")
    await state(DEVICE, "ON")
    assert (await latched("car"), await latched("fan")) == (True, False)
    await watch.send(f"{NODE}/set", "ON")
    await state(NODE, "ON")
    assert (await latched("car"), await latched("fan")) == (True, True)
    await watch.send(f"{DEVICE}/set", "OFF")
    await state(DEVICE, "OFF")
    assert (await latched("car"), await latched("fan")) == (True, True)
    await watch.send(f"{DEVICE}/set", "ON")
    await state(DEVICE, "ON")
    await watch.send(f"{NODE}/set", "OFF")
    await state(NODE, "OFF")
    await state(DEVICE, "OFF")
    await asyncio.sleep(DEADMAN_S + 0.1)
    assert (await latched("car"), await latched("fan")) == (False, False)
    last = watch.last("pimqtt/car1/fan/stop/state")
    assert last
    assert last.text == "OFF"  # the state of a device's stop is its own latch


@pytest.mark.parametrize("topic", [NODE, DEVICE])
@pytest.mark.parametrize("how", ["agent", "keeper pins", "stop", "power cut"])
async def test_a_latch_survives(node: Start, watch: Observer, how: str, topic: str) -> None:
    running = node(CAR)
    await online(watch)
    await watch.send(f"{topic}/set", "ON")
    await watch.wait(f"{topic}/state", lambda s: s.text == "ON")
    since = len(watch.seen)
    if how in ("agent", "keeper pins"):
        await replaced(running, how, running.signal(how, signal.SIGKILL))
    else:
        if how == "stop":
            running.stop()
        else:
            kill_all(running)
        running.start()
    if how != "keeper pins":
        await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since, timeout_s=10)
        await watch.wait(f"{topic}/state", lambda s: s.text == "ON", since=since)
    else:
        await eventually_accepted(watch, "car")
    refused_ = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"})
    assert refused_["code"] == "latched"
    await watch.send(f"{topic}/set", "OFF")
    await watch.wait(f"{topic}/state", lambda s: s.text == "OFF", since=since)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you"}))["outcome"] == "accepted"


async def test_a_memory_that_cannot_be_read_counts_as_latched(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    running.stop()
    state = running.folder / "state" / "pimqtt" / "car1" / "state.json"
    state.write_bytes(b'{"resting": {"car"')
    since = len(watch.seen)
    running.start()
    await watch.wait(f"{NODE}/state", lambda s: s.text == "ON", since=since, timeout_s=10)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}}))["code"] == "latched"
    assert "moved aside" in running.log.read_text()
    await watch.send(f"{NODE}/set", "OFF")
    await watch.wait(f"{NODE}/state", lambda s: s.text == "OFF", since=since)
    await asyncio.sleep(DEADMAN_S + 0.1)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}}))["outcome"] == "accepted"


@pytest.mark.parametrize("topic", [ALL, NODE, DEVICE])
async def test_a_retained_stop_is_done_and_cleared_and_a_retained_reset_is_refused(
    node: Start, watch: Observer, broker: Mosquitto, topic: str
) -> None:
    await retain(broker.port, f"{topic}/set", "ON")
    running = node(CAR)
    await online(watch)
    state = DEVICE if topic == DEVICE else NODE
    await watch.wait(f"{state}/state", lambda s: s.text == "ON")
    await cleared(broker.port, f"{topic}/set")
    since = len(watch.seen)
    await watch.send(f"{topic}/set", "OFF", retain=True)
    refused_ = await watch.wait(f"{state}/result", since=since)
    assert refused_.json()["code"] == "retained"
    await cleared(broker.port, f"{topic}/set")
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"}))["code"] == "latched"
    await watch.send(f"{topic}/set", "OFF")
    await watch.wait(f"{state}/state", lambda s: s.text == "OFF", since=since)
    await watch.send(f"{topic}/set", "ON", retain=True)
    await watch.wait(f"{state}/state", lambda s: s.text == "ON", since=len(watch.seen) - 1)
    await cleared(broker.port, f"{topic}/set")
    assert await stored(broker.port, f"{state}/state") == {f"{state}/state": b"ON"}
    assert running.levels(5) == [0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_emergency_stop_is_not_lost_while_the_pin_keeper_is_replaced(
    node: Start, watch: Observer, number: int
) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car"):
        await reached_any(running, 5)
        running.signal("keeper pins", number)
        await watch.send(f"{NODE}/set", "ON")
        await watch.wait(f"{NODE}/state", lambda s: s.text == "ON")
        await watch.wait("pimqtt/car1/car/result", lambda s: s.json()["code"] == "latched")
        lost = await watch.result("car", cause="keeper_lost")
        assert {"owner": "me", "state": {"x": 0, "y": 0}}.items() <= lost.items()
        levels = running.levels(5)
        assert levels.index(0, 1) == len(levels) - 1  # the claim of the next keeper, and no move after it


async def test_the_emergency_stop_is_also_taken_as_a_command_in_json(node: Start, watch: Observer) -> None:
    node(CAR)
    await online(watch)
    for word in ("ON", "OFF"):
        since = len(watch.seen)
        await watch.send(f"{NODE}/set", {"value": word})
        await watch.wait(f"{NODE}/state", lambda s, word=word: s.text == word, since=since)  # type: ignore[misc]


async def test_a_stop_that_is_no_word_is_answered_and_changes_nothing(node: Start, watch: Observer) -> None:
    node(CAR)
    await online(watch)
    for payload in ("on", b"\xff", "{", '{"value": "on"}', "1", "null"):
        since = len(watch.seen)
        await watch.send(f"{NODE}/set", payload)
        assert (await watch.wait(f"{NODE}/result", since=since)).json()["code"] == "invalid"
    await watch.send(f"{NODE}/set", "")
    accepted = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"})
    assert accepted["outcome"] == "accepted"
    last = watch.last(f"{NODE}/state")
    assert last
    assert last.text == "OFF"
