"""A link that stands still, and then brings all at once what the broker had sent on long before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.safety.world.relay import Relay
from tests.broker.steps import PATIENT_FAN, online, reached, results
from tests.rig import Mosquitto, Node, Observer, config

pytestmark = pytest.mark.broker
LAMP = "{id: lamp, kind: switch, pin: 27}"
EXPIRY_S = 60
#: After so long a sign of life was asked for, and came, that proves something (again).
RECOVERED_S = 2.5


@pytest.fixture
def relay(broker: Mosquitto) -> Iterator[Relay]:
    with Relay(broker.port) as relay:
        yield relay


@pytest.fixture
def running(relay: Relay, tmp_path: Path) -> Iterator[Node]:
    """A node without a clock, behind the relay."""
    text = config(relay.port, PATIENT_FAN, LAMP)
    with Node(tmp_path / "node", text, {"PIMQTT_CLOCK": "unsync"}) as node:
        yield node


async def send(watch: Observer, device: str, name: str, value: object, qos: int = 1) -> None:
    """Send a command that bears an expiry and nothing else."""
    command: dict[str, Any] = {"value": value, "id": name, "owner": "me", "expiry": EXPIRY_S}
    await watch.send(f"pimqtt/car1/{device}/set", command, qos=qos, MessageExpiryInterval=EXPIRY_S)


async def test_motion_with_an_expiry_that_a_link_brings_late_moves_nothing_and_the_next_does(
    running: Node, relay: Relay, watch: Observer
) -> None:
    await online(watch)
    await asyncio.sleep(2.5)  # idle: the broker is asked for a sign of life all the same
    await send(watch, "fan", "before", 40)
    await watch.result("fan", "before", outcome="accepted")
    await send(watch, "fan", "stop", "stop")
    await reached(running, 23, 0)
    relay.hold("to_agent")
    for number in range(10):
        await send(watch, "fan", f"late{number}", 50 + number)
        await asyncio.sleep(0.2)
    await send(watch, "lamp", "level", "ON")
    await asyncio.sleep(1.7)
    relay.release()
    await watch.result("fan", "late9")
    late = [result for result in results(watch, "fan") if result["id"].startswith("late")]
    assert [result["code"] for result in late] == ["stale"] * 10
    assert "it may have been on its way from the broker" in late[0]["reason"]
    assert running.levels(23) == [0, 0.4, 0]
    await watch.result("lamp", "level", outcome="accepted")  # a level may wait
    await asyncio.sleep(RECOVERED_S)
    await send(watch, "fan", "fresh", 70)
    await watch.result("fan", "fresh", outcome="accepted")
    await reached(running, 23, 0.7)


async def test_a_slow_link_is_no_reason_to_refuse(running: Node, relay: Relay, watch: Observer) -> None:
    relay.delay(0.2)
    await online(watch, timeout_s=20)
    await asyncio.sleep(RECOVERED_S)
    for number in range(8):
        await send(watch, "fan", f"slow{number}", 50 + number)
        await asyncio.sleep(0.3)
    await watch.result("fan", "slow7", outcome="accepted")
    assert len(results(watch, "fan", outcome="accepted")) == 8
    assert running.levels(23)[-1] == 0.57


async def test_motion_with_an_expiry_that_waited_for_a_broker_that_stood_still_moves_nothing(
    broker: Mosquitto, running: Node, watch: Observer
) -> None:
    """Its count begins when it reads them."""
    await online(watch)
    await asyncio.sleep(RECOVERED_S)
    await send(watch, "fan", "before", 40)
    await watch.result("fan", "before", outcome="accepted")
    await send(watch, "fan", "stop", "stop")
    await reached(running, 23, 0)
    await asyncio.sleep(1)
    broker.freeze()
    for number in range(400):
        await send(watch, "fan", f"late{number}", 50 + number % 40, qos=0)
        await asyncio.sleep(0.01)
    broker.thaw()
    await watch.result("fan", "late399")
    late = [result for result in results(watch, "fan") if result["id"].startswith("late")]
    assert len(late) == 400
    assert {result["code"] for result in late} <= {"stale", "unavailable"}, "many at once may be too many for it"
    assert running.levels(23) == [0, 0.4, 0]
    await asyncio.sleep(RECOVERED_S)
    await send(watch, "fan", "fresh", 70)
    await watch.result("fan", "fresh", outcome="accepted")
