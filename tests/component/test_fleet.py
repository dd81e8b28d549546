"""The fleet as a browser sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from rig import Pi, Socket, set_up


async def watch(socket: Socket) -> dict[str, Any]:
    assert (await socket.ask("pimqtt/fleet"))["success"]
    return await socket.event(lambda event: "nodes" in event)


async def changed(socket: Socket, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The node as soon as it fits; another change, of what was set up before, may be told first."""
    return dict((await socket.event(lambda event: "node" in event and fits(event["node"])))["node"])


def pump_of(node: dict[str, Any]) -> dict[str, Any]:
    return dict(device(node, "pump")["entities"][0])


def device(node: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in node["devices"] if one["id"] == name]
    return dict(found)


async def test_the_first_event_has_every_node_with_devices_and_entities(socket: Socket) -> None:
    first = await watch(socket)
    assert first["base"] == "pimqtt"
    assert first["connected"] is True
    (node,) = first["nodes"]
    told = {key: node[key] for key in ("id", "name", "online", "supported", "latched", "problem", "identity")}
    assert told == {
        "id": "car1", "name": "The red car", "online": True, "supported": True, "latched": False, "problem": None,
        "identity": "car1",
    }  # fmt: skip
    assert {one["id"] for one in node["devices"]} == {"pump", "lamp", "bell", "fan", "arm", "car", "eye", "system"}
    car = device(node, "car")["entities"][0]
    assert car["unique_id"] == "pimqtt.car1.car"
    assert car["entity_id"] == "sensor.car1_car"
    assert (car["motion"], car["deadman_s"], car["lease"], car["last"]) == ("continuous", 0.5, None, [])
    assert node["device_id"]
    assert device(node, "car")["device_id"] not in (None, node["device_id"])
    assert {"line": 17, "device": "pump", "role": "pin"} in node["pins"]
    assert device(node, "pump")["pins"] == {"pin": 17}


async def test_every_entity_that_discovery_made_is_found_by_its_unique_id(socket: Socket) -> None:
    (node,) = (await watch(socket))["nodes"]
    lost = [
        one["unique_id"] for part in node["devices"] for one in part["entities"]
        if one["entity_id"] is None and part["id"] != "system"
    ]  # fmt: skip
    assert lost == []


async def test_a_change_brings_the_whole_node_again(socket: Socket, pi: Pi) -> None:
    await watch(socket)
    await pi.lease("pump", owner="Bob", remaining_s=4.0)
    lease = pump_of(await changed(socket, lambda node: pump_of(node)["lease"] is not None))["lease"]
    assert (lease["owner"], lease["value"], lease["resting"], lease["end"]) == ("Bob", "ON", "OFF", None)
    assert 3 < lease["remaining_s"] <= 4


async def test_many_changes_are_sent_five_times_a_second_and_the_last_comes_through(socket: Socket, pi: Pi) -> None:
    await watch(socket)
    for number in range(50):
        await pi.lease("pump", owner=f"Bob {number}", remaining_s=4.0)
    owners: list[str] = []
    while not owners or owners[-1] != "Bob 49":
        node = await changed(socket, lambda node: pump_of(node)["lease"] is not None)
        owners.append(pump_of(node)["lease"]["owner"])
    assert len(owners) < 40


async def test_latches_availability_and_results_are_shown(socket: Socket, pi: Pi) -> None:
    await pi.say("car/stop/state", "ON")
    await pi.say("lamp/availability", "offline")
    await pi.result("pump", outcome="rejected", code="held", reason="'Bob' holds it", owner="Anna", holder="Bob")
    (node,) = (await watch(socket))["nodes"]
    assert (device(node, "car")["latched"], device(node, "car")["latched_by"]) == (True, "device")
    assert (device(node, "pump")["latched"], device(node, "pump")["latched_by"]) == (False, None)
    assert [device(node, one)["online"] for one in ("lamp", "pump")] == [False, True]
    (told,) = device(node, "pump")["entities"][0]["last"]
    assert (told["outcome"], told["code"], told["owner"], told["holder"]) == ("rejected", "held", "Anna", "Bob")
    assert datetime.now(UTC) - datetime.fromisoformat(told["at"]) < timedelta(minutes=1)
    await pi.say("stop/state", "ON")
    await pi.say("lamp/availability", "online")
    await pi.say("car/stop/state", "OFF")
    await asyncio.sleep(0.25)
    (node,) = (await watch(socket))["nodes"]
    assert (node["latched"], device(node, "pump")["latched_by"]) == (True, "node")
    assert device(node, "lamp")["online"]


async def test_five_results_are_kept_newest_first(socket: Socket, pi: Pi) -> None:
    for number in range(7):
        await pi.result("pump", outcome="reverted", cause="expired", id=f"x-{number}", owner=f"Bob {number}")
    (node,) = (await watch(socket))["nodes"]
    owners = [told["owner"] for told in device(node, "pump")["entities"][0]["last"]]
    assert owners == ["Bob 6", "Bob 5", "Bob 4", "Bob 3", "Bob 2"]


async def test_coming_and_going_is_told_with_its_time(socket: Socket, pi: Pi) -> None:
    (node,) = (await watch(socket))["nodes"]
    assert node["since"] is None, "what is retained came at a time that nobody knows"
    await pi.say("availability", "offline")
    node = await changed(socket, lambda node: not node["online"])
    assert datetime.now(UTC) - datetime.fromisoformat(node["since"]) < timedelta(minutes=1)


