"""Commands: what is a stop, and in whose name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from rig import Pi, Socket

ARM = "pimqtt.car1.arm"


@pytest.mark.parametrize("info", [{"protocol": 2}, {}])
async def test_zero_is_where_a_servo_goes_and_no_stop(socket: Socket, pi: Pi, info: dict[str, Any]) -> None:
    if info:
        await pi.announce(**info)
    else:
        await pi.say("availability", "offline")
    told = (await socket.ask("pimqtt/command", unique_id=ARM, value=0))["result"]
    assert (told["outcome"], told["code"]) == ("rejected", "unavailable")
    assert pi.published == []
    assert (await socket.ask("pimqtt/command", unique_id=ARM, value="stop"))["success"]
    assert [one["value"] for one in pi.commands("arm")] == ["stop"]


async def test_zero_degrees_may_come_too_late(socket: Socket, pi: Pi) -> None:
    await socket.ask("pimqtt/command", unique_id=ARM, value=0)
    assert pi.commands("arm")[0]["expiry"] == 2
    await socket.ask("pimqtt/command", unique_id="pimqtt.car1.fan", value=0)
    assert "expiry" not in pi.commands("fan")[0]


async def test_of_what_no_node_tells_of_only_a_stop_is_one(socket: Socket, pi: Pi) -> None:
    await pi.announce(protocol=2, devices=[])
    told = (await socket.ask("pimqtt/command", unique_id=ARM, value=0))["result"]
    assert (told["code"], pi.published) == ("unavailable", [])
    await socket.ask("pimqtt/command", unique_id=ARM, value="stop")
    assert [one["value"] for one in pi.commands("arm")] == ["stop"]


async def test_nobody_calls_in_the_name_of_another(
    browser: Callable[..., Awaitable[Socket]], pi: Pi, hass: HomeAssistant
) -> None:
    every = tuple(er.async_get(hass).entities)
    anna = await browser("Anna", control=every)
    await browser("Bob")
    pi.calls["heartbeat"] = {}
    for owner, wanted in (("Bob", "invalid_format"), ("Home Assistant", "invalid_format"), ("Anna", None), (5, None)):
        answer = await anna.ask("pimqtt/call", node="car1", action="heartbeat", arguments={"owner": owner})
        assert (None if answer["success"] else answer["error"]["code"]) == wanted, owner


async def test_a_name_is_no_longer_than_the_wire_takes(browser: Callable[..., Awaitable[Socket]], pi: Pi) -> None:
    long = await browser("A" * 100, control=("switch.car1_pump",))
    await long.ask("pimqtt/command", entity_id="switch.car1_pump", value="ON")
    blank = await browser("  ", control=("switch.car1_pump",))
    await blank.ask("pimqtt/command", entity_id="switch.car1_pump", value="ON")
    assert [one["owner"] for one in pi.commands("pump")] == ["A" * 64, "Home Assistant"]
