"""A device that left while Home Assistant was perhaps down: what it must hear when it comes back."""

from __future__ import annotations

import asyncio

import pytest

from tests.broker.steps import LAMP, PUMP, Start, kill_all, online, retain, stored
from tests.rig import Mosquitto, Node, Observer, config

pytestmark = pytest.mark.broker

STATUS, LAMPS = "homeassistant/status", "homeassistant/device/car1/lamp/config"
#: What Home Assistant takes to work on a payload (s), and how long the node may take after its birth.
APART_S, BORN_S = 2.0, 8.0


def said(watch: Observer, since: int) -> list[tuple[bytes, float]]:
    """List what was published on the lamp's discovery topic."""
    return [(seen.payload, seen.at_s) for seen in watch.seen[since:] if seen.topic == LAMPS]


async def without_lamp(running: Node, watch: Observer, port: int) -> bytes:
    """Take the lamp out of the configuration; return what was announced of it."""
    announced = (await watch.wait(LAMPS)).payload
    running.config.write_text(config(port, PUMP))
    assert running.process
    running.stop()
    running.start()
    await watch.wait(LAMPS, lambda s: not s.payload, 10)
    return announced


async def born(watch: Observer, *words: str) -> int:
    """Let Home Assistant say these; return what was seen before."""
    since = len(watch.seen)
    for word in words:
        await watch.send(STATUS, word)
    return since


@pytest.mark.parametrize("power_cut", [False, True])
async def test_it_hears_once_that_a_device_left(
    node: Start, watch: Observer, broker: Mosquitto, *, power_cut: bool
) -> None:
    running = node(LAMP, PUMP)
    await online(watch)
    announced = await without_lamp(running, watch, broker.port)
    if power_cut:
        kill_all(running)
        since = len(watch.seen)
        running.start()
        await online(watch, since)
    since = await born(watch, "online")
    await watch.wait(LAMPS, lambda s: s.payload == announced, BORN_S, since)
    await watch.wait(LAMPS, lambda s: not s.payload, BORN_S, since)
    (_, first_s), (_, last_s) = said(watch, since)
    assert last_s - first_s > APART_S
    assert LAMPS not in await stored(broker.port, "homeassistant/#")
    since = await born(watch, "offline", "online")
    await asyncio.sleep(APART_S + 2)
    assert said(watch, since) == []


@pytest.mark.parametrize("how", ["its status is retained", "the device is back"])
async def test_it_hears_nothing_where_nothing_is_left(
    node: Start, watch: Observer, broker: Mosquitto, how: str
) -> None:
    if how == "its status is retained":
        await retain(broker.port, STATUS, "online")
    running = node(LAMP, PUMP)
    await online(watch)
    await without_lamp(running, watch, broker.port)
    if how == "the device is back":
        running.stop()
        running.config.write_text(config(broker.port, LAMP, PUMP))
        since = len(watch.seen)
        running.start()
        await watch.wait(LAMPS, lambda s: bool(s.payload), 10, since)
    since = await born(watch, "online")
    await asyncio.sleep(2 * APART_S)
    assert said(watch, since) == []
