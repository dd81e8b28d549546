"""What Home Assistant shows of contacts, push buttons and cameras."""

from __future__ import annotations

import asyncio

import pytest

from tests.ha.api import ApiError, until
from tests.ha.house import known
from tests.ha.pi import Pi, Story, press
from tests.ha.rig import HomeAssistant
from tests.rig import Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(300), pytest.mark.usefixtures("no_warnings")]

JPEG = b"\xff\xd8\xff"


async def test_a_contact_is_followed(house: Pi, heard: Story, watch: Observer) -> None:
    await press(watch, house, 22, 0)
    await heard.wait("binary_sensor.house_front_door", ["off"])
    await press(watch, house, 22, 1)
    await heard.wait("binary_sensor.house_front_door", ["off", "on"])


@pytest.mark.parametrize(
    ("levels", "told"),
    [((0, 0.1, 1), "press"), ((0, 0.1, 1, 0.1, 0, 0.1, 1), "double"), ((0, 2, 1), "long")],
)
async def test_a_push_button_tells_what_was_pressed(
    ha: HomeAssistant, house: Pi, watch: Observer, levels: tuple[float, ...], told: str
) -> None:
    earlier = await ha.wait_state("event.house_bell", lambda _state: True)

    await press(watch, house, 25, *levels)

    event = await ha.wait_state("event.house_bell", lambda state: state["state"] != earlier["state"])
    assert event["attributes"]["event_type"] == told
    assert event["attributes"]["event_types"] == ["press", "double", "long"]


@pytest.mark.usefixtures("house")
async def test_a_camera_shows_its_picture(ha: HomeAssistant) -> None:
    async def picture() -> bytes | None:
        try:
            return await ha.camera_image("camera.house_eye")
        except ApiError:  # it has none yet
            return None

    first = await until(picture, 15, "a picture without asking for one")
    assert first.startswith(JPEG)
    taken = (await ha.wait_state("sensor.house_eye_taken", known))["state"]
    await asyncio.sleep(10)  # of many pictures the time of one in ten seconds is shown
    await ha.call("button", "press", {"entity_id": "button.house_eye_snapshot"})

    await ha.wait_state("sensor.house_eye_taken", lambda state: state["state"] > taken)

    async def another() -> bytes | None:
        image = await picture()
        return None if image == first else image

    assert (await until(another, 10, "another picture")).startswith(JPEG)
