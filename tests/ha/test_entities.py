"""Every kind in a real Home Assistant: what it is called there, and the node's own entities."""

from __future__ import annotations

import pytest

from tests.ha.house import EVERYTHING, HIDDEN, NODE, known
from tests.ha.pi import Pi
from tests.ha.rig import HomeAssistant
from tests.rig import Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(300), pytest.mark.usefixtures("no_warnings")]

FIRST = {
    "switch.house_pump": "off", "switch.house_relay": "off", "switch.house_heater": "off", "light.house_lamp": "off",
    "light.house_glow": "off", "binary_sensor.house_front_door": "on", "event.house_bell": "unknown",
    "number.house_fan": "0", "number.house_winch": "0", "number.house_arm": "unknown", "sensor.house_car": "stopped",
    "number.house_car_limit": "100", "sensor.house_truck": "stopped", "camera.house_eye": "idle",
    "button.house_eye_snapshot": "unknown", "switch.house_car_stop": "off", "switch.house_stop": "off",
    "binary_sensor.house_system_connection": "on",
}  # fmt: skip


async def test_everything_is_registered_by_its_names(ha: HomeAssistant, house: Pi) -> None:
    expected = {house.unique_id(key): (platform, f"The house {name}") for key, (platform, name) in NODE.items()}
    for device, (title, _, _, entities) in EVERYTHING.items():
        for key, (platform, name) in entities.items():
            parts = [device, key] if key else [device]
            expected[house.unique_id(*parts)] = (platform, f"{title} {name}".strip())
    entries = {key: entry for key, entry in (await ha.entities()).items() if key.startswith("pimqtt.house")}
    states = await ha.states()

    seen = {
        key: (entry["entity_id"].split(".")[0], states[entry["entity_id"]]["attributes"]["friendly_name"])
        for key, entry in entries.items()
        if not entry["disabled_by"]
    }

    assert {key: seen.get(key) for key in expected} == expected
    assert {key for key in set(seen) - set(expected) if not key.startswith("pimqtt.house.system.")} == set()
    off = {key: entry["entity_id"].split(".")[0] for key, entry in entries.items() if entry["disabled_by"]}
    assert off == {house.unique_id(key): platform for key, platform in HIDDEN.items()}


@pytest.mark.usefixtures("house")
async def test_entity_ids_say_node_device_and_entity(ha: HomeAssistant) -> None:
    states = await ha.states()

    assert {entity_id: states[entity_id]["state"] if entity_id in states else None for entity_id in FIRST} == FIRST


async def test_devices_are_nested_in_their_node(ha: HomeAssistant, house: Pi) -> None:
    devices = {name: device for device in await ha.devices() for _, name in device["identifiers"]}
    node = devices["pimqtt.house"]

    assert (node["name"], node["manufacturer"], node["via_device_id"]) == ("The house", "pimqtt", None)
    for device, (title, model, area, _) in EVERYTHING.items():
        entry = devices[house.unique_id(device)]
        assert entry["via_device_id"] == node["id"], device
        assert (entry["name"], entry["model"], entry["area_id"]) == (title, model, area)


async def test_the_restart_button_twitches_nothing(ha: HomeAssistant, house: Pi, watch: Observer) -> None:
    await ha.call("switch", "turn_on", {"entity_id": "switch.house_relay"})
    await ha.wait_state("switch.house_relay", "on")
    before, since = house.marks(), len(watch.seen)
    agent, pins = house.pid("agent"), house.pid("keeper pins")

    await ha.call("button", "press", {"entity_id": "button.house_system_restart"})

    assert await house.replaced("agent", agent)
    await watch.wait(house.topic("availability"), lambda seen: seen.text == "online", 15, since)
    await ha.wait_state("switch.house_relay", "on")
    await ha.wait_state("button.house_system_restart", lambda state: state["state"] != "unavailable")
    assert (house.marks(), house.pid("keeper pins")) == (before, pins)
    assert not [seen for seen in watch.seen[since:] if seen.topic.startswith("homeassistant/device/")]
    await ha.call("switch", "turn_off", {"entity_id": "switch.house_relay"})
    await ha.wait_state("switch.house_relay", "off")


@pytest.mark.usefixtures("house")
async def test_readings_have_values(ha: HomeAssistant) -> None:
    for key in ("load", "memory", "disk"):
        await ha.wait_state(f"sensor.house_system_{key}", lambda state: float(state["state"]) > 0)
    for key in ("booted", "started", "version"):
        await ha.wait_state(f"sensor.house_system_{key}", known)
