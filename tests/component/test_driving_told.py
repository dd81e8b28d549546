"""Driving sessions: what the browser is told of node, token and holder."""

from __future__ import annotations

import asyncio
from typing import Any

from driving import FORWARD, STOP, Drive, stops
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
from rig import Pi


async def test_without_mqtt_the_browser_is_told(drive: Drive, pi: Pi, hass: HomeAssistant, mqtt_mock: Any) -> None:
    await drive.open()
    mqtt_mock.connected = False
    async_dispatcher_send(hass, "mqtt_connection_state", False)
    event = await drive.send()
    assert (event["answer"]["outcome"], pi.commands("car")) == ("unanswered", [])
    assert "MQTT is not connected" in event["answer"]["reason"]


async def test_a_node_that_is_offline_is_not_driven_but_stopped(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.say("availability", "offline")
    event = await drive.send()
    assert (event["answer"]["outcome"], event["answer"]["code"]) == ("rejected", "unavailable")
    assert "The red car is offline" in event["answer"]["reason"]
    assert pi.commands("car") == []
    await drive.put(STOP)
    assert len(stops(pi)) == 1


async def test_a_session_opens_while_its_node_is_away_and_gets_a_token_later(drive: Drive, pi: Pi) -> None:
    await pi.say("availability", "offline")
    first = await drive.open()
    assert first["token"] is None
    event = await drive.socket.event(lambda event: "answer" in event)
    assert event["answer"]["code"] == "unavailable"
    await pi.say("availability", "online")
    await asyncio.sleep(0.15)
    assert (await drive.socket.ask("pimqtt/drive/token", session=first["session"]))["success"]
    assert (await drive.socket.event(lambda event: "token" in event))["token"] == "token-1"


async def test_a_node_that_left_is_not_driven(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.say("info", "")
    event = await drive.send()
    assert "car1 is gone" in event["answer"]["reason"]


async def test_a_stale_refusal_brings_a_fresh_token(drive: Drive, pi: Pi) -> None:
    await drive.open()
    pi.refuse["car"] = {"code": "stale", "reason": "bears a token of 0.70 s ago"}
    await drive.send()
    assert (await drive.socket.event(lambda event: "token" in event))["token"] == "token-2"


async def test_only_what_the_browser_sends_beats_where_arming_is_asked_for(drive: Drive, pi: Pi) -> None:
    pi.refuse["car"] = {"code": "not_armed", "reason": "two heartbeats first"}
    await drive.open()
    await drive.send()
    beats = [one for one in pi.published if one.topic == "pimqtt/car1/call" and one.payload["action"] == "heartbeat"]
    assert beats == []
    await drive.send()
    await asyncio.sleep(0.35)
    await drive.send()
    beats = [one for one in pi.published if one.topic == "pimqtt/car1/call" and one.payload["action"] == "heartbeat"]
    assert [one.payload["owner"] for one in beats] == [drive.first["owner"]] * 2
    await asyncio.sleep(0.35)
    assert len([one for one in pi.published if "heartbeat" in str(one.payload)]) == 2


async def test_what_others_do_is_told(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.result("car", id="other-1", outcome="rejected", code="held", owner="Bob", holder="Anna", value=FORWARD)
    told = (await drive.socket.event(lambda event: "told" in event))["told"]
    assert (told["owner"], told["code"], told["holder"]) == ("Bob", "held", "Anna")
    await pi.result(
        "car", id=f"{drive.first['session']}-7", outcome="reverted", cause="expired", value={"x": 0, "y": 0}
    )
    assert (await drive.socket.event(lambda event: "told" in event))["told"]["cause"] == "expired"


async def test_the_holder_is_told_when_it_changes(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.lease("car", owner=drive.first["owner"])
    event = await drive.socket.event(lambda event: "holder" in event and event["holder"])
    assert event == {"holder": drive.first["owner"], "mine": True}
    await pi.lease("car")
    assert await drive.socket.event(lambda event: "holder" in event) == {"holder": None, "mine": False}


async def test_a_dead_man_that_changed_is_followed_and_told(drive: Drive, pi: Pi) -> None:
    first = await drive.open()
    await pi.lease("car", owner="Bob", value=FORWARD, remaining_s=0.5)
    devices = pi.info["devices"]
    (car,) = [one for one in devices if one["id"] == "car"]
    car["entities"][0]["deadman_s"] = 0.2
    await pi.announce(devices=devices)
    again = await drive.socket.event(lambda event: "session" in event)
    assert again == {**first, "deadman_s": 0.2, "rate_hz": 25.0, "max_age_s": 0.2, "token": None}
    assert await drive.socket.event(lambda event: "holder" in event) == {"holder": "Bob", "mine": False}
    await drive.send()
    assert pi.commands("car")[-1]["ttl"] == 0.2


async def test_an_output_that_is_no_more_is_not_driven(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.announce(devices=[one for one in pi.info["devices"] if one["id"] != "car"])
    told = (await drive.send())["answer"]
    assert (told["code"], told["reason_key"]) == ("unknown", "no_such_output")
    assert pi.commands("car") == []
