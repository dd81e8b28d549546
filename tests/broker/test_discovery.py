"""Discovery at the broker: orphans, what is not published again, what is removed."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.broker.session import AVAILABILITY
from tests.broker.steps import CAR, FAN, LAMP, PUMP, Start, online, retain, stored
from tests.rig import Mosquitto, Observer, config

pytestmark = pytest.mark.broker


async def test_orphans_in_discovery_are_cleared_and_those_of_others_are_not(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    ghost, other = "homeassistant/device/car1/ghost/config", "homeassistant/device/car2/ghost/config"
    for topic in (ghost, other):
        await retain(broker.port, topic, {"components": {"main": {"platform": "switch"}}})
    node(LAMP)
    await online(watch)
    await watch.wait(ghost, lambda s: s.payload == b"")
    kept = await stored(broker.port, "homeassistant/#")
    assert set(kept) == {other, *(f"homeassistant/device/car1/{device}/config" for device in ("lamp", "system"))}


async def test_identical_discovery_is_not_published_again_and_the_node_comes_first(
    node: Start, watch: Observer
) -> None:
    running = node(LAMP, CAR, PUMP)
    await online(watch)
    for device in ("car", "lamp", "pump"):
        await watch.wait(f"homeassistant/device/car1/{device}/config")
    announced = [s.topic.split("/")[3] for s in watch.seen if s.topic.startswith("homeassistant/device/")]
    assert announced[0] == "system"
    assert sorted(announced) == ["car", "lamp", "pump", "system"]
    for how in ("crash", "restart"):
        since = len(watch.seen)
        if how == "crash":
            running.signal("agent", signal.SIGKILL)
        else:
            running.stop()
            running.start()
        await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since, timeout_s=10)
        await watch.wait("pimqtt/car1/system/version/state", since=since)
        await asyncio.sleep(0.3)
        assert not [s for s in watch.seen[since:] if s.topic.startswith("homeassistant/device/")]


async def test_a_removed_entity_gets_a_tombstone_and_two_seconds_later_the_clean_payload(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    """The kind changes: its number and its button leave, a switch comes."""
    running = node(FAN, LAMP)
    await online(watch)
    topic = "homeassistant/device/car1/fan/config"
    before = (await watch.wait(topic)).json()["components"]
    assert {key: component["platform"] for key, component in before.items()} == {
        "main": "number", "halt": "button", "stop": "switch",
    }  # fmt: skip
    running.stop()
    running.config.write_text(config(broker.port, "{id: fan, kind: switch, pin: 23}"))
    since = len(watch.seen)
    running.start()
    await watch.wait("homeassistant/device/car1/lamp/config", lambda s: s.payload == b"", 10, since)
    first = await watch.wait(topic, since=since)
    buried = {key: part for key, part in first.json()["components"].items() if len(part) == 1}
    assert buried == {"main": {"platform": "number"}, "halt": {"platform": "button"}}
    clean = await watch.wait(topic, lambda s: s.at_s > first.at_s, since=since)
    assert clean.at_s - first.at_s >= 2
    parts = clean.json()["components"]
    assert {key: part["platform"] for key, part in parts.items()} == {"main": "switch", "stop": "switch"}
    assert all(len(part) > 1 for part in parts.values())

    async def gone() -> bool:
        return not [topic for topic in await stored(broker.port, "pimqtt/#") if "/lamp/" in topic]

    for _ in range(60):
        if await gone():
            break
        await asyncio.sleep(0.1)
    assert await gone()  # the states of what left are not left behind
    assert [s.payload for s in watch.seen[since:] if s.topic == topic][2:] == []
