"""The drive action: what it answers once it has driven, or has not."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from acting import act
from driving import stops
from homeassistant.core import HomeAssistant
from rig import Pi

CAR = "sensor.car1_car"


@pytest.fixture(autouse=True)
def soon(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for an answer."""
    monkeypatch.setattr("custom_components.pimqtt.driving_action.ANSWER_S", 0.3)


async def driving(hass: HomeAssistant, pi: Pi, **data: Any) -> asyncio.Task[Any]:
    """Begin to drive; return what becomes of it."""
    task = hass.async_create_task(act(hass, "drive", entity_id=CAR, y=0.5, **data))
    while not pi.commands("car"):
        await asyncio.sleep(0.01)
    return task


async def test_a_car_that_fell_silent_on_its_way_did_not_do_it(hass: HomeAssistant, pi: Pi) -> None:
    task = await driving(hass, pi, duration=0.5)
    await asyncio.sleep(0.2)
    pi.silent = True
    told = (await task)[CAR]
    assert (told["outcome"], told["reason_key"]) == ("unanswered", "unanswered")
    assert len(stops(pi)) == 1


async def test_it_stops_before_it_waits_for_the_last_answer(
    hass: HomeAssistant, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.driving_action.ANSWER_S", 2)
    task = await driving(hass, pi, duration=0.3)
    pi.silent = True
    began_s = time.monotonic()
    while not stops(pi):
        await asyncio.sleep(0.01)
    assert time.monotonic() - began_s < 1
    await task
    assert len(stops(pi)) == 1


async def test_who_was_taken_over_stops_nobody_else_and_says_why(hass: HomeAssistant, pi: Pi) -> None:
    task = await driving(hass, pi, duration=5)
    pi.refuse["car"] = {"code": "held", "reason": "'Bob' holds it", "holder": "Bob"}
    told = (await task)[CAR]
    assert (told["outcome"], told["code"], told["holder"]) == ("rejected", "held", "Bob")
    assert stops(pi) == []
