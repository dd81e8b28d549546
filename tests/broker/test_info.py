"""What `info` tells beside names and versions: pins, rooms, the broker's limit, the clock, what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker.steps import CAR, PUMP, Start
from tests.rig import Mosquitto, Node, Observer, config, observer

pytestmark = pytest.mark.broker

INFO = "pimqtt/car1/info"
TRUCK = "{id: truck, kind: drive, motor: {phase: 2, enable: 3}, steering: {pin: 14}, area: Yard}"
GLOW = "{id: glow, kind: light, rgb: {red: 8, green: 9, blue: 10}}"
EYE = "{id: eye, kind: camera, source: synthetic}"
#: What each switch was told, and what comes back then.
RESTORE = {"": "config", "restore: config": "config", "restore: last": "last", "initial: last": "last",
           "initial: on": "config", "restore: off": "off"}  # fmt: skip


async def info_of(watch: Observer) -> Any:
    return (await watch.wait(INFO, timeout_s=10)).json()


async def test_pins_and_rooms(node: Start, watch: Observer) -> None:
    node(PUMP, CAR, TRUCK, GLOW, EYE)
    devices = {device["id"]: device for device in (await info_of(watch))["devices"]}
    assert {name: device["pins"] for name, device in devices.items()} == {
        "pump": {"pin": 17},
        "car": {"left.forward": 5, "left.backward": 6, "right.forward": 13, "right.backward": 19},
        "truck": {"motor.phase": 2, "motor.enable": 3, "steering.pin": 14},
        "glow": {"rgb.red": 8, "rgb.green": 9, "rgb.blue": 10},
        "eye": None,
        "system": None,
    }
    assert {device["area"] for device in devices.values()} == {None, "Yard"}
    assert devices["truck"]["area"] == "Yard"


async def test_a_device_is_in_its_nodes_room(watch: Observer, broker: Mosquitto, tmp_path: Path) -> None:
    text = config(broker.port, PUMP, TRUCK).replace("node: car1\n", "node: {id: car1, area: Hall}\n")
    with Node(tmp_path / "node", text):
        devices = {device["id"]: device for device in (await info_of(watch))["devices"]}
    assert {name: device["area"] for name, device in devices.items()} == {
        "pump": "Hall", "truck": "Yard", "system": "Hall",
    }  # fmt: skip


async def test_what_comes_back_is_shown_as_it_was_configured(node: Start, watch: Observer) -> None:
    switches = [f"{{id: s{pin}, kind: switch, pin: {pin}, {option}}}" for pin, option in enumerate(RESTORE, 40)]
    node(*switches, CAR)
    devices = {device["id"]: device for device in (await info_of(watch))["devices"]}
    shown = [devices[f"s{pin}"]["entities"][0]["restore"] for pin, _ in enumerate(RESTORE, 40)]
    assert shown == list(RESTORE.values())
    assert {entity["restore"] for entity in devices["car"]["entities"] if "restore" in entity} == {"config"}


@pytest.mark.parametrize(("clock", "synchronised"), [("sync", True), ("unsync", False)])
async def test_the_clock(node: Start, watch: Observer, clock: str, *, synchronised: bool) -> None:
    node(PUMP, env={"PIMQTT_CLOCK": clock})
    info = await info_of(watch)
    assert info["clock_synchronised"] is synchronised
    assert info["max_packet_size"] is None
    assert info["under_voltage"] in (None, False, True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, "max_packet_size 20000\n") as broker:
        yield broker


@pytest.mark.parametrize(("protocol", "size"), [("5", 20_000), ("3.1.1", None)])
async def test_the_largest_packet_of_the_broker(
    small: Mosquitto, tmp_path: Path, protocol: str, size: int | None
) -> None:
    text = config(small.port, PUMP).replace("mqtt: {", f'mqtt: {{protocol: "{protocol}", ')
    with Node(tmp_path / "node", text):
        async with observer(small.port) as watch:
            assert (await info_of(watch))["max_packet_size"] == size


async def test_it_stays_small(node: Start, watch: Observer) -> None:
    node(PUMP, CAR)
    assert len((await watch.wait(INFO, timeout_s=10)).payload) < 4000
