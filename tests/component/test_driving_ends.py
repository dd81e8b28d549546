"""Driving sessions that end: above all when a stop is sent."""

from __future__ import annotations

import time
from typing import Any

import pytest
from driving import FORWARD, STOP, Drive, stops
from homeassistant.core import HomeAssistant
from rig import Pi


async def test_ending_a_session_stops_what_it_moves(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await drive.end()
    (stop,) = stops(pi)
    assert "ttl" not in stop
    assert "token" not in stop


async def test_a_lost_connection_stops_what_it_moves(drive: Drive, pi: Pi, hass: HomeAssistant) -> None:
    await drive.open()
    await drive.send()
    await drive.socket.client.close()
    await hass.async_block_till_done()
    assert len(stops(pi)) == 1


async def test_ending_a_session_that_moved_nothing_stops_nothing(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.end()
    assert pi.commands("car") == []


async def test_ending_after_a_stop_stops_no_second_time(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await drive.send(STOP)
    await drive.end()
    assert len(stops(pi)) == 1


@pytest.mark.parametrize("code", ["held", "let_go", "latched"])
async def test_ending_a_session_that_was_refused_stops_nobody_else(drive: Drive, pi: Pi, code: str) -> None:
    pi.refuse["car"] = {"code": code, "reason": "Bob holds it", "holder": "Bob"}
    await drive.open()
    event = await drive.send()
    assert (event["answer"]["outcome"], event["answer"]["code"]) == ("rejected", code)
    await drive.end()
    assert stops(pi) == []


@pytest.mark.parametrize("code", ["stale", "token", "unavailable"])
async def test_a_refusal_that_says_nothing_of_the_holder_leaves_the_stop_due(drive: Drive, pi: Pi, code: str) -> None:
    await drive.open()
    await drive.send()
    pi.refuse["car"] = {"code": code, "reason": "late"}
    await drive.send()
    await drive.end()
    assert len(stops(pi)) == 1


async def test_a_command_that_nobody_answered_leaves_the_stop_due(drive: Drive, pi: Pi) -> None:
    await drive.open()
    pi.silent = True
    await drive.put()
    await drive.end()
    assert len(stops(pi)) == 1


async def test_a_session_that_was_taken_over_stops_nobody(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await pi.lease("car", owner="Bob", value=FORWARD, remaining_s=0.5)
    event = await drive.socket.event(lambda event: "holder" in event and event["holder"] == "Bob")
    assert event["mine"] is False
    await drive.end()
    assert stops(pi) == []


async def test_what_moved_too_long_ago_is_not_stopped(drive: Drive, pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    await drive.open()
    await drive.send()
    real = time.monotonic
    monkeypatch.setattr("custom_components.pimqtt.driving.time.monotonic", lambda: real() + 1.6)
    await drive.end()
    assert stops(pi) == []


async def test_release_stops_only_what_this_session_moved(drive: Drive, pi: Pi) -> None:
    await drive.open()
    assert (await drive.put("release"))["success"]
    assert stops(pi) == []
    await drive.send()
    await drive.send("release")
    assert len(stops(pi)) == 1
    pi.refuse["car"] = {"code": "held", "reason": "Bob holds it", "holder": "Bob"}
    await drive.send()
    assert (await drive.put("release"))["success"]
    assert len(stops(pi)) == 1


async def test_home_assistant_stopping_stops_the_car_while_mqtt_is_there(
    drive: Drive, pi: Pi, hass: HomeAssistant
) -> None:
    await drive.open()
    await drive.send()
    await hass.async_stop(force=True)
    assert len(stops(pi)) == 1


async def test_unloading_ends_the_session_and_says_why(drive: Drive, pi: Pi, hass: HomeAssistant, entry: Any) -> None:
    await drive.open()
    await drive.send()
    assert await hass.config_entries.async_reload(entry.entry_id)
    event = await drive.socket.event(lambda event: "ended" in event)
    assert "unloaded or reloaded" in event["ended"]
    assert (event["reason_key"], event["reason_placeholders"]) == ("unloaded", {})
    assert len(stops(pi)) == 1
    assert (await drive.put())["error"]["code"] == "not_found"
    told = (await drive.socket.event(lambda event: "answer" in event))["answer"]
    assert (told["outcome"], told["code"], told["reason_key"]) == ("rejected", "unknown", "no_session")
    await drive.end()
    assert len(stops(pi)) == 1


async def test_a_lease_that_ended_is_not_stopped_again(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await pi.result("car", id=f"{drive.first['session']}-1", outcome="reverted", cause="stopped")
    await drive.end()
    assert stops(pi) == []


async def test_a_shared_car_is_released_though_another_drives_it_too(drive: Drive, pi: Pi) -> None:
    devices = pi.info["devices"]
    (car,) = [one for one in devices if one["id"] == "car"]
    car["entities"][0]["control"] = "shared"
    await pi.announce(devices=devices)
    await drive.open()
    await drive.send()
    await pi.lease("car", owner="Bob", value=FORWARD, remaining_s=0.5)
    await drive.socket.event(lambda event: event.get("holder") == "Bob")
    await drive.put("release")
    assert len(stops(pi)) == 1
    await drive.send()
    await pi.lease("car", owner="Eve", value=FORWARD, remaining_s=0.5)
    await drive.end()
    assert len(stops(pi)) == 2
