"""The websocket commands: what they answer, and what each user may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from rig import Pi, Socket, listen

PUMP = "switch.car1_pump"
Browser = Callable[..., Awaitable[Socket]]


async def test_a_command_is_answered_with_its_result(socket: Socket, pi: Pi) -> None:
    answer = await socket.ask("pimqtt/command", entity_id=PUMP, value="ON", ttl=5, owner="Watering", priority=2)
    told = answer["result"]
    assert told.pop("round_trip_ms") >= 0
    assert told == {
        "outcome": "accepted", "code": None, "reason": None, "state": "ON", "ttl": 5, "holder": "Watering",
        "owner": "Watering", "reason_key": None, "reason_placeholders": None,
    }  # fmt: skip
    (sent,) = [one for one in pi.published if one.topic == "pimqtt/car1/pump/set"]
    assert (sent.qos, sent.retain) == (1, False)
    assert {key: sent.payload[key] for key in ("value", "ttl", "owner", "priority")} == {
        "value": "ON", "ttl": 5, "owner": "Watering", "priority": 2,
    }  # fmt: skip
    assert set(sent.payload) == {"value", "ttl", "owner", "priority", "id", "at", "expiry"}


async def test_an_entity_can_be_named_by_its_unique_id(socket: Socket, pi: Pi) -> None:
    answer = await socket.ask("pimqtt/command", unique_id="pimqtt.car1.car.limit", value=40)
    assert answer["result"]["outcome"] == "accepted"
    assert [one["value"] for one in pi.commands("car/limit")] == [40]


@pytest.mark.parametrize(
    "more",
    [{"ttl": -5}, {"ttl": 0}, {"ttl": True}, {"ttl": "x"}, {"priority": True}, {"priority": 10}, {"priority": 1.5}],
)
async def test_what_the_action_would_refuse_is_refused(socket: Socket, pi: Pi, more: dict[str, Any]) -> None:
    answer = await socket.ask("pimqtt/command", entity_id=PUMP, value="ON", **more)
    assert answer["error"]["code"] == "invalid_format"
    assert pi.published == []


async def test_motion_is_sent_so_that_nothing_keeps_it(socket: Socket, pi: Pi) -> None:
    await socket.ask("pimqtt/command", unique_id="pimqtt.car1.arm", value=40)
    assert pi.published[-1].qos == 0


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


async def test_a_node_and_a_device_are_stopped_and_reset(socket: Socket, pi: Pi) -> None:
    (told,) = (await socket.ask("pimqtt/stop", node="car1", device="car"))["result"]
    assert [told[key] for key in ("node", "device", "outcome", "state")] == ["car1", "car", "accepted", "ON"]
    (told,) = (await socket.ask("pimqtt/reset", node="car1", device="car"))["result"]
    assert told["state"] == "OFF"
    (told,) = (await socket.ask("pimqtt/stop", node="car1"))["result"]
    assert [told[key] for key in ("node", "device", "outcome", "state")] == ["car1", None, "accepted", "ON"]
    assert [(one.topic, one.payload, one.qos, one.retain) for one in pi.published] == [
        ("pimqtt/car1/car/stop/set", "ON", 1, False),
        ("pimqtt/car1/car/stop/set", "OFF", 1, False),
        ("pimqtt/car1/stop/set", "ON", 1, False),
    ]


async def test_resetting_a_device_below_a_stopped_node_says_what_holds_it(socket: Socket, pi: Pi) -> None:
    await socket.ask("pimqtt/stop", node="car1")
    (told,) = (await socket.ask("pimqtt/reset", node="car1", device="car"))["result"]
    assert (told["outcome"], told["code"]) == ("rejected", "latched")
    assert "reset the node" in told["reason"]


async def test_a_refused_stop_says_why(socket: Socket, pi: Pi) -> None:
    pi.refuse["car/stop"] = {"code": "unavailable", "reason": "the keeper does not answer"}
    (told,) = (await socket.ask("pimqtt/reset", node="car1", device="car"))["result"]
    assert (told["outcome"], told["reason"]) == ("rejected", "the keeper does not answer")


async def test_an_all_stop_reaches_every_node(socket: Socket, pi: Pi) -> None:
    (told,) = (await socket.ask("pimqtt/stop"))["result"]
    assert (told["node"], told["outcome"], told["state"]) == ("car1", "accepted", "ON")
    assert [(one.topic, one.payload) for one in pi.published] == [("pimqtt/stop/set", "ON")]


async def test_a_device_without_a_node_is_refused(socket: Socket, pi: Pi) -> None:
    assert (await socket.ask("pimqtt/stop", device="car"))["error"]["code"] == "invalid_format"
    assert (await socket.ask("pimqtt/stop", node="car7"))["error"]["code"] == "not_found"


async def test_a_stop_switch_is_commanded_like_any_other(socket: Socket, pi: Pi) -> None:
    answer = await socket.ask("pimqtt/command", unique_id="pimqtt.car1.stop", value="ON")
    assert (answer["result"]["outcome"], answer["result"]["state"]) == ("accepted", "ON")
    answer = await socket.ask("pimqtt/command", unique_id="pimqtt.car1.car.stop", value="OFF")
    assert answer["result"]["code"] == "latched"


async def test_a_call_is_answered(socket: Socket, pi: Pi) -> None:
    pi.calls["get_version"] = {"version": "0.1.0", "protocol": 1}
    answer = await socket.ask("pimqtt/call", node="car1", action="get_version")
    assert (answer["result"]["outcome"], answer["result"]["result"]["version"]) == ("accepted", "0.1.0")
    answer = await socket.ask("pimqtt/call", node="car1", action="dance", arguments={"id": "mine", "x": 1})
    assert (answer["result"]["outcome"], answer["result"]["code"]) == ("rejected", "unknown")
    assert pi.published[-1].payload["x"] == 1
    assert (await socket.ask("pimqtt/call", node="car9", action="dance"))["error"]["code"] == "not_found"


async def test_pins_are_listed_as_far_as_they_can_be_read(socket: Socket, pi: Pi) -> None:
    good = {"line": 17, "device": "pump", "role": "pin", "mode": "output", "level": 1}
    pi.calls["list_pins"] = {"pins": [good, {"line": True}, 5, {"line": "expander:3", "level": "high"}]}
    answer = await socket.ask("pimqtt/pins", node="car1")
    assert answer["result"] == {
        "model": "Raspberry Pi 5",
        "pins": [good, {"line": "expander:3", "device": None, "role": None, "mode": None, "level": None}],
    }
    pi.calls["list_pins"] = "none"
    assert (await socket.ask("pimqtt/pins", node="car1"))["error"]["code"] == "not_found"


async def test_a_picture_is_taken(socket: Socket, pi: Pi) -> None:
    answer = await socket.ask("pimqtt/snapshot", entity_id="camera.car1_eye")
    assert answer["result"]["outcome"] == "accepted"
    assert [one["value"] for one in pi.commands("eye/snapshot")] == ["PRESS"]
    assert (await socket.ask("pimqtt/snapshot", entity_id=PUMP))["error"]["code"] == "not_found"


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
    ("type_", "more"),
    [
        ("pimqtt/command", {"entity_id": PUMP, "value": "ON"}),
        ("pimqtt/command", {"unique_id": "pimqtt.car1.pump", "value": "ON"}),
        ("pimqtt/drive", {"entity_id": "sensor.car1_car"}),
        ("pimqtt/snapshot", {"entity_id": "camera.car1_eye"}),
        ("pimqtt/stop", {}),
        ("pimqtt/stop", {"node": "car1"}),
        ("pimqtt/reset", {"node": "car1", "device": "pump"}),
        ("pimqtt/call", {"node": "car1", "action": "dance"}),
    ],
)
async def test_who_may_only_read_moves_nothing(browser: Browser, pi: Pi, type_: str, more: dict[str, Any]) -> None:
    reader = await browser(read=(PUMP, "sensor.car1_car", "camera.car1_eye"))
    answer = await reader.ask(type_, **more)
    assert answer["error"]["code"] == "unauthorized"
    assert pi.published == []


async def test_who_may_control_one_entity_may_do_that_and_no_more(browser: Browser, pi: Pi) -> None:
    gardener = await browser("Anna", control=(PUMP,))
    answer = await gardener.ask("pimqtt/command", entity_id=PUMP, value="ON")
    assert (answer["result"]["outcome"], answer["result"]["owner"]) == ("accepted", "Anna")
    assert (await gardener.ask("pimqtt/command", entity_id="light.car1_lamp", value="ON"))["error"][
        "code"
    ] == "unauthorized"
    (told,) = (await gardener.ask("pimqtt/stop", node="car1", device="pump"))["result"]
    assert told["outcome"] == "accepted"
    assert (await gardener.ask("pimqtt/stop", node="car1", device="car"))["error"]["code"] == "unauthorized"
    pi.published.clear()
    (told,) = (await gardener.ask("pimqtt/stop"))["result"]
    assert [one.topic for one in pi.published] == ["pimqtt/car1/stop/set"], "not every node: only those that it may"
    pi.calls["list_pins"] = {"pins": []}
    assert (await gardener.ask("pimqtt/pins", node="car1"))["success"]
    assert (await gardener.ask("pimqtt/call", node="car1", action="reload"))["error"]["code"] == "unauthorized"


async def test_who_may_read_nothing_sees_nothing(browser: Browser) -> None:
    stranger = await browser()
    assert (await stranger.ask("pimqtt/fleet"))["success"]
    assert (await stranger.event())["nodes"] == []
    assert (await stranger.ask("pimqtt/pins", node="car1"))["error"]["code"] == "unauthorized"


async def test_what_a_user_may_not_read_is_left_out(browser: Browser) -> None:
    reader = await browser(read=(PUMP,))
    assert (await reader.ask("pimqtt/fleet"))["success"]
    (node,) = (await reader.event())["nodes"]
    assert [(one["id"], [entity["entity_id"] for entity in one["entities"]]) for one in node["devices"]] == [
        ("pump", [PUMP])
    ]


async def test_a_result_that_is_none_does_not_answer_a_call(
    socket: Socket, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.05)
    pi.calls["get_version"] = 1
    monkeypatch.setattr(pi, "_called", lambda call: {**call, "outcome": "splendid"})
    answer = await socket.ask("pimqtt/call", node="car1", action="get_version")
    assert answer["result"]["outcome"] == "unanswered"
