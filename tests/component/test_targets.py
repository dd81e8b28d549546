"""What an action is used with, and under whose name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from acting import act, somebody
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from rig import Pi, Socket

PUMP, CAR = "switch.car1_pump", "sensor.car1_car"


@pytest.fixture(autouse=True)
def set_up(entry: Any) -> None:
    """The component is there."""


async def test_of_an_area_only_outputs_are_commanded(hass: HomeAssistant, pi: Pi) -> None:
    area = ar.async_get(hass).async_create("Garden")
    for one in (PUMP, CAR, "event.car1_bell"):
        found = er.async_get(hass).async_get(one)
        assert found is not None
        dr.async_get(hass).async_update_device(str(found.device_id), area_id=area.id)
    hass.states.async_set("light.other", "on")
    answers = await act(hass, "command", area_id=area.id, value="OFF")
    assert set(answers) == {PUMP, CAR}


@pytest.fixture
def garden(hass: HomeAssistant) -> str:
    """An area in which all of the Pi is, its emergency stops and buttons, too."""
    area = ar.async_get(hass).async_create("Garden")
    for one in {entry.device_id for entry in er.async_get(hass).entities.values()}:
        dr.async_get(hass).async_update_device(str(one), area_id=area.id)
    return area.id


async def test_naming_one_entity_makes_no_other_of_the_area_fit(hass: HomeAssistant, pi: Pi, garden: str) -> None:
    await act(hass, "command", entity_id=PUMP, area_id=garden, value="OFF")
    sent = {one.topic for one in pi.published}
    assert sent == {f"pimqtt/car1/{one}/set" for one in ("pump", "lamp", "fan", "arm", "car")}
    assert not any(one.payload in ("ON", "OFF") for one in pi.published), "no latch is touched"


async def test_a_latch_or_button_is_commanded_where_it_is_named_itself(
    hass: HomeAssistant, pi: Pi, garden: str
) -> None:
    answers = await act(hass, "command", entity_id="switch.car1_stop", value="ON")
    assert answers["switch.car1_stop"]["state"] == "ON"
    await act(hass, "command", entity_id="button.car1_eye_snapshot", value="PRESS")
    assert [one.topic for one in pi.published] == ["pimqtt/car1/stop/set", "pimqtt/car1/eye/snapshot/set"]


async def test_of_an_area_an_orphan_is_left_out(hass: HomeAssistant, pi: Pi, garden: str) -> None:
    gone = er.async_get(hass).async_get_or_create("switch", "mqtt", "pimqtt.gone.pump")
    er.async_get(hass).async_update_entity(gone.entity_id, area_id=garden)
    answers = await act(hass, "command", area_id=garden, value="OFF")
    assert PUMP in answers
    assert gone.entity_id not in answers


async def test_what_a_user_may_only_read_keeps_it_from_nothing_that_does_not_fit(hass: HomeAssistant, pi: Pi) -> None:
    area = ar.async_get(hass).async_create("Shed")
    for one in ("event.car1_bell", PUMP):
        found = er.async_get(hass).async_get(one)
        assert found is not None
        dr.async_get(hass).async_update_device(str(found.device_id), area_id=area.id)
    assert set(await act(hass, "command", await somebody(hass, PUMP), area_id=area.id, value="ON")) == {PUMP}


async def test_nobody_acts_under_another_users_name(hass: HomeAssistant, pi: Pi) -> None:
    await hass.auth.async_create_user("Ben")
    anna = await somebody(hass, PUMP, CAR)
    for action, data in (("command", {"entity_id": PUMP, "value": "ON"}), ("drive", {"entity_id": CAR, "y": 1})):
        with pytest.raises(ServiceValidationError, match="Ben is the name of somebody else"):
            await act(hass, action, anna, owner="Ben", **data)
        assert pi.published == []
    assert (await act(hass, "command", entity_id=PUMP, value="ON", owner="Ben"))[PUMP]["owner"] == "Ben"


async def test_of_a_device_with_nothing_to_command_nothing_is_done(hass: HomeAssistant, pi: Pi) -> None:
    bell = er.async_get(hass).async_get("event.car1_bell")
    assert bell is not None
    with pytest.raises(ServiceValidationError, match="Nothing of the target"):
        await act(hass, "command", device_id=bell.device_id, value="ON")


async def test_nobody_commands_under_another_users_name(
    browser: Callable[..., Awaitable[Socket]], socket: Socket, pi: Pi, hass: HomeAssistant
) -> None:
    await hass.auth.async_create_user("Anna")
    ben = await browser("Ben", control=(PUMP,))
    for owner in ("Anna", "Anna 2", "Home Assistant"):
        answer = await ben.ask("pimqtt/command", entity_id=PUMP, value="ON", owner=owner)
        assert answer["error"]["translation_key"] == "owner_of_another"
        assert owner in answer["error"]["message"]
    assert pi.published == []
    for owner in ("Ben", "Watering", "Annabel", "Anna's", "Anna x"):
        told = (await ben.ask("pimqtt/command", entity_id=PUMP, value="ON", owner=owner))["result"]
        assert (told["outcome"], told["owner"]) == ("accepted", owner)
    told = (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON", owner="Anna"))["result"]
    assert told["owner"] == "Anna", "an administrator may"
