"""Reloading, unloading and failing to load: nothing is left over, nothing is done twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from driving import Drive, stops
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from rig import Pi, Socket, set_up


async def test_however_often_it_was_reloaded_the_fleet_is_sent_once(
    socket: Socket, hass: HomeAssistant, entry: Any
) -> None:
    for _ in range(3):
        assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await socket.ask("pimqtt/fleet"))["success"]
    await socket.event(lambda event: "nodes" in event)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await socket.event(lambda event: "nodes" in event)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.event(lambda event: "nodes" in event), 0.3)


async def test_set_up_before_home_assistant_has_started_it_can_be_unloaded_after(
    hass: HomeAssistant, pi: Pi, caplog: pytest.LogCaptureFixture
) -> None:
    assert await async_setup_component(hass, "automation", {})
    hass.set_state(CoreState.not_running)
    entry = await set_up(hass)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert (await hass.async_add_executor_job(_blueprints, hass)) == 4
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert "Unable to remove unknown job listener" not in caplog.text


def _blueprints(hass: HomeAssistant) -> int:
    return len(list(Path(hass.config.path("blueprints", "automation", "pimqtt")).glob("*.yaml")))


async def test_where_mqtt_goes_while_it_is_set_up_it_is_tried_again_and_nothing_is_left(
    hass: HomeAssistant, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    asked: list[str] = []

    async def subscribe(_hass: HomeAssistant, topic: str, *_: Any, **__: Any) -> Any:
        if len(asked) == 3:
            raise HomeAssistantError("MQTT is not set up")
        asked.append(topic)
        return lambda: ended.append(topic)

    monkeypatch.setattr("homeassistant.components.mqtt.async_subscribe", subscribe)
    entry = MockConfigEntry(domain="pimqtt", data={"base_topic": "pimqtt"}, unique_id="pimqtt")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert len(asked) == 3
    assert sorted(ended) == sorted(asked)


async def test_when_a_node_was_lost_outlives_a_reload(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.say("availability", "offline")
    lost = entry.runtime_data.fleet.nodes["car1"].since
    assert await hass.config_entries.async_reload(entry.entry_id)
    pi.announced = False
    pi.retained["pimqtt/car1/availability"] = "offline"
    await pi.announce()
    node = entry.runtime_data.fleet.nodes["car1"]
    assert (node.since, node.exact) == (lost, True)


async def test_what_was_not_yet_written_is_not_written_after_the_entry_is_removed(
    hass: HomeAssistant, pi: Pi, entry: Any, hass_storage: dict[str, Any], freezer: Any
) -> None:
    await pi.say("availability", "offline")
    await hass.config_entries.async_remove(entry.entry_id)
    freezer.tick(timedelta(seconds=30))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert "pimqtt.seen" not in hass_storage


@pytest.mark.parametrize("kept", [{"car1": []}, {"car1": {"online": True, "since": "2026-13-45T99:00:00+00:00"}}])
async def test_whatever_the_file_says_a_node_comes_online(
    hass: HomeAssistant, pi: Pi, hass_storage: dict[str, Any], kept: Any
) -> None:
    hass_storage["pimqtt.seen"] = {"version": 1, "minor_version": 1, "key": "pimqtt.seen", "data": kept}
    entry = await set_up(hass)
    await pi.announce()
    assert entry.runtime_data.fleet.nodes["car1"].online


async def test_a_session_that_ended_while_it_opened_does_not_open_after_all(
    drive: Drive, pi: Pi, hass: HomeAssistant, entry: Any
) -> None:
    pi.silent = True
    assert (await drive.socket.ask("pimqtt/drive", entity_id="sensor.car1_car"))["success"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert "ended" in await drive.socket.event()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(drive.socket.event(), 2.5)
    assert stops(pi) == []


async def test_an_action_whose_drive_is_cut_short_is_not_done(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    data = {"entity_id": "sensor.car1_car", "y": 0.5, "duration": 20}
    call = hass.services.async_call("pimqtt", "drive", data, blocking=True, return_response=True)
    driving = hass.async_create_task(call)
    while not pi.commands("car"):
        await asyncio.sleep(0.02)
    assert await hass.config_entries.async_unload(entry.entry_id)
    told: Any = (await driving)["sensor.car1_car"]  # type: ignore[index]
    assert (told["outcome"], told["code"], told["reason_key"]) == ("rejected", "unavailable", "unloaded")
    assert len(stops(pi)) == 1


async def test_a_search_goes_on_in_the_entry_that_was_loaded_anew(
    socket: Socket, hass: HomeAssistant, entry: Any, pi: Pi
) -> None:
    assert (await socket.ask("pimqtt/search", seconds=5))["success"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    found = Pi(hass, "car2")
    await found.announce()
    told = await socket.event(lambda event: event.get("found", {}).get("node") == "car2")
    assert (told["found"]["name"], told["found"]["new"]) == ("The red car", True)
