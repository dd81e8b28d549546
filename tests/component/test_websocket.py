"""The websocket commands: what they send and answer."""

from __future__ import annotations

import pytest
from rig import Pi, Socket

PUMP = "switch.car1_pump"


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


async def test_motion_is_sent_so_that_nothing_keeps_it(socket: Socket, pi: Pi) -> None:
    await socket.ask("pimqtt/command", unique_id="pimqtt.car1.arm", value=40)
    assert pi.published[-1].qos == 0


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


async def test_a_result_that_is_none_does_not_answer_a_call(
    socket: Socket, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.05)
    pi.calls["get_version"] = 1
    monkeypatch.setattr(pi, "_called", lambda call: {**call, "outcome": "splendid"})
    answer = await socket.ask("pimqtt/call", node="car1", action="get_version")
    assert answer["result"]["outcome"] == "unanswered"
