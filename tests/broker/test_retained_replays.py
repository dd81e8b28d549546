"""Replayed commands: what is applied, for how long, what never is, and that all are cleared."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest

from tests.broker.retained import V5, V311, both, eventually_clear
from tests.broker.steps import CAR, FAN, LAMP, PUMP, Start, cleared, online, reached, replaced, results, retain, told
from tests.rig import Mosquitto, Observer

pytestmark = pytest.mark.broker


def pump(number: int) -> str:
    """Configure one of several alike."""
    return f"{{id: p{number}, kind: switch, pin: {number + 2}, ttl: {{default: 30, max: 60}}}}"


async def judged(watch: Observer, device: str) -> str:
    """Wait for the first result of a device; return its code, or its outcome."""
    result = (await watch.wait(f"pimqtt/car1/{device}/result")).json()
    return str(result["code"] or result["outcome"])


@both
async def test_a_replayed_resting_value_is_applied_once_and_cleared(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    running = start(LAMP)
    await online(watch)
    await watch.result("lamp", "a", outcome="accepted")
    assert running.levels(27) == [0, 1]
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    await told(watch, "lamp", {"value": "OFF"})
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since)
    await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "OFF", since=since)
    assert running.levels(27) == [0, 1, 0]


@both
async def test_a_replayed_plain_command_is_applied_and_a_replayed_empty_one_is_not(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/set", "ON")
    await retain(broker.port, "pimqtt/car1/l2/set", "ON")
    await retain(broker.port, "pimqtt/car1/l2/set", "")
    running = start(LAMP, "{id: l2, kind: switch, pin: 4}")
    await online(watch)
    await reached(running, 27, 1)
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    assert running.levels(4) == [0]
    assert results(watch, "l2") == []


ROWS: list[tuple[str, dict[str, Any], str, tuple[float, float] | None]] = [
    # what it shows, the fields (at: seconds before now), the code or outcome, between which TTLs it is done
    ("proven by at", {"ttl": 20, "at": 5}, "accepted", (5, 15)),
    ("a little ahead", {"ttl": 20, "at": -0.7}, "accepted", (9, 20)),
    ("too far ahead", {"ttl": 20, "at": -60}, "stale", None),
    ("over by at", {"ttl": 20, "at": 30}, "stale", None),
    ("less than the floor left", {"ttl": 20, "at": 19.99}, "stale", None),
    ("not proven", {"ttl": 20}, "stale", None),
    ("not proven, default TTL", {}, "stale", None),
    ("the default TTL proven", {"at": 0}, "accepted", (15, 30)),
    ("expiry that nobody set", {"ttl": 20, "expiry": 20}, "stale", None),
    ("a token that nobody gave", {"ttl": 20, "at": 1, "token": "x"}, "token", None),
    ("too long", {"ttl": 61, "at": 1}, "ttl_range", None),
]


@both
async def test_a_replayed_lease_has_only_the_life_that_at_proves_left(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    for number, (_, fields, _, _) in enumerate(ROWS):
        made = {"value": "ON", "id": f"a{number}", **fields}
        if "at" in made:
            made["at"] = time.time() - made["at"]
        await retain(broker.port, f"pimqtt/car1/p{number}/set", made)
    running = start(*(pump(number) for number in range(len(ROWS))))
    await online(watch)
    for number, (name, _, code, ttl) in enumerate(ROWS):
        assert await judged(watch, f"p{number}") == code, name
        result = results(watch, f"p{number}")[0]
        assert result["id"] == f"a{number}"
        if ttl:
            assert ttl[0] <= result["ttl"] <= ttl[1], name
            lease = await watch.wait(f"pimqtt/car1/p{number}/lease", lambda s: s.payload != b"{}")
            assert lease.json()["remaining_s"] <= ttl[1], name
        assert running.levels(number + 2) == ([0, 1] if ttl else [0]), name
    await cleared(broker.port, "pimqtt/car1/+/set")


@both
async def test_without_a_synchronised_clock_at_proves_nothing(start: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, "pimqtt/car1/pump/set", {"value": "ON", "ttl": 60, "at": time.time()})
    running = start(PUMP, env={"PIMQTT_CLOCK": "unsync"})
    await online(watch)
    assert await judged(watch, "pump") == "stale"
    await cleared(broker.port, "pimqtt/car1/pump/set")
    assert running.levels(17) == [0]


@pytest.mark.parametrize("protocol", [V5])
async def test_a_replayed_lease_has_only_the_life_that_expiry_proves_left(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    unsure = {"PIMQTT_CLOCK": "unsync"}
    for number, (ttl, expiry) in enumerate(((20, 20), (30, 30), (2, 10), (None, 60))):
        made: dict[str, Any] = {"value": "ON", "expiry": expiry, "id": f"a{number}"}
        made |= {"ttl": ttl} if ttl else {}
        await retain(broker.port, f"pimqtt/car1/p{number}/set", made, MessageExpiryInterval=expiry)
    await retain(broker.port, "pimqtt/car1/p4/set", {"value": "ON", "ttl": 20}, MessageExpiryInterval=20)
    await asyncio.sleep(1.1)
    running = start(*(pump(number) for number in range(5)), env=unsure)
    await online(watch)
    assert [await judged(watch, f"p{number}") for number in range(5)] == [
        "accepted", "accepted", "stale", "accepted", "stale",
    ]  # fmt: skip
    for number, least, most in ((0, 5, 18), (1, 14, 28), (3, 14, 28)):
        assert least <= results(watch, f"p{number}")[0]["ttl"] <= most
    await cleared(broker.port, "pimqtt/car1/+/set")
    assert [running.levels(number + 2) for number in (2, 4)] == [[0], [0]]


@both
async def test_a_replayed_stop_is_always_done_and_cleared(start: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "OFF", "id": "a", "at": time.time() - 1e6, "expiry": 1})
    await retain(broker.port, "pimqtt/car1/car/set", {"value": "stop", "id": "b"})
    running = start("{id: lamp, kind: switch, pin: 27, initial: on}", CAR)
    await online(watch)
    await watch.result("lamp", "a", outcome="accepted")
    await watch.result("car", "b", outcome="accepted")
    assert running.levels(27) == [1, 0]
    await cleared(broker.port, "pimqtt/car1/+/set")


@pytest.mark.parametrize(
    ("protocol", "when"),
    # MQTT 3.1.1 does not tell a subscriber that a live message is retained
    [(V5, "before the start"), (V5, "after the marker"), (V311, "before the start")],
)
async def test_what_moves_or_is_pressed_is_never_done_from_a_retained_message(
    start: Start, watch: Observer, broker: Mosquitto, when: str
) -> None:
    at = time.time()
    sent: dict[str, object] = {
        "car": {"value": {"x": 0, "y": 1}, "at": at, "ttl": 0.5},
        "fan": "100",
        "arm": "30",
        "system/restart": "PRESS",
    }
    devices = (CAR, FAN, "{id: arm, kind: servo, pin: 12}")
    if when == "before the start":
        for device, payload in sent.items():
            await retain(broker.port, f"pimqtt/car1/{device}/set", payload)
        running = start(*devices)
        await online(watch)
        agent = running.pid("agent")
    else:
        running = start(*devices)
        await online(watch)
        agent = running.pid("agent")
        for device, payload in sent.items():
            await watch.send(f"pimqtt/car1/{device}/set", payload, retain=True)
    for device in sent:
        assert await judged(watch, device) == "retained"
    await cleared(broker.port, "pimqtt/car1/+/set")
    await cleared(broker.port, "pimqtt/car1/+/+/set")
    assert [running.levels(pin) for pin in (5, 13, 23, 24, 12)] == [[0]] * 5
    assert running.pid("agent") == agent


@both
async def test_a_retained_command_that_is_refused_is_answered_and_cleared_all_the_same(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    for device, payload in (("lamp", "on"), ("pump", {"value": "ON", "ttl": 99}), ("nobody", "ON"), ("fan", "101")):
        await retain(broker.port, f"pimqtt/car1/{device}/set", payload)
    running = start(LAMP, PUMP, FAN)
    await online(watch)
    found = [await judged(watch, device) for device in ("lamp", "pump", "nobody", "fan")]
    assert found == ["invalid", "ttl_range", "unknown", "out_of_range"]
    await eventually_clear(broker.port)
    assert [running.levels(pin) for pin in (27, 17, 23)] == [[0]] * 3