async def test_when_a_node_was_lost_outlives_a_restart_of_home_assistant(
    hass: HomeAssistant, pi: Pi, hass_storage: dict[str, Any], hass_ws_client: Any
) -> None:
    lost = "2026-01-02T03:04:05+00:00"
    data = {"car1": {"online": False, "since": lost, "exact": True}}
    hass_storage["pimqtt.seen"] = {"version": 1, "minor_version": 1, "key": "pimqtt.seen", "data": data}
    await set_up(hass)
    pi.retained["pimqtt/car1/availability"] = "offline"
    await pi.announce()
    (node,) = (await watch(Socket(await hass_ws_client(hass))))["nodes"]
    assert node["since"] == lost


@pytest.mark.parametrize("kept", [[], {"car1": {"online": False, "since": "never"}}, {"car1": {"online": False}}])
async def test_a_file_that_is_damaged_costs_only_the_times(
    hass: HomeAssistant, pi: Pi, hass_storage: dict[str, Any], hass_ws_client: Any, kept: Any
) -> None:
    hass_storage["pimqtt.seen"] = {"version": 1, "minor_version": 1, "key": "pimqtt.seen", "data": kept}
    await set_up(hass)
    pi.retained["pimqtt/car1/availability"] = "offline"
    await pi.announce()
    (node,) = (await watch(Socket(await hass_ws_client(hass))))["nodes"]
    assert (node["online"], node["since"]) == (False, None)


async def test_a_node_that_left_is_gone(socket: Socket, pi: Pi) -> None:
    await watch(socket)
    await pi.say("info", "")
    assert (await socket.event(lambda event: "gone" in event)) == {"gone": "car1"}


async def test_mqtt_coming_and_going_is_told_and_logged_once(
    socket: Socket, hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    await watch(socket)
    for connected in (False, False, True, True):
        async_dispatcher_send(hass, "mqtt_connection_state", connected)
        await hass.async_block_till_done()
    for connected in (False, True):
        assert await socket.event(lambda event: "connected" in event) == {"connected": connected}
    assert caplog.text.count("MQTT is disconnected") == 1
    assert caplog.text.count("MQTT is connected") == 1


async def test_a_reload_sends_everything_again(socket: Socket, hass: HomeAssistant, entry: Any, pi: Pi) -> None:
    await watch(socket)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await socket.event(lambda event: "node" not in event) == {"connected": False}
    again = await socket.event(lambda event: "nodes" in event)
    assert (again["connected"], again["base"]) == (True, "pimqtt")


async def test_an_unsubscribed_browser_is_left_alone(socket: Socket, pi: Pi) -> None:
    answer = await socket.ask("pimqtt/fleet")
    await socket.event()
    await pi.lease("pump", owner="Bob")
    await pi.lease("pump", owner="Eve")
    assert (await socket.ask("unsubscribe_events", subscription=answer["id"]))["success"]
    await asyncio.sleep(0.3)
    await pi.lease("pump", owner="Anna")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.event(lambda event: "Anna" in str(event)), 0.5)


async def test_a_renamed_entity_is_shown_under_its_new_name(socket: Socket, hass: HomeAssistant) -> None:
    await watch(socket)
    er.async_get(hass).async_update_entity("switch.car1_pump", new_entity_id="switch.fountain")
    await changed(socket, lambda node: pump_of(node)["entity_id"] == "switch.fountain")
    er.async_get(hass).async_remove("switch.fountain")
    await changed(socket, lambda node: pump_of(node)["entity_id"] is None)


async def test_before_the_entry_is_there_the_fleet_is_empty(hass: HomeAssistant, socket: Socket, entry: Any) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await watch(socket) == {"base": "pimqtt", "connected": False, "nodes": []}


async def test_an_older_agent_that_tells_no_pins_is_shown_all_the_same(socket: Socket, pi: Pi) -> None:
    devices = [{key: value for key, value in one.items() if key != "pins"} for one in pi.info["devices"]]
    await pi.announce(devices=devices)
    (node,) = (await watch(socket))["nodes"]
    assert node["pins"] is None


async def test_what_is_wrong_with_a_node_is_told_as_its_repairs_are(socket: Socket, pi: Pi) -> None:
    (node,) = (await watch(socket))["nodes"]
    assert node["problems"] == []
    await pi.announce(clock_synchronised=False, under_voltage=True, max_packet_size=65_536, denied=["a/b", "c"])
    about = {"node": "car1", "name": "The red car"}
    told = await socket.event(lambda event: bool(event.get("node", {}).get("problems")))
    assert told["node"]["problems"] == [
        {"key": "under_voltage", "placeholders": about},
        {"key": "clock_unsynchronised", "placeholders": about},
        {"key": "packet_size", "placeholders": {**about, "size": "65,536", "needed": "1,100,000"}},
        {"key": "denied", "placeholders": {**about, "topics": "a/b, c"}},
    ]
    await pi.say("availability", "offline")
    told = await socket.event(lambda event: event.get("node", {}).get("online") is False)
    assert told["node"]["problems"] == []
