"""Diagnostics and system health: what helps, and nothing private."""

from __future__ import annotations

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info
from rig import Pi

PRIVATE = ("192.0.2.7", "secret-serial", "Anna's car", "Bob", "10.9.8.7")


async def test_diagnostics_have_the_fleet_and_nothing_private(
    hass: HomeAssistant, pi: Pi, entry: Any, hass_client: Any
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    await pi.announce(hardware_id="secret-serial", name="Anna's car", problem="10.9.8.7 is down")
    await pi.lease("pump", owner="Bob")
    await pi.result("pump", outcome="rejected", code="held", reason="'Bob' holds it", holder="Bob", owner="Bob")
    client = await hass_client()
    answer = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert answer.status == 200
    text = await answer.text()
    assert [one for one in PRIVATE if one in text] == []
    (node,) = (await answer.json())["data"]["nodes"]
    assert (node["id"], node["online"], node["protocol"]) == ("car1", True, 1)
    (pump,) = [one for one in node["devices"] if one["id"] == "pump"]
    assert pump["entities"][0]["lease"]["value"] == "ON"
    assert pump["entities"][0]["last"][0]["code"] == "held"


async def health(hass: HomeAssistant) -> dict[str, Any]:
    return dict(await get_system_health_info(hass, "pimqtt"))


async def test_system_health_counts_nodes(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    told = await health(hass)
    told.pop("bundle")
    assert told == {
        "protocol": 1, "base_topic": "pimqtt", "connected": True, "nodes": 1, "online": 1, "driving": 0,
    }  # fmt: skip
    await hass.config_entries.async_unload(entry.entry_id)
    assert set(await health(hass)) == {"protocol", "bundle"}


async def test_what_could_not_be_loaded_has_diagnostics_all_the_same(
    hass: HomeAssistant, entry: Any, hass_client: Any
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    assert await hass.config_entries.async_unload(entry.entry_id)
    client = await hass_client()
    answer = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert answer.status == 200
    told = (await answer.json())["data"]
    assert (told["state"], told["entry"]["data"]) == ("ConfigEntryState.NOT_LOADED", {"base_topic": "pimqtt"})
