"""Repairs: raised when something needs attention, taken back when it is mended."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from custom_components.pimqtt import repairs
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message, async_fire_time_changed
from rig import Pi, listen


def raised(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    found = ir.async_get(hass).issues.items()
    return {issue: entry for (domain, issue), entry in found if domain == "pimqtt" and issue != "bundle_missing"}


async def test_a_healthy_node_needs_nothing(hass: HomeAssistant, entry: Any) -> None:
    assert raised(hass) == {}


@pytest.mark.parametrize(
    ("info", "issue", "healed"),
    [
        ({"protocol": 0}, "protocol_old", {"protocol": 1}),
        ({"protocol": 2}, "protocol_new", {"protocol": 1}),
        ({"clock_synchronised": False}, "clock_unsynchronised", {"clock_synchronised": True}),
        ({"under_voltage": True}, "under_voltage", {"under_voltage": False}),
        ({"max_packet_size": 65_536}, "packet_size", {"max_packet_size": 2_000_000}),
        ({"max_packet_size": 65_536}, "packet_size", {"max_packet_size": None}),
        ({"denied": ["homeassistant/device/car1/+/config"]}, "denied", {"denied": []}),
        ({"problem": "pins: no pin keeper comes up"}, "agent_problem", {"problem": None}),
    ],
)
async def test_what_an_agent_says_is_raised_and_taken_back(
    hass: HomeAssistant, pi: Pi, entry: Any, info: dict[str, Any], issue: str, healed: dict[str, Any]
) -> None:
    await pi.announce(**info)
    (found,) = raised(hass).values()
    assert (found.issue_id, found.translation_key) == (f"{issue}_car1", issue)
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["name"] == "The red car"
    await pi.announce(**healed)
    assert raised(hass) == {}


async def test_under_voltage_is_also_known_from_its_sensor(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.say("system/under_voltage/state", "ON")
    assert set(raised(hass)) == {"under_voltage_car1"}
    await pi.say("system/under_voltage/state", "None")
    assert raised(hass) == {}


async def test_a_node_that_cant_be_read_is_raised(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.say("info", {"protocol": "one"})
    assert set(raised(hass)) == {"info_unreadable_car1"}
    await pi.announce()
    assert raised(hass) == {}


async def test_one_board_under_two_ids_is_raised_for_both(
    hass: HomeAssistant, pi: Pi, entry: Any, mqtt_mock: Any
) -> None:
    copy = Pi(hass, "car2")
    listen(mqtt_mock, pi, copy)
    await copy.announce(hardware_id="car1")
    await pi.announce(addresses=[])
    assert set(raised(hass)) == {"same_board_car1", "same_board_car2"}
    await copy.say("availability", "offline")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=16))
    await hass.async_block_till_done()
    assert raised(hass) == {}


async def test_two_boards_that_take_turns_under_one_id_are_raised(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.announce(hardware_id="other")
    assert raised(hass) == {}, "a board may be replaced"
    await pi.announce(hardware_id="car1")
    (found,) = raised(hass).values()
    assert found.translation_key == "two_agents"
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["boards"] == "car1, other"


async def test_unloading_takes_repairs_back(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.announce(protocol=0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert raised(hass) == {}


async def lose(hass: HomeAssistant, pi: Pi, freezer: Any, hours: float) -> None:
    await pi.say("availability", "offline")
    freezer.tick(timedelta(hours=hours))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def test_a_node_that_was_gone_for_a_day_is_raised(hass: HomeAssistant, pi: Pi, entry: Any, freezer: Any) -> None:
    await lose(hass, pi, freezer, 23)
    assert raised(hass) == {}
    await lose(hass, pi, freezer, 2)
    (found,) = raised(hass).values()
    assert (found.issue_id, found.is_fixable) == ("node_gone_car1", True)
    await pi.say("availability", "online")
    assert raised(hass) == {}


async def fix(client: Any, issue: str) -> Any:
    answer = await client.post("/api/repairs/issues/fix", json={"handler": "pimqtt", "issue_id": issue})
    assert answer.status == 200
    return await answer.json()


async def go_on(client: Any, flow: dict[str, Any]) -> Any:
    answer = await client.post(f"/api/repairs/issues/fix/{flow['flow_id']}", json={})
    return await answer.json()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day outlasts the login of a test; time stands still in it, so nobody listens."""
    monkeypatch.setattr("custom_components.pimqtt.issues.GONE_AFTER", timedelta(minutes=10))
    monkeypatch.setattr("custom_components.pimqtt.repairs.LISTEN_S", 0)


