"""When a camera's picture was taken: exactly for cards, seldom for what Home Assistant stores."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import async_capture_events
from rig import Pi, Socket

TAKEN, SIZE = "sensor.car1_eye_taken", "sensor.car1_eye_size"
BEGAN = datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def camera(pi: Pi, entry: Any) -> None:
    """Have its entities available also where Home Assistant listens a moment after it made them."""
    await pi.announce()


def changes(events: list[Event[Any]], entity_id: str) -> list[str]:
    """Return the states that the recorder would store."""
    return [one.data["new_state"].state for one in events if one.data["entity_id"] == entity_id]


async def take(pi: Pi, seconds: float) -> None:
    """Take a picture so long after the first."""
    await pi.say("eye/taken/state", (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds"))
    await pi.say("eye/size/state", str(30_000 + int(seconds)))


async def test_a_minute_of_stills_every_second_is_stored_six_times(hass: HomeAssistant, pi: Pi) -> None:
    events = async_capture_events(hass, "state_changed")
    for second in range(60):
        await take(pi, second)
    shown = changes(events, TAKEN)
    assert len(shown) == 6
    assert shown[:2] == ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:15+00:00"]
    size = er.async_get(hass).async_get(SIZE)
    assert size is not None
    assert size.disabled
    assert changes(events, SIZE) == [], "it is switched off until a user wants it"


@pytest.mark.parametrize("seconds", [10, 3600, -3600])
async def test_a_still_now_and_then_is_shown_with_its_time(hass: HomeAssistant, pi: Pi, seconds: float) -> None:
    await take(pi, 0)
    await take(pi, seconds)
    shown = hass.states.get(TAKEN)
    assert shown is not None
    assert datetime.fromisoformat(shown.state) == (BEGAN + timedelta(seconds=seconds)).replace(microsecond=0)


async def test_after_the_camera_was_away_its_time_is_shown_at_once(hass: HomeAssistant, pi: Pi) -> None:
    await take(pi, 0)
    await pi.say("eye/taken/state", "None")
    assert hass.states.get(TAKEN).state == "unknown"  # type: ignore[union-attr]
    await take(pi, 1)
    assert hass.states.get(TAKEN).state == "2026-01-02T03:04:06+00:00"  # type: ignore[union-attr]
    await pi.say("eye/availability", "offline")
    await pi.say("eye/availability", "online")
    await take(pi, 2)
    assert hass.states.get(TAKEN).state in ("2026-01-02T03:04:06+00:00", "2026-01-02T03:04:07+00:00")  # type: ignore[union-attr]


async def test_cards_are_told_of_each_picture(socket: Socket, pi: Pi) -> None:
    assert (await socket.ask("pimqtt/fleet"))["success"]

    def told(event: dict[str, Any]) -> str | None:
        (node,) = event["nodes"] if "nodes" in event else [event["node"]]
        (eye,) = [one for one in node["devices"] if one["id"] == "eye"]
        assert [one["key"] for one in eye["entities"] if one["taken"]] in ([], [""])
        (picture,) = [one for one in eye["entities"] if one["key"] == ""]
        return str(picture["taken"]) if picture["taken"] else None

    assert told(await socket.event()) is None
    for second in (1, 2):
        await take(pi, second)
        due = (BEGAN + timedelta(seconds=second)).isoformat(timespec="milliseconds")
        await socket.event(lambda event, due=due: told(event) == due)  # type: ignore[misc]
        await asyncio.sleep(0.25)
    for odd in (b"\xff", "soon", "2026-13-45T99:00:00+00:00", "x" * 100_000):
        await take(pi, 3)
        await pi.say("eye/taken/state", odd)
        await asyncio.sleep(0.25)
        assert told(await socket.event(lambda event: told(event) is None)) is None
