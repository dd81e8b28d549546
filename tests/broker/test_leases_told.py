"""How often a lease is told while it is renewed, and when it says that it ends."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.broker.session import words
from tests.broker.steps import CAR, PUMP, Driving, Start, online, told
from tests.rig import Observer

pytestmark = pytest.mark.broker


async def test_a_lease_is_told_at_most_once_a_second_while_it_is_renewed(node: Start, watch: Observer) -> None:
    node(PUMP, CAR, env={"PIMQTT_CLOCK": "unsync"})
    await online(watch)
    since = len(watch.seen)
    async with Driving(watch, "car"):
        for _ in range(24):
            await watch.send("pimqtt/car1/pump/set", {"value": "ON", "ttl": 3, "owner": "me"})
            await asyncio.sleep(0.1)
        assert 2 <= len(words(watch, "pimqtt/car1/car/lease", since)) <= 4
    await asyncio.sleep(0.2)
    leases = [s.json() for s in watch.seen[since:] if s.topic == "pimqtt/car1/pump/lease"]
    assert 2 <= len(leases) <= 4
    for lease in leases:
        assert {"owner": "me", "value": "ON", "resting": "OFF", "end": None}.items() <= lease.items()
        assert 1.8 < lease["remaining_s"] <= 3


async def test_the_last_of_several_renewals_is_told_within_a_second(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    for command_id in ("first", "last"):
        await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me", "id": command_id})
    sent_s = time.monotonic()
    seen = await watch.wait("pimqtt/car1/pump/lease", lambda s: b'"last"' in s.payload)
    assert seen.at_s - sent_s < 1.3


async def test_a_synchronised_clock_tells_when_a_lease_ends(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    lease = (await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}")).json()
    assert abs(lease["end"] - time.time() - 30) < 1
