"""Another board under our name: we back off and move nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.broker.session import AVAILABILITY, INFO, MARKER
from tests.broker.steps import CAR, LAMP, Start, eventually, online, retain, stored
from tests.rig import Mosquitto, Observer

pytestmark = pytest.mark.broker


async def test_another_board_under_our_name_makes_us_back_off_and_move_nothing(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    await retain(broker.port, INFO, {"hardware_id": "another board", "version": "1"})
    await retain(broker.port, AVAILABILITY, "online")
    await retain(broker.port, "pimqtt/car1/lamp/set", "ON")
    running = node(LAMP, CAR)
    await eventually(lambda: "is another board (another board; we are car1)" in running.log.read_text(), 10, "said so")
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    await watch.send("pimqtt/car1/car/set", {"value": {"x": 0, "y": 1}, "id": "b"})
    await asyncio.sleep(1.2)
    said = [s.topic for s in watch.seen if not s.topic.endswith("/set")]
    assert said == [INFO, AVAILABILITY, MARKER]  # one session, and nothing said in it
    assert (running.levels(27), running.levels(5)) == ([0], [0])
    kept = await stored(broker.port, "pimqtt/#")
    assert json.loads(kept[INFO])["hardware_id"] == "another board"
    assert kept[AVAILABILITY] == b"online"
    assert kept["pimqtt/car1/lamp/set"] == b"ON"  # it is the other's to do


async def test_a_board_that_comes_later_under_our_name_makes_us_back_off(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    await watch.send(INFO, {"hardware_id": "another board"}, retain=True)
    await eventually(lambda: "is another board" in running.log.read_text(), what="said so")
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    command = await watch.wait("pimqtt/car1/lamp/set")
    since = watch.seen.index(command)
    await asyncio.sleep(1.2)
    assert watch.seen[since:] == [command]
    assert running.levels(27) == [0]


async def test_a_board_that_is_gone_leaves_its_name_to_us(node: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, INFO, {"hardware_id": "another board"})
    await retain(broker.port, AVAILABILITY, "offline")
    node(LAMP)
    await online(watch)
    assert (await watch.wait(INFO, lambda s: s.json()["hardware_id"] == "car1")).retain
