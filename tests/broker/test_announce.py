"""Home Assistant is never told twice of one device within 2 s, whatever ends between the two."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal

import pytest

from tests.broker.steps import FAN, LAMP, Start, eventually, online, replaced
from tests.rig import Mosquitto, Node, Observer, Seen, config

pytestmark = pytest.mark.broker

TOPIC = "homeassistant/device/car1/fan/config"
SWITCH = "{id: fan, kind: switch, pin: 23}"


def announced(watch: Observer, since: int = 0) -> list[Seen]:
    return [seen for seen in watch.seen[since:] if seen.topic == TOPIC]


def apart(found: list[Seen]) -> bool:
    return all(after.at_s - before.at_s >= 1.9 for before, after in itertools.pairwise(found))


def reload(running: Node, port: int, *devices: str) -> None:
    assert running.process
    running.config.write_text(config(port, *devices))
    os.kill(running.process.pid, signal.SIGHUP)


async def test_an_agent_that_dies_after_a_tombstone_leaves_the_clean_payload_to_the_next_two_seconds_later(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(FAN, LAMP)
    await online(watch)
    await watch.wait(TOPIC)
    since = len(watch.seen)
    reload(running, broker.port, SWITCH, LAMP)
    first = await watch.wait(TOPIC, since=since, timeout_s=15)
    assert first.json()["components"]["main"] == {"platform": "number"}
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await eventually(lambda: len(announced(watch, since)) == 2, 15, "the clean payload")
    assert apart(announced(watch))
    assert announced(watch)[-1].json()["components"]["main"]["platform"] == "switch"


async def test_two_reloads_in_a_row_are_announced_two_seconds_apart(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(SWITCH)
    await online(watch)
    await watch.wait(TOPIC)
    for icon in ("mdi:fan", "mdi:water", "mdi:fire"):
        reload(running, broker.port, SWITCH.replace("}", f", icon: '{icon}'}}"))
        await asyncio.sleep(0.7)
    await eventually(lambda: "mdi:fire" in announced(watch)[-1].text, 20, "the last of them")
    since = len(watch.seen)
    reload(running, broker.port, LAMP)  # it leaves
    await eventually(lambda: [s.payload for s in announced(watch, since)] == [b""], 15, "it is gone")
    assert apart(announced(watch))
    assert len(announced(watch)) <= 4 + 1


async def test_what_home_assistant_does_not_know_yet_is_announced_at_once(node: Start, watch: Observer) -> None:
    node(LAMP)
    await online(watch)
    born = next(seen for seen in watch.seen if seen.topic == "pimqtt/car1/availability" and seen.text == "online")
    lamp = await watch.wait("homeassistant/device/car1/lamp/config")
    assert lamp.at_s - born.at_s < 1
