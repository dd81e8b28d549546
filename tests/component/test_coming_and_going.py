"""Devices that come and go: a new node shows up without a reload, one that is forgotten leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message, async_fire_time_changed
from rig import Pi, Socket, listen


def devices(hass: HomeAssistant) -> set[str]:
    """Return all devices of MQTT."""
    entry = hass.config_entries.async_entries("mqtt")[0]
    return {one.id for one in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}


async def test_a_node_that_is_new_shows_up_without_a_reload(
    hass: HomeAssistant, socket: Socket, pi: Pi, entry: Any, mqtt_mock: Any
) -> None:
    assert (await socket.ask("pimqtt/fleet"))["success"]
    assert [one["id"] for one in (await socket.event())["nodes"]] == ["car1"]
    before, loaded = devices(hass), entry.runtime_data
    other = Pi(hass, "car2")
    listen(mqtt_mock, pi, other)
    await other.announce()

    def whole(event: dict[str, Any]) -> bool:
        node = event.get("node", {})
        shown = [one for device in node.get("devices", []) for one in device["entities"]]
        named = any(one["entity_id"] == "switch.car2_pump" for one in shown)
        return node.get("id") == "car2" and node["online"] and named

    await socket.event(whole)
    assert len(devices(hass)) == 2 * len(before)
    told = (await socket.ask("pimqtt/command", entity_id="switch.car2_pump", value="ON"))["result"]
    assert (told["outcome"], len(other.commands("pump")), pi.commands("pump")) == ("accepted", 1, [])
    assert entry.runtime_data is loaded, "nothing was loaded anew"


async def test_a_node_that_is_forgotten_leaves_no_device(
    hass: HomeAssistant, pi: Pi, entry: Any, freezer: Any, hass_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.issues.GONE_AFTER", timedelta(minutes=10))
    monkeypatch.setattr("custom_components.pimqtt.repairs.LISTEN_S", 0)  # time stands still, so nobody listens
    assert await async_setup_component(hass, "repairs", {})
    assert devices(hass)
    await pi.say("availability", "offline")
    freezer.tick(timedelta(minutes=15))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    client = await hass_client()
    found = {"handler": "pimqtt", "issue_id": "node_gone_car1"}
    flow = await (await client.post("/api/repairs/issues/fix", json=found)).json()
    done = await (await client.post(f"/api/repairs/issues/fix/{flow['flow_id']}", json={})).json()
    assert done["type"] == "create_entry"
    for one in pi.published:  # as the broker delivers them
        async_fire_mqtt_message(hass, one.topic, "")
    await hass.async_block_till_done()
    assert devices(hass) == set()
    assert [one.entity_id for one in er.async_get(hass).entities.values() if one.platform == "mqtt"] == []
    assert entry.runtime_data.fleet.nodes == {}
