"""Driving sessions: whose they are, who may drive, and what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driving import CAR, FORWARD, STOP, Drive, stops
from homeassistant.core import HomeAssistant
from rig import Pi, Socket


async def test_two_sessions_of_one_user_are_told_apart(
    drive: Drive, pi: Pi, hass: HomeAssistant, hass_ws_client: Any
) -> None:
    first = await drive.open()
    other = Drive(Socket(await hass_ws_client(hass)), pi)
    second = await other.open()
    assert second["owner"] == f"{first['owner']} 2"
    await drive.end()
    assert (await Drive(Socket(await hass_ws_client(hass)), pi).open())["owner"] == first["owner"]


async def test_a_session_belongs_to_its_connection(
    drive: Drive, pi: Pi, hass: HomeAssistant, hass_ws_client: Any
) -> None:
    await drive.open()
    stranger = Drive(Socket(await hass_ws_client(hass)), pi)
    stranger.first = drive.first
    for value in (FORWARD, STOP):
        answer = await stranger.put(value)
        assert answer["error"]["code"] == "not_found"
    assert stranger.socket.events == drive.socket.events == [], "nobody is told of another's mistake"
    answer = await stranger.socket.ask("pimqtt/drive/token", session=drive.first["session"])
    assert answer["error"]["code"] == "not_found"
    assert pi.commands("car") == []


async def test_only_who_may_control_the_car_drives_it(pi: Pi, browser: Callable[..., Awaitable[Socket]]) -> None:
    reader = await browser(read=(CAR,), control=("sensor.car1_fan",))
    answer = await reader.ask("pimqtt/drive", entity_id=CAR)
    assert answer["error"]["code"] == "unauthorized"
    answer = await reader.ask("pimqtt/drive", unique_id="pimqtt.car1.car")
    assert answer["error"]["code"] == "unauthorized"
    driver = Drive(await browser("Anna", control=(CAR,)), pi)
    assert (await driver.open())["owner"] == "Anna"
    assert (await driver.send())["answer"]["outcome"] == "accepted"
    assert (await driver.open(unique_id="pimqtt.car1.car"))["owner"] == "Anna 2"
    assert (await driver.send())["answer"]["outcome"] == "accepted"


async def test_a_right_that_is_taken_away_ends_driving_but_not_stopping(
    pi: Pi, hass: HomeAssistant, browser: Callable[..., Awaitable[Socket]]
) -> None:
    driver = Drive(await browser("Anna", control=(CAR,)), pi)
    await driver.open()
    (user,) = [one for one in await hass.auth.async_get_users() if one.name == "Anna"]
    user.permissions._cached_entity_func = lambda *_: False
    answer = await driver.put()
    assert answer["error"]["code"] == "unauthorized"
    assert pi.commands("car") == []
    told = (await driver.socket.event(lambda event: "answer" in event))["answer"]
    assert (told["outcome"], told["code"], told["seq"]) == ("rejected", "forbidden", driver.seq)
    assert (told["reason_key"], told["reason_placeholders"]) == ("unauthorized", {"what": CAR})
    assert (await driver.put(STOP))["success"]
    assert len(stops(pi)) == 1


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"entity_id": "sensor.nothing"}, "not_found"),
        ({"unique_id": "pimqtt.car9.car"}, "not_found"),
        ({"unique_id": "pimqtt.car1.ghost"}, "not_found"),
        ({"unique_id": "other.car1.car"}, "not_found"),
        ({"entity_id": "switch.car1_pump"}, "invalid_format"),
        ({"unique_id": "pimqtt.car1.arm"}, "invalid_format"),
        ({}, "invalid_format"),
        ({"entity_id": CAR, "unique_id": "pimqtt.car1.car"}, "invalid_format"),
    ],
)
async def test_what_nobody_drives_is_refused(socket: Socket, named: dict[str, str], code: str) -> None:
    answer = await socket.ask("pimqtt/drive", **named)
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
