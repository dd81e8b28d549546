"""What Home Assistant's actions do to what moves, and what stops it."""

from __future__ import annotations

import asyncio

import pytest

from tests.ha.house import held, result
from tests.ha.pi import Pi, Story
from tests.ha.rig import HomeAssistant
from tests.rig import Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(300), pytest.mark.usefixtures("no_warnings")]


@pytest.mark.parametrize(
    ("device", "speed", "levels"),
    [  # speeds as Home Assistant's state shows them
        ("fan", "40", {23: [0.4, 0], 24: []}),
        ("fan", "-65.0", {23: [], 24: [0.65, 0]}),
        ("winch", "-40.0", {20: [1], 21: [0.4, 0]}),
        ("winch", "40", {20: [0], 21: [0.4, 0]}),
    ],
)
async def test_a_motor_runs_until_its_deadman(
    ha: HomeAssistant, house: Pi, heard: Story, device: str, speed: str, levels: dict[int, list[float]]
) -> None:
    before = house.marks()

    await ha.call("number", "set_value", {"entity_id": f"number.house_{device}", "value": float(speed)})

    await heard.wait(f"number.house_{device}", [speed, "0"])
    await house.changed(before, levels)


@pytest.mark.parametrize(
    ("device", "word", "levels"),
    [
        ("car", "forward", {5: [1, 0], 6: [], 13: [1, 0], 19: []}),
        ("car", "backward", {5: [], 6: [1, 0], 13: [], 19: [1, 0]}),
        ("car", "left", {5: [], 6: [1, 0], 13: [1, 0], 19: []}),
        ("car", "right", {5: [1, 0], 6: [], 13: [], 19: [1, 0]}),
        ("truck", "forward", {2: [1, 0], 3: []}),
        ("truck", "backward", {2: [], 3: [1, 0]}),
    ],
)
async def test_a_drive_obeys_its_buttons(
    ha: HomeAssistant, house: Pi, heard: Story, device: str, word: str, levels: dict[int, list[float]]
) -> None:
    before = house.marks()

    await ha.call("button", "press", {"entity_id": f"button.house_{device}_{word}"})

    await heard.wait(f"sensor.house_{device}", [word, "stopped"])
    await house.changed(before, levels)


async def test_a_truck_steers(ha: HomeAssistant, house: Pi, heard: Story) -> None:
    before = house.marks()

    await ha.call("button", "press", {"entity_id": "button.house_truck_left"})

    await heard.wait("sensor.house_truck", ["left", "stopped"])
    pulses = house.levels(14)[before[14] :]
    assert pulses[0] < 0.075, pulses  # of 20 ms; 1.5 ms is straight on


async def test_a_speed_limit_holds_while_driving(ha: HomeAssistant, house: Pi, heard: Story) -> None:
    before = house.marks()

    await ha.call("number", "set_value", {"entity_id": "number.house_car_limit", "value": 40})
    await ha.wait_state("number.house_car_limit", "40")
    await ha.call("button", "press", {"entity_id": "button.house_car_forward"})
    await heard.wait("sensor.house_car", ["forward", "stopped"])
    await ha.call("number", "set_value", {"entity_id": "number.house_car_limit", "value": 100})
    await ha.wait_state("number.house_car_limit", "100")

    await house.changed(before, {5: [0.4, 0], 13: [0.4, 0]})


async def test_a_servo_goes_to_an_angle(ha: HomeAssistant, house: Pi, heard: Story) -> None:
    before = house.marks()

    await ha.call("number", "set_value", {"entity_id": "number.house_arm", "value": 45})
    await heard.wait("number.house_arm", ["45"])
    assert house.levels(12)[before[12] :][0] == 0.0875
    house.wait_level(12, 0, 10)  # it got there: its pulses end
    assert (await ha.wait_state("number.house_arm", "45"))["attributes"]["unit_of_measurement"] == "°"


@pytest.mark.parametrize(
    ("device", "value", "shown", "levels"),
    [
        ("fan", 50, "number.house_fan", {23: [0.5, 0]}),
        ("car", "forward", "sensor.house_car", {5: [1, 0], 13: [1, 0]}),
    ],
)
async def test_a_stop_button_stops_whoever_drives(
    ha: HomeAssistant, house: Pi, watch: Observer, device: str, value: object, shown: str,
    levels: dict[int, list[float]],
) -> None:  # fmt: skip
    before, since = house.marks(), len(watch.seen)
    await watch.send(house.topic(device, "set"), {"value": value, "ttl": 30, "owner": "cat", "priority": 9})
    await ha.wait_state(shown, held)

    await ha.call("button", "press", {"entity_id": f"button.house_{device}_halt"})

    await ha.wait_state(shown, lambda state: state["state"] in ("0", "stopped") and not held(state))
    await house.changed(before, levels)
    await result(watch, house, device, since, outcome="reverted", cause="stopped", owner="cat")


@pytest.mark.parametrize("stop", ["switch.house_car_stop", "switch.house_stop"])
async def test_an_emergency_stop_latches(
    ha: HomeAssistant, house: Pi, heard: Story, watch: Observer, stop: str
) -> None:
    before, since = house.marks(), len(watch.seen)
    await watch.send(house.topic("car", "set"), {"value": "forward", "ttl": 30, "owner": f"dog at {stop}"})
    await ha.wait_state("sensor.house_car", "forward")

    await ha.call("switch", "turn_on", {"entity_id": stop})
    await ha.wait_state(stop, "on")
    await heard.wait("sensor.house_car", ["forward", "stopped"])
    await result(watch, house, "car", since, cause="emergency")
    since = len(watch.seen)
    await ha.call("button", "press", {"entity_id": "button.house_car_backward"})
    await result(watch, house, "car", since, code="latched")
    assert (await ha.wait_state("sensor.house_car", "stopped"))["state"] == "stopped"

    await ha.call("switch", "turn_off", {"entity_id": stop})
    await ha.wait_state(stop, "off")
    await asyncio.sleep(0.6)  # who was refused must let go for one dead-man
    await ha.call("button", "press", {"entity_id": "button.house_car_backward"})
    await heard.wait("sensor.house_car", ["forward", "stopped", "backward", "stopped"])
    await house.changed(before, {5: [1, 0], 6: [1, 0], 13: [1, 0], 19: [1, 0]})


@pytest.mark.usefixtures("house")
async def test_a_reset_of_the_node_resets_its_devices(ha: HomeAssistant) -> None:
    stops = ["switch.house_car_stop", "switch.house_fan_stop"]
    await ha.call("switch", "turn_on", {"entity_id": stops})
    for stop in stops:
        await ha.wait_state(stop, "on")

    await ha.call("switch", "turn_off", {"entity_id": "switch.house_stop"})

    for stop in stops:
        await ha.wait_state(stop, "off")