async def test_a_node_that_does_not_come_back_is_forgotten(
    hass: HomeAssistant, pi: Pi, entry: Any, freezer: Any, soon: None, hass_client: Any
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await lose(hass, pi, freezer, 0.3)
    client = await hass_client()
    flow = await fix(client, "node_gone_car1")
    assert (flow["type"], flow["step_id"], flow["description_placeholders"]) == (
        "form",
        "confirm",
        {"name": "The red car"},
    )
    done = await go_on(client, flow)
    assert done["type"] == "create_entry"
    await hass.async_block_till_done()
    cleared = [one.topic for one in pi.published if one.retain]
    assert all(one.payload == "" for one in pi.published)
    assert set(pi.retained) - set(cleared) == set()
    assert cleared[0].startswith("homeassistant/")
    assert entry.runtime_data.fleet.nodes == {}
    assert raised(hass) == {}


async def test_the_broker_is_asked_for_what_it_no_longer_named(
    hass: HomeAssistant, pi: Pi, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.repairs.LISTEN_S", 0.3)
    left = ["homeassistant/device/car1/left/config", "pimqtt/car1/left/state"]
    others = ["homeassistant/device/car2/left/config", "pimqtt/car2/left/state"]
    for topic in reversed(left + others):
        hass.loop.call_later(0.1, partial(async_fire_mqtt_message, hass, topic, "{}", retain=True))
    hass.loop.call_later(0.1, async_fire_mqtt_message, hass, "pimqtt/car1/left/event", "{}")
    runtime = entry.runtime_data
    assert await repairs.heard_topics(hass, runtime, runtime.fleet.nodes["car1"]) == left


async def test_a_node_that_came_back_meanwhile_is_not_forgotten(
    hass: HomeAssistant, pi: Pi, entry: Any, freezer: Any, soon: None, hass_client: Any
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await lose(hass, pi, freezer, 0.3)
    client = await hass_client()
    flow = await fix(client, "node_gone_car1")
    await pi.say("availability", "online")
    done = await go_on(client, flow)
    assert (done["type"], done["reason"]) == ("abort", "online")
    assert pi.published == []


async def test_without_mqtt_nothing_is_forgotten(
    hass: HomeAssistant, pi: Pi, entry: Any, freezer: Any, soon: None, hass_client: Any, mqtt_mock: Any
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await lose(hass, pi, freezer, 0.3)
    client = await hass_client()
    flow = await fix(client, "node_gone_car1")
    mqtt_mock.async_publish.side_effect = HomeAssistantError("no connection")
    done = await go_on(client, flow)
    assert (done["type"], done["reason"]) == ("abort", "not_connected")
    assert "car1" in entry.runtime_data.fleet.nodes


async def test_a_node_that_is_forgotten_already_needs_no_more(
    hass: HomeAssistant, pi: Pi, entry: Any, freezer: Any, soon: None, hass_client: Any
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await lose(hass, pi, freezer, 0.3)
    client = await hass_client()
    flow = await fix(client, "node_gone_car1")
    await pi.say("info", "")
    assert (await go_on(client, flow))["type"] == "create_entry"


async def test_any_other_issue_is_only_confirmed(hass: HomeAssistant) -> None:
    flow = await repairs.async_create_fix_flow(hass, "other", None)
    assert not isinstance(flow, repairs.ForgetFlow)
