"""The websocket commands: what is refused, and why, in words."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from rig import Pi, Socket, listen, set_up

PUMP = "switch.car1_pump"


async def test_a_refusal_is_an_answer_and_no_error(socket: Socket, pi: Pi) -> None:
    pi.refuse["pump"] = {"code": "held", "reason": "'Bob' holds it", "holder": "Bob"}
    answer = await socket.ask("pimqtt/command", entity_id=PUMP, value="ON")
    assert answer["success"]
    told = answer["result"]
    shown = [told[key] for key in ("outcome", "code", "reason", "holder")]
    assert shown == ["rejected", "held", "'Bob' holds it", "Bob"]


async def test_silence_is_an_answer_too(socket: Socket, pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.05)
    pi.silent = True
    told = (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON"))["result"]
    assert told["outcome"] == "unanswered"
    assert "The red car did not answer" in told["reason"]
    (stopped,) = (await socket.ask("pimqtt/stop", node="car1"))["result"]
    assert stopped["outcome"] == "unanswered"
    called = (await socket.ask("pimqtt/call", node="car1", action="get_version"))["result"]
    assert called["outcome"] == "unanswered"


@pytest.mark.parametrize(
    ("info", "words", "key"),
    [
        ({"protocol": 0}, "update the agent", "protocol_agent_old"),
        ({"protocol": 2}, "update this component", "protocol_agent_new"),
    ],
)
async def test_an_agent_of_another_protocol_is_only_stopped(
    socket: Socket, pi: Pi, info: dict[str, Any], words: str, key: str
) -> None:
    await pi.announce(**info)
    told = (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON"))["result"]
    assert (told["outcome"], told["code"]) == ("rejected", "unavailable")
    assert words in told["reason"]
    assert told["reason_key"] == key
    assert (await socket.ask("pimqtt/call", node="car1", action="get_version"))["result"]["code"] == "unavailable"
    assert pi.published == []
    assert (await socket.ask("pimqtt/command", entity_id=PUMP, value="OFF"))["result"]["outcome"] == "accepted"
    (stopped,) = (await socket.ask("pimqtt/stop", node="car1"))["result"]
    assert stopped["outcome"] == "accepted"


async def test_a_node_that_is_offline_says_since_when(socket: Socket, pi: Pi) -> None:
    await pi.say("availability", "offline")
    told = (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON"))["result"]
    assert "The red car is offline since 20" in told["reason"]
    assert told["reason_key"] == "node_offline_since"
    assert told["reason_placeholders"]["name"] == "The red car"
    assert pi.published == []


async def test_a_node_of_which_nothing_was_heard_yet_is_asked(
    hass: HomeAssistant, pi: Pi, hass_ws_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a start of Home Assistant its `info` may come well before its availability."""
    del pi.retained["pimqtt/car1/availability"]
    await set_up(hass)
    await pi.announce()
    socket = Socket(await hass_ws_client(hass))
    told = (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON"))["result"]
    assert told["outcome"] == "accepted"
    assert pi.commands("pump") != []
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.05)
    pi.silent = True
    (stopped,) = (await socket.ask("pimqtt/stop", node="car1"))["result"]
    assert "The red car did not answer" in stopped["reason"]


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"entity_id": "switch.nothing"}, "not_found"),
        ({"entity_id": "sun.sun"}, "not_found"),
        ({"unique_id": "pimqtt.other.pump"}, "not_found"),
        ({"unique_id": "pimqtt.Bad Id.pump"}, "not_found"),
        ({}, "invalid_format"),
    ],
)
async def test_what_is_none_of_ours_is_refused(
    socket: Socket, pi: Pi, hass: HomeAssistant, named: dict[str, str], code: str
) -> None:
    hass.states.async_set("sun.sun", "above_horizon")
    answer = await socket.ask("pimqtt/command", value="ON", **named)
    assert answer["error"]["code"] == code
    assert answer["error"]["message"] not in ("", "no_target")
    assert pi.published == []


async def test_without_mqtt_nothing_is_sent(socket: Socket, mqtt_mock: Any, pi: Pi) -> None:
    mqtt_mock.connected = False
    for type_, more in (
        ("pimqtt/command", {"entity_id": PUMP, "value": "ON"}),
        ("pimqtt/stop", {"node": "car1"}),
        ("pimqtt/stop", {}),
        ("pimqtt/call", {"node": "car1", "action": "get_version"}),
    ):
        answer = await socket.ask(type_, **more)
        assert answer["error"]["code"] == "not_connected", (type_, more)
    assert pi.published == []


async def test_before_the_entry_is_there_nothing_is_sent(
    hass: HomeAssistant, socket: Socket, entry: Any, pi: Pi
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    for type_, more in (
        ("pimqtt/command", {"entity_id": PUMP, "value": "ON"}),
        ("pimqtt/drive", {"entity_id": "sensor.car1_car"}),
        ("pimqtt/search", {}),
    ):
        assert (await socket.ask(type_, **more))["error"]["code"] == "not_connected"


async def test_two_boards_with_one_identity_are_not_commanded(socket: Socket, pi: Pi, mqtt_mock: Any) -> None:
    copy = Pi(pi.hass, "car2")
    listen(mqtt_mock, pi, copy)
    await copy.announce(hardware_id="car1")
    answer = await socket.ask("pimqtt/command", entity_id=PUMP, value="ON")
    assert answer["error"]["code"] == "not_found"
    assert "car1, car2" in answer["error"]["message"]
    await copy.say("availability", "offline")
    assert (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON"))["result"]["outcome"] == "accepted"
    assert copy.published[-1].topic == "pimqtt/car1/pump/set"


@pytest.mark.parametrize(
    "more",
    [{"ttl": -5}, {"ttl": 0}, {"ttl": True}, {"ttl": "x"}, {"priority": True}, {"priority": 10}, {"priority": 1.5}],
)
async def test_what_the_action_would_refuse_is_refused(socket: Socket, pi: Pi, more: dict[str, Any]) -> None:
    answer = await socket.ask("pimqtt/command", entity_id=PUMP, value="ON", **more)
    assert answer["error"]["code"] == "invalid_format"
    assert pi.published == []
