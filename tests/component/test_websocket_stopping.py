"""The websocket commands of emergency stops and resets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from custom_components.pimqtt.topics import Place
from rig import Pi, Socket


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


async def test_a_latch_that_is_told_to_be_off_is_no_answer_to_a_stop(
    socket: Socket, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.3)
    pi.silent = True
    for type_, told in (("pimqtt/stop", "OFF"), ("pimqtt/reset", "ON")):
        pi.hass.loop.call_later(0.1, pi.hass.async_create_task, pi.say("car/stop/state", told))
        (answer,) = (await socket.ask(type_, node="car1", device="car"))["result"]
        assert (answer["outcome"], answer["state"]) == ("unanswered", None), "as a node tells that comes back just now"


async def test_of_a_stop_and_a_reset_at_once_each_has_its_own_answer(socket: Socket, pi: Pi, entry: Any) -> None:
    latches = entry.runtime_data.latches
    place = Place("car1", "car")
    both = await asyncio.gather(latches.send([place], on=True), latches.send([place], on=False))
    assert [(one["outcome"], one["state"]) for (one,) in both] == [("accepted", "ON"), ("accepted", "OFF")]
    assert latches._waiting == {}


@pytest.mark.parametrize("device", ["+", "#", "car/x", "Car", "\x00"])
async def test_a_device_that_would_be_another_topic_is_refused(socket: Socket, pi: Pi, device: str) -> None:
    answer = await socket.ask("pimqtt/stop", node="car1", device=device)
    assert answer["error"]["code"] == "not_found"
    assert pi.published == []
