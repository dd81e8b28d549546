"""Every kind in a real Home Assistant: what it is called there, and what Home Assistant's actions do to the pins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.ha.api import ApiError, State, until
from tests.ha.pi import Pi, Story, press, settled
from tests.ha.rig import HomeAssistant
from tests.rig import Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(300), pytest.mark.usefixtures("no_warnings")]

DEVICES = (
    "{id: pump, kind: switch, pin: 17, ttl: {default: 1, max: 60}}",
    "{id: relay, kind: switch, name: Garden relay, area: Garden, pin: 27, active_low: true, device_class: outlet}",
    "{id: heater, kind: switch, pin: 26, min_off: 3600}",
    "{id: lamp, kind: light, pin: 18}",
    "{id: glow, kind: light, rgb: {red: 8, green: 9, blue: 10}}",
    "{id: front-door, kind: binary_sensor, pin: 22, device_class: door, pull: up}",
    "{id: bell, kind: button, pin: 25, long: 1.5, double: 0.8}",
    "{id: fan, kind: motor, forward: 23, backward: 24, deadman: 0.5, ttl: {max: 30}}",
    "{id: winch, kind: motor, phase: 20, enable: 21, deadman: 0.5}",
    "{id: arm, kind: servo, pin: 12}",
    "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, ttl: {max: 30}}",
    "{id: truck, kind: drive, motor: {forward: 2, backward: 3}, steering: {pin: 14}}",
    "{id: eye, kind: camera, source: synthetic}",
)
DRIVE = {
    "": ("sensor", ""), "forward": ("button", "Forward"), "backward": ("button", "Backward"),
    "left": ("button", "Left"), "right": ("button", "Right"), "halt": ("button", "Stop"),
    "limit": ("number", "Speed limit"), "stop": ("switch", "Emergency stop"),
}
MOTOR = {"": ("number", ""), "halt": ("button", "Stop"), "stop": ("switch", "Emergency stop")}
#: By device: its name, its kind in words, its room; and its entities: platform and name.
EVERYTHING: dict[str, tuple[str, str, str, dict[str, tuple[str, str]]]] = {
    "pump": ("Pump", "switch", "workshop", {"": ("switch", "")}),
    "relay": ("Garden relay", "switch", "garden", {"": ("switch", "")}),
    "heater": ("Heater", "switch", "workshop", {"": ("switch", "")}),
    "lamp": ("Lamp", "light", "workshop", {"": ("light", "")}),
    "glow": ("Glow", "light", "workshop", {"": ("light", "")}),
    "front-door": ("Front door", "binary sensor", "workshop", {"": ("binary_sensor", "")}),
    "bell": ("Bell", "button", "workshop", {"": ("event", "")}),
    "fan": ("Fan", "motor", "workshop", MOTOR),
    "winch": ("Winch", "motor", "workshop", MOTOR),
    "arm": ("Arm", "servo", "workshop", MOTOR),
    "car": ("Car", "drive", "workshop", DRIVE),
    "truck": ("Truck", "drive", "workshop", DRIVE),
    "eye": ("Eye", "camera", "workshop", {
        "": ("camera", "Picture"), "snapshot": ("button", "Take picture"), "taken": ("sensor", "Picture taken"),
    }),
}  # fmt: skip
#: The node's own entities; more of them where the board has more to read.
NODE = {
    "system.connection": ("binary_sensor", "Connection"), "stop": ("switch", "Emergency stop"),
    "system.load": ("sensor", "Load"), "system.memory": ("sensor", "Memory used"),
    "system.disk": ("sensor", "Disk used"), "system.booted": ("sensor", "Booted"),
    "system.started": ("sensor", "Agent started"), "system.version": ("sensor", "Version"),
    "system.address": ("sensor", "IP address"), "system.restart": ("button", "Restart pimqtt"),
}  # fmt: skip
#: Registered, but switched off until the user wants them.
HIDDEN = {
    "pump.stop": "switch", "relay.stop": "switch", "heater.stop": "switch", "lamp.stop": "switch",
    "glow.stop": "switch", "eye.size": "sensor",
}  # fmt: skip
JPEG = b"\xff\xd8\xff"
FIRST = {
    "switch.house_pump": "off", "switch.house_relay": "off", "switch.house_heater": "off", "light.house_lamp": "off",
    "light.house_glow": "off", "binary_sensor.house_front_door": "on", "event.house_bell": "unknown",
    "number.house_fan": "0", "number.house_winch": "0", "number.house_arm": "unknown", "sensor.house_car": "stopped",
    "number.house_car_limit": "100", "sensor.house_truck": "stopped", "camera.house_eye": "idle",
    "button.house_eye_snapshot": "unknown", "switch.house_car_stop": "off", "switch.house_stop": "off",
    "binary_sensor.house_system_connection": "on",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    ha: HomeAssistant, broker_port: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pi]:
    """Give a node with every kind; every test leaves it at rest."""
    before = len(ha.log())
    with Pi(tmp_path_factory.mktemp("house"), broker_port, "house", DEVICES, title="The house", area="Workshop") as pi:
        count = len(NODE) + len(HIDDEN) + sum(len(entities) for *_, entities in EVERYTHING.values())
        await settled(ha, pi, count)
        yield pi
    await pi.forget(ha)
    assert ha.warnings(before) == []


def held(state: State) -> bool:
    return "owner" in state["attributes"]


def known(state: State) -> bool:
    return state["state"] not in ("unknown", "unavailable")


async def result(watch: Observer, house: Pi, device: str, since: int, **want: Any) -> None:
    """Wait for a result of a device with these fields."""
    await watch.wait(
        house.topic(device, "result"),
        lambda seen: all(seen.json()[key] == value for key, value in want.items()),
        10, since,
    )  # fmt: skip


async def test_everything_is_registered_by_its_names(ha: HomeAssistant, house: Pi) -> None:
    expected = {house.unique_id(key): (platform, f"The house {name}") for key, (platform, name) in NODE.items()}
    for device, (title, _, _, entities) in EVERYTHING.items():
        for key, (platform, name) in entities.items():
            parts = [device, key] if key else [device]
            expected[house.unique_id(*parts)] = (platform, f"{title} {name}".strip())
    entries = {key: entry for key, entry in (await ha.entities()).items() if key.startswith("pimqtt.house")}
    states = await ha.states()

    seen = {
        key: (entry["entity_id"].split(".")[0], states[entry["entity_id"]]["attributes"]["friendly_name"])
        for key, entry in entries.items()
        if not entry["disabled_by"]
    }

    assert {key: seen.get(key) for key in expected} == expected
    assert {key for key in set(seen) - set(expected) if not key.startswith("pimqtt.house.system.")} == set()
    off = {key: entry["entity_id"].split(".")[0] for key, entry in entries.items() if entry["disabled_by"]}
    assert off == {house.unique_id(key): platform for key, platform in HIDDEN.items()}


@pytest.mark.usefixtures("house")
async def test_entity_ids_say_node_device_and_entity(ha: HomeAssistant) -> None:
    states = await ha.states()

    assert {entity_id: states[entity_id]["state"] if entity_id in states else None for entity_id in FIRST} == FIRST


async def test_devices_are_nested_in_their_node(ha: HomeAssistant, house: Pi) -> None:
    devices = {name: device for device in await ha.devices() for _, name in device["identifiers"]}
    node = devices["pimqtt.house"]

    assert (node["name"], node["manufacturer"], node["via_device_id"]) == ("The house", "pimqtt", None)
    for device, (title, model, area, _) in EVERYTHING.items():
        entry = devices[house.unique_id(device)]
        assert entry["via_device_id"] == node["id"], device
        assert (entry["name"], entry["model"], entry["area_id"]) == (title, model, area)


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
    await asyncio.sleep(1)  # the time of a picture is shown in whole seconds
    await ha.call("button", "press", {"entity_id": "button.house_eye_snapshot"})

    await ha.wait_state("sensor.house_eye_taken", lambda state: state["state"] > taken)

    async def another() -> bytes | None:
        image = await picture()
        return None if image == first else image

    assert (await until(another, 10, "another picture")).startswith(JPEG)


async def test_the_restart_button_twitches_nothing(ha: HomeAssistant, house: Pi, watch: Observer) -> None:
    await ha.call("switch", "turn_on", {"entity_id": "switch.house_relay"})
    await ha.wait_state("switch.house_relay", "on")
    before, since = house.marks(), len(watch.seen)
    agent, pins = house.pid("agent"), house.pid("keeper pins")

    await ha.call("button", "press", {"entity_id": "button.house_system_restart"})

    assert await house.replaced("agent", agent)
    await watch.wait(house.topic("availability"), lambda seen: seen.text == "online", 15, since)
    await ha.wait_state("switch.house_relay", "on")
    await ha.wait_state("button.house_system_restart", lambda state: state["state"] != "unavailable")
    assert (house.marks(), house.pid("keeper pins")) == (before, pins)
    assert not [seen for seen in watch.seen[since:] if seen.topic.startswith("homeassistant/device/")]
    await ha.call("switch", "turn_off", {"entity_id": "switch.house_relay"})
    await ha.wait_state("switch.house_relay", "off")


@pytest.mark.usefixtures("house")
async def test_readings_have_values(ha: HomeAssistant) -> None:
    for key in ("load", "memory", "disk"):
        await ha.wait_state(f"sensor.house_system_{key}", lambda state: float(state["state"]) > 0)
    for key in ("booted", "started", "version"):
        await ha.wait_state(f"sensor.house_system_{key}", known)
