"""Registry events: each costs the node that it is about, however many others there are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from custom_components.pimqtt import registries, view
from custom_components.pimqtt.fleet import SIGNAL_NODE, Fleet
from custom_components.pimqtt.nodes import Node
from custom_components.pimqtt.seen import Seen
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message
from rig import Pi, Socket

MANY = 60


class Counted(dict[str, Any]):
    """The nodes of a fleet, that count how often they are gone through."""

    walks = 0

    def values(self) -> Any:
        self.walks += 1
        return super().values()

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return super().__iter__()


@pytest.fixture
async def told(hass: HomeAssistant, entry: Any, pi: Pi) -> list[str]:
    """Many nodes; the ones that are told to have changed from now on."""
    for number in range(MANY):
        said = {**pi.info, "node": f"n{number}", "hardware_id": f"n{number}", "name": f"Node {number}"}
        async_fire_mqtt_message(hass, f"pimqtt/n{number}/info", json.dumps(said))
        async_fire_mqtt_message(hass, f"pimqtt/n{number}/availability", "online")
    await hass.async_block_till_done()
    assert len(entry.runtime_data.fleet.nodes) == MANY + 1
    await asyncio.sleep(0.15)
    changed: list[str] = []

    @callback
    def note(node: str) -> None:
        changed.append(node)

    entry.async_on_unload(async_dispatcher_connect(hass, SIGNAL_NODE, note))
    return changed


async def after(hass: HomeAssistant) -> None:
    await hass.async_block_till_done()
    await asyncio.sleep(0.15)
    await hass.async_block_till_done()


async def test_a_renamed_entity_changes_its_node_only(hass: HomeAssistant, told: list[str], entry: Any) -> None:
    fleet = entry.runtime_data.fleet
    fleet.nodes = counted = Counted(fleet.nodes)
    er.async_get(hass).async_update_entity("switch.car1_pump", new_entity_id="switch.fountain")
    await after(hass)
    assert told == ["car1"]
    assert counted.walks == 0, "the work must not grow with the number of nodes"


async def test_a_burst_of_events_is_one_change(hass: HomeAssistant, told: list[str]) -> None:
    registry = er.async_get(hass)
    for one in list(registry.entities.values()):
        registry.async_update_entity(one.entity_id, name=f"{one.entity_id} again")
    await after(hass)
    assert told == ["car1"]


async def test_a_removed_entity_changes_its_node(hass: HomeAssistant, told: list[str]) -> None:
    registry = er.async_get(hass)
    registry.async_update_entity("switch.car1_pump", new_entity_id="switch.fountain")
    await after(hass)
    registry.async_remove("switch.fountain")
    await after(hass)
    assert told == ["car1", "car1"]


async def test_a_device_that_is_moved_changes_its_node(hass: HomeAssistant, told: list[str]) -> None:
    area = ar.async_get(hass).async_create("Garden")
    pump = er.async_get(hass).async_get("switch.car1_pump")
    assert pump is not None
    dr.async_get(hass).async_update_device(str(pump.device_id), area_id=area.id)
    await after(hass)
    assert told == ["car1"]


async def test_what_is_not_ours_changes_nothing(hass: HomeAssistant, told: list[str], entry: Any) -> None:
    registry = er.async_get(hass)
    one = registry.async_get_or_create("light", "hue", "pimqtt.car1.pump")
    registry.async_get_or_create("switch", "mqtt", "tasmota_1")
    device = dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, identifiers={("mqtt", "tasmota")})
    dr.async_get(hass).async_update_device(device.id, name="Other")
    registry.async_remove(one.entity_id)
    await after(hass)
    assert told == []


class Asked(Fleet):
    """A fleet that notes which boards it is asked for."""

    def by_identity(self, identity: str) -> list[Node]:
        self.asked = [*getattr(self, "asked", []), identity]
        return []


async def test_what_ended_follows_no_more(hass: HomeAssistant, told: list[str]) -> None:
    following, ended = Asked(hass, "a", Seen(hass)), Asked(hass, "b", Seen(hass))
    ends, others = registries.async_follow(hass, ended), registries.async_follow(hass, following)
    er.async_get(hass).async_update_entity("switch.car1_pump", name="Fountain")
    await hass.async_block_till_done(wait_background_tasks=False)
    for end in ends:
        end()
    await after(hass)
    assert following.asked == ["car1"]
    assert not hasattr(ended, "asked")
    for end in others:
        end()


async def test_one_change_is_one_view_for_a_browser(
    socket: Socket, hass: HomeAssistant, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await socket.ask("pimqtt/fleet"))["success"]
    assert len((await socket.event())["nodes"]) == MANY + 1
    await asyncio.sleep(0.25)
    seen: list[str] = []
    real: Callable[..., Any] = view.node_view

    def counting(hass: HomeAssistant, node: Any, user: Any) -> Any:
        seen.append(node.id)
        return real(hass, node, user)

    monkeypatch.setattr("custom_components.pimqtt.fleet_watch.node_view", counting)
    er.async_get(hass).async_update_entity("switch.car1_pump", name="Fountain")
    await after(hass)
    assert seen == ["car1"]


async def test_boards_are_found_without_looking_through_all_nodes(
    hass: HomeAssistant, entry: Any, told: list[str], pi: Pi
) -> None:
    fleet = entry.runtime_data.fleet
    fleet.nodes = counted = Counted(fleet.nodes)
    assert [node.id for node in fleet.by_identity("n7")] == ["n7"]
    assert counted.walks == 0
    await pi.announce(hardware_id="other")
    assert fleet.by_identity("car1") == []
    assert [node.id for node in fleet.by_identity("other")] == ["car1"]
    await pi.say("info", "")
    assert fleet.by_identity("other") == []
