"""Live commands that the broker has stored: done, cleared, and not done again from their replay."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from typing import Any

import pytest

from tests.broker.retained import V5, V311, commands_left, eventually_clear
from tests.broker.steps import LAMP, PUMP, Start, cleared, eventually, online, reached, replaced, retain, token, told
from tests.rig import Mosquitto, Node, Observer

pytestmark = pytest.mark.broker

TOO_OLD = re.compile(r"a token of [\d.]+ s ago, allowed are 0\.5 s")


# ---- cleared, and judged by their token


@pytest.mark.parametrize("protocol", [V5])
async def test_a_live_retained_command_is_done_and_then_cleared_from_the_broker(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = start(LAMP, PUMP)
    await online(watch)
    assert (await told(watch, "lamp", {"value": "ON"}, retain=True))["outcome"] == "accepted"
    accepted = await told(watch, "pump", {"value": "ON", "ttl": 30}, retain=True, qos=1)
    assert accepted["ttl"] == 30  # live: what proves nothing is ignored
    assert (await told(watch, "pump", {"value": "ON", "ttl": 30, "at": time.time() - 40}, retain=True))[
        "code"
    ] == "stale"
    await eventually_clear(broker.port)
    assert (await told(watch, "lamp", {"value": "OFF"}))["outcome"] == "accepted"
    assert running.levels(27) == [0, 1, 0]
    assert running.levels(17) == [0, 1]


@pytest.mark.parametrize("protocol", [V5])
async def test_where_a_lease_bears_a_token_it_alone_decides(start: Start, watch: Observer, broker: Mosquitto) -> None:
    running = start(PUMP)
    await online(watch)
    fresh, over = await token(watch, "pump"), time.time() - 40
    first = await replayed(running, watch, broker, {"token": fresh, "at": over})  # `at` alone would say: stale
    # it lives for 0.5 s: on a loaded machine the next agent may be there too late, but nothing else may decide
    assert (first["outcome"], first["ttl"]) == ("accepted", 30) or TOO_OLD.search(first["reason"])
    assert (await told(watch, "pump", {"value": "OFF"}))["outcome"] == "accepted"
    refused = await replayed(running, watch, broker, {"token": fresh, "at": time.time()})  # `at` alone would do
    assert (refused["code"], refused["state"]) == ("stale", "OFF")
    assert TOO_OLD.search(refused["reason"])
    live = {"value": "ON", "ttl": 30, "token": await token(watch, "pump"), "at": over}
    assert (await told(watch, "pump", live, retain=True))["ttl"] == 30
    assert running.levels(17) == [0, *([1, 0] if first["ttl"] else []), 1]


async def replayed(running: Node, watch: Observer, broker: Mosquitto, fields: dict[str, Any]) -> dict[str, Any]:
    """Have the pump's command be there before the next agent is; return its result."""
    made = {"value": "ON", "ttl": 30, "id": fields["token"][-8:] + str(fields["at"]), **fields}
    old = running.signal("agent", signal.SIGSTOP)
    await retain(broker.port, "pimqtt/car1/pump/set", made)
    running.signal("agent", signal.SIGKILL)
    await replaced(running, "agent", old)
    result = await watch.result("pump", made["id"], timeout_s=10)
    await cleared(broker.port, "pimqtt/car1/pump/set")
    return result


# ---- MQTT 3.1.1: digests


@pytest.mark.parametrize("protocol", [V311])
async def test_with_311_a_command_that_was_done_live_is_not_done_again_from_its_replay(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = start(LAMP)
    await online(watch)
    assert (await told(watch, "lamp", {"value": "ON", "id": "kept"}, retain=True))["outcome"] == "accepted"
    for number in range(14):
        await told(watch, "lamp", {"value": "ON", "id": f"other{number}"})
    await told(watch, "lamp", {"value": "OFF"})
    assert set(await commands_left(broker.port)) == {"pimqtt/car1/lamp/set"}
    digests = running.folder / "state" / "pimqtt" / "car1" / "digests.json"
    await eventually(lambda: digests.exists() and digests.read_text().count('"') >= 2 + 2 * 16, what="digests on disk")
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since)
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    assert running.levels(27) == [0, 1, 0]
    # cleared since: the same payload is a new command
    await retain(broker.port, "pimqtt/car1/lamp/set", "")
    since = len(watch.seen)
    running.signal("agent", signal.SIGSTOP)
    old = running.pid("agent")
    await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "ON", "id": "kept"})
    running.signal("agent", signal.SIGKILL)
    await replaced(running, "agent", old)
    await reached(running, 27, 1)


@pytest.mark.parametrize("protocol", [V311])
async def test_with_311_a_stop_is_done_again_from_its_replay(start: Start, watch: Observer, broker: Mosquitto) -> None:
    running = start(LAMP)
    await online(watch)
    await told(watch, "lamp", {"value": "OFF", "id": "kept"}, retain=True)
    await told(watch, "lamp", {"value": "ON"})
    assert set(await commands_left(broker.port)) == {"pimqtt/car1/lamp/set"}
    await asyncio.sleep(1.2)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await reached(running, 27, 0)
    await cleared(broker.port, "pimqtt/car1/lamp/set")
