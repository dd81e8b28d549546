"""Setting up: found by MQTT and mDNS, by hand, reconfigured, with options."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message
from rig import Pi, set_up


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.pimqtt.config_flow.LISTEN_S", 0.05)


def flows(hass: HomeAssistant) -> list[Any]:
    return [flow for flow in hass.config_entries.flow.async_progress() if flow["handler"] == "pimqtt"]


async def start(hass: HomeAssistant, source: str = SOURCE_USER, **more: Any) -> Any:
    return await hass.config_entries.flow.async_init("pimqtt", context={"source": source}, **more)


async def test_an_agents_info_offers_to_set_up_once_for_all(hass: HomeAssistant, pi: Pi) -> None:
    for node in ("car1", "car2", "car3"):
        info = {**pi.info, "node": node, "name": f"Car {node}"}
        pi.node = node
        await pi.say("info", info)
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = flows(hass)
    assert flow["context"]["title_placeholders"]["name"] in ("Car car1", "Car car2", "Car car3")
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"] == {"base_topic": "pimqtt"}
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries("pimqtt")
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", "hello", "{}", '{"protocol": 1, "node": "other", "hardware_id": "x"}']
)
async def test_what_is_no_agent_offers_nothing(hass: HomeAssistant, pi: Pi, payload: Any) -> None:
    await pi.say("info", payload)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert flows(hass) == []


async def test_a_node_that_shows_up_later_offers_nothing(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    pi.node = "car2"
    await pi.say("info", {**pi.info, "node": "car2"})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert flows(hass) == []


def announced(**about: str) -> ZeroconfServiceInfo:
    address = ip_address("192.0.2.7")
    return ZeroconfServiceInfo(
        ip_address=address, ip_addresses=[address], hostname="car1.local.", name="car1._pimqtt._tcp.local.", port=0,
        type="_pimqtt._tcp.local.", properties=dict(about),
    )  # fmt: skip


async def test_mdns_offers_to_set_up(hass: HomeAssistant, pi: Pi) -> None:
    found = await start(hass, SOURCE_ZEROCONF, data=announced(node="car1", name="The red car", base="garage/pimqtt"))
    assert (found["type"], found["step_id"]) == (FlowResultType.FORM, "confirm")
    assert found["description_placeholders"] == {"name": "The red car"}
    done = await hass.config_entries.flow.async_configure(found["flow_id"], {})
    assert done["data"] == {"base_topic": "garage/pimqtt"}


async def test_mdns_with_a_base_that_is_none_offers_nothing(hass: HomeAssistant, pi: Pi) -> None:
    found = await start(hass, SOURCE_ZEROCONF, data=announced(base="#"))
    assert (found["type"], found["reason"]) == (FlowResultType.ABORT, "not_pimqtt")


async def test_a_node_that_announces_another_base_later_moves_nobody(hass: HomeAssistant, entry: Any) -> None:
    found = await start(hass, SOURCE_ZEROCONF, data=announced(node="car2", base="garage/pimqtt"))
    assert (found["type"], found["reason"]) == (FlowResultType.ABORT, "single_instance_allowed")
    assert (flows(hass), entry.data) == ([], {"base_topic": "pimqtt"})


async def test_without_mqtt_its_setup_is_asked_for_first(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    for source, data in ((SOURCE_USER, None), (SOURCE_ZEROCONF, announced())):
        found = await start(hass, source, data=data)
        assert (found["type"], found["reason"]) == (FlowResultType.ABORT, "mqtt_missing")


async def test_by_hand_with_a_node_that_is_heard(hass: HomeAssistant, pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.pimqtt.config_flow.LISTEN_S", 5)
    shown = await start(hass)
    assert (shown["type"], shown["step_id"], shown["errors"]) == (FlowResultType.FORM, "user", {})
    hass.loop.call_later(0.3, async_fire_mqtt_message, hass, "garage/car1/info", "{}")
    done = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": " garage "})
    assert (done["type"], done["data"]) == (FlowResultType.CREATE_ENTRY, {"base_topic": "garage"})


async def test_by_hand_where_nothing_is_heard_it_is_asked_again(hass: HomeAssistant, pi: Pi) -> None:
    shown = await start(hass)
    asked = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": "pimqtt"})
    assert (asked["type"], asked["step_id"]) == (FlowResultType.FORM, "silent")
    assert asked["description_placeholders"] == {"base": "pimqtt"}
    done = await hass.config_entries.flow.async_configure(shown["flow_id"], {})
    assert done["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("base", "error"),
    [
        ("", "invalid_base"), ("/pimqtt", "invalid_base"), ("pimqtt/", "invalid_base"), ("a/#", "invalid_base"),
        ("+", "invalid_base"), ("$SYS", "invalid_base"), ("x" * 201, "invalid_base"), ("a\0b", "invalid_base"),
        ("homeassistant", "discovery_base"), ("homeassistant/pimqtt", "discovery_base"),
    ],
)  # fmt: skip
async def test_a_base_topic_that_is_none_is_refused_and_can_be_mended(
    hass: HomeAssistant, pi: Pi, base: str, error: str
) -> None:
    shown = await start(hass)
    again = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": base})
    assert (again["type"], again["errors"]) == (FlowResultType.FORM, {"base_topic": error})
    asked = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": "pimqtt"})
    assert asked["step_id"] == "silent"


@pytest.mark.parametrize(
    ("base", "step", "zeroconf"),
    [
        ("ha", "user", FlowResultType.ABORT), ("ha/pimqtt", "user", FlowResultType.ABORT),
        ("have", "silent", FlowResultType.FORM), ("homeassistant", "silent", FlowResultType.FORM),
    ],
)  # fmt: skip
async def test_the_discovery_prefix_is_the_one_that_mqtt_has(
    hass: HomeAssistant, pi: Pi, base: str, step: str, zeroconf: FlowResultType
) -> None:
    mqtt = hass.config_entries.async_entries("mqtt")[0]
    hass.config_entries.async_update_entry(mqtt, options={**mqtt.options, "discovery_prefix": "ha"})
    found = await start(hass, SOURCE_ZEROCONF, data=announced(base=base))
    assert found["type"] is zeroconf
    shown = await start(hass)
    again = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": base})
    assert again["step_id"] == step
    assert again["errors"] == ({"base_topic": "discovery_base"} if step == "user" else None)


async def test_while_mqtt_is_not_connected_it_says_so(hass: HomeAssistant, pi: Pi, mqtt_mock: Any) -> None:
    shown = await start(hass)
    mqtt_mock.connected = False
    again = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": "pimqtt"})
    assert again["errors"] == {"base": "not_connected"}


async def test_there_is_one_entry(hass: HomeAssistant, entry: Any) -> None:
    again = await start(hass)
    assert (again["type"], again["reason"]) == (FlowResultType.ABORT, "single_instance_allowed")


async def test_the_base_topic_can_be_changed(hass: HomeAssistant, entry: Any) -> None:
    shown = await entry.start_reconfigure_flow(hass)
    assert (shown["type"], shown["step_id"]) == (FlowResultType.FORM, "reconfigure")
    again = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": "#"})
    assert again["errors"] == {"base_topic": "invalid_base"}
    done = await hass.config_entries.flow.async_configure(shown["flow_id"], {"base_topic": "garage"})
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await hass.async_block_till_done()
    assert entry.data == {"base_topic": "garage"}
    assert entry.runtime_data.fleet.base == "garage"


async def test_the_option_shows_the_dashboard_at_once(hass: HomeAssistant, pi: Pi) -> None:
    entry = await set_up(hass)
    shown = await hass.config_entries.options.async_init(entry.entry_id)
    assert (shown["type"], shown["step_id"]) == (FlowResultType.FORM, "init")
    await hass.config_entries.options.async_configure(shown["flow_id"], {"sidebar": True})
    await hass.async_block_till_done()
    assert entry.options == {"sidebar": True}
    assert "pimqtt" in hass.data["frontend_panels"]
