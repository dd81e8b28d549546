"""What Home Assistant's actions do to the pins of switches and lights."""

from __future__ import annotations

import pytest

from tests.ha.house import held, result
from tests.ha.pi import Pi, Story
from tests.ha.rig import HomeAssistant
from tests.rig import Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(300), pytest.mark.usefixtures("no_warnings")]


async def test_a_switch_with_a_ttl_goes_off_by_itself(ha: HomeAssistant, house: Pi, heard: Story) -> None:
    before = house.marks()

    await ha.call("switch", "turn_on", {"entity_id": "switch.house_pump"})

    await heard.wait("switch.house_pump", ["on", "off"])
    await house.changed(before, {17: [1, 0]})


async def test_a_switch_without_stays_until_it_is_turned_off(ha: HomeAssistant, house: Pi, heard: Story) -> None:
    before = house.marks()

    await ha.call("switch", "turn_on", {"entity_id": "switch.house_relay"})
    await heard.wait("switch.house_relay", ["on"])
    await house.changed(before, {27: [0]})
    await ha.call("switch", "toggle", {"entity_id": "switch.house_relay"})

    await heard.wait("switch.house_relay", ["on", "off"])
    await house.changed(before, {27: [0, 1]})


async def test_the_lease_is_in_the_attributes(ha: HomeAssistant, house: Pi, watch: Observer) -> None:
    await watch.send(house.topic("pump", "set"), {"value": "ON", "ttl": 30, "owner": "cat", "priority": 3})

    lease = (await ha.wait_state("switch.house_pump", held))["attributes"]
    assert (lease["owner"], lease["value"], lease["resting"]) == ("cat", "ON", "OFF")
    assert 25 < lease["remaining_s"] <= 30

    since = len(watch.seen)
    await ha.call("switch", "turn_on", {"entity_id": "switch.house_pump"})  # refused: it is the cat's
    await result(watch, house, "pump", since, code="held", holder="cat")
    await watch.wait(house.topic("pump", "state"), lambda seen: seen.text == "ON", since=since)
    assert (await ha.wait_state("switch.house_pump", "on"))["attributes"]["owner"] == "cat"

    await ha.call("switch", "turn_off", {"entity_id": "switch.house_pump"})  # a stop is anybody's
    await ha.wait_state("switch.house_pump", lambda state: state["state"] == "off" and not held(state))


async def test_a_refused_command_leaves_the_true_state(ha: HomeAssistant, house: Pi, watch: Observer) -> None:
    before, since = house.marks(), len(watch.seen)

    await ha.call("switch", "turn_on", {"entity_id": "switch.house_heater"})

    await result(watch, house, "heater", since, code="min_off")
    await watch.wait(house.topic("heater", "state"), lambda seen: seen.text == "OFF", since=since)
    assert (await ha.wait_state("switch.house_heater", "off"))["state"] == "off"
    assert house.levels(26)[before[26] :] == []


async def test_a_light_is_dimmed(ha: HomeAssistant, house: Pi) -> None:
    before = house.marks()

    await ha.call("light", "turn_on", {"entity_id": "light.house_lamp", "brightness": 128})
    await ha.wait_state("light.house_lamp", lambda state: state["attributes"]["brightness"] == 128)
    await ha.call("light", "turn_on", {"entity_id": "light.house_lamp", "brightness_pct": 100})
    await ha.wait_state("light.house_lamp", lambda state: state["attributes"]["brightness"] == 255)
    await ha.call("light", "turn_off", {"entity_id": "light.house_lamp"})
    await ha.wait_state("light.house_lamp", "off")
    await ha.call("light", "turn_on", {"entity_id": "light.house_lamp"})
    await ha.wait_state("light.house_lamp", lambda state: state["attributes"]["brightness"] == 255)
    await ha.call("light", "turn_off", {"entity_id": "light.house_lamp"})

    await house.changed(before, {18: [0.502, 1, 0, 1, 0]})


async def test_a_light_fades(ha: HomeAssistant, house: Pi) -> None:
    before = house.marks()

    await ha.call("light", "turn_on", {"entity_id": "light.house_lamp", "brightness": 255, "transition": 1})
    await ha.wait_state("light.house_lamp", "on")
    house.wait_level(18, 1, 10)
    await ha.call("light", "turn_off", {"entity_id": "light.house_lamp"})
    await ha.wait_state("light.house_lamp", "off")
    house.wait_level(18, 0)

    levels = house.levels(18)[before[18] :]
    assert len(levels) > 5
    assert levels[:-1] == sorted(levels[:-1])


async def test_a_light_has_a_colour(ha: HomeAssistant, house: Pi) -> None:
    before = house.marks()

    await ha.call("light", "turn_on", {"entity_id": "light.house_glow", "rgb_color": [255, 0, 128]})
    state = await ha.wait_state("light.house_glow", "on")
    assert (state["attributes"]["rgb_color"], state["attributes"]["brightness"]) == ([255, 0, 128], 255)
    await ha.call("light", "turn_on", {"entity_id": "light.house_glow", "brightness": 51})
    state = await ha.wait_state("light.house_glow", lambda state: state["attributes"]["brightness"] == 51)
    assert state["attributes"]["rgb_color"] == [255, 0, 128]
    await ha.call("light", "turn_on", {"entity_id": "light.house_glow", "hs_color": [120, 100]})
    state = await ha.wait_state("light.house_glow", lambda state: state["attributes"]["rgb_color"] == [0, 255, 0])
    assert state["attributes"]["brightness"] == 51
    await ha.call("light", "turn_off", {"entity_id": "light.house_glow"})
    await ha.wait_state("light.house_glow", "off")

    await house.changed(before, {8: [1, 0.2, 0], 9: [0.2, 0], 10: [0.502, 0.1004, 0]})
