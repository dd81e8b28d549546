"""A pin keeper without its agent, and one that hangs while nothing is on."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from tests.broker.steps import (
    LAMP,
    PUMP,
    SLOW_S,
    Start,
    eventually,
    eventually_told,
    moves,
    online,
    ran,
    reached,
    replaced,
    results,
    seconds,
    told,
)
from tests.rig import Observer

pytestmark = pytest.mark.broker


async def test_a_keeper_without_an_agent_ends_when_its_last_lease_is_over_and_not_before(
    node: Start, watch: Observer
) -> None:
    running = node(PUMP, LAMP, extra="linger_s: 1\n")
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    sent_ns = time.monotonic_ns()
    await told(watch, "pump", {"value": "ON", "ttl": 3, "owner": "me", "id": "a"})
    keeper = running.pid("keeper pins")
    agent = running.signal("agent", signal.SIGSTOP)
    await asyncio.sleep(2)  # twice linger_s
    assert (running.levels(17), running.levels(27)) == ([0, 1], [0, 1])
    assert running.pid("keeper pins") == keeper
    await reached(running, 17, 0)
    await reached(running, 27, 0)  # on_stop
    on, off = moves(running, 17)
    (_, ended) = moves(running, 27)
    ran(3, sent_ns, on["t_ns"], off["t_ns"], SLOW_S)
    assert 0 <= seconds(off["t_ns"], ended["t_ns"]) <= SLOW_S
    await eventually(lambda: not running.pid("keeper pins"), what="the keeper ends")
    os.kill(agent, signal.SIGCONT)
    lapsed = await watch.result("pump", outcome="reverted")
    assert {"id": "a", "owner": "me", "cause": "expired"}.items() <= lapsed.items()
    assert (await eventually_told(watch, "pump", {"value": "ON", "ttl": 1}))["outcome"] == "accepted"
    assert len(results(watch, "pump", outcome="reverted", id="a")) == 1


async def test_a_keeper_that_froze_at_rest_is_replaced_at_once_when_something_is_asked(
    node: Start, watch: Observer
) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    keeper = running.signal("keeper pins", signal.SIGSTOP)
    await asyncio.sleep(1.5)
    assert running.pid("keeper pins") == keeper, "nobody asked, and at rest it beats every 10 s"
    asked_s = time.monotonic()
    refused = await told(watch, "pump", {"value": "ON", "ttl": 1})
    assert refused["code"] == "unavailable"
    await replaced(running, "keeper pins", keeper)
    assert time.monotonic() - asked_s <= 0.3 + 0.5 + SLOW_S
    assert (await eventually_told(watch, "pump", {"value": "ON", "ttl": 1}))["outcome"] == "accepted"
    assert running.levels(27) == [0, 0], "only the claim of the next one"


async def test_a_keeper_that_froze_at_rest_is_replaced_though_nobody_asks(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    keeper, frozen_s = running.signal("keeper pins", signal.SIGSTOP), time.monotonic()
    await eventually(lambda: running.pid("keeper pins") not in (0, keeper), 28, "another keeper")
    assert 10 <= time.monotonic() - frozen_s <= 26  # more than two beats at rest were missing
    assert (await eventually_told(watch, "pump", {"value": "ON", "ttl": 1}))["outcome"] == "accepted"
