"""What Home Assistant sees when parts end and come back, and when the configuration changes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from tests.ha.api import ApiError, until
from tests.ha.pi import Pi, press, settled
from tests.ha.rig import HomeAssistant
from tests.rig import Mosquitto, Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(600)]

RELAY = "{id: relay, kind: switch, pin: 27}"
PUMP = "{id: pump, kind: switch, pin: 17, ttl: {default: 20, max: 60}}"
LAMP = "{id: lamp, kind: light, pin: 18}"
FAN = "{id: fan, kind: motor, forward: 23, backward: 24}"
DOOR = "{id: door, kind: binary_sensor, pin: 22, pull: up}"
BELL = "{id: bell, kind: button, pin: 25}"
EYE = "{id: eye, kind: camera, source: synthetic}"
#: Entities of the node itself (where the board has nothing more to read), of switch and light, of motor, of camera.
NODE, LEVEL, MOTOR, CAMERA = 10, 2, 3, 4
Start = Callable[..., Pi]
quiet = pytest.mark.usefixtures("no_warnings")


def discoveries(watch: Observer, pi: Pi, since: int = 0) -> list[tuple[str, str]]:
    """List what was published on the node's discovery topics: device and payload."""
    mark = f"homeassistant/device/{pi.name}/"
    return [(seen.topic.split("/")[3], seen.text) for seen in watch.seen[since:] if seen.topic.startswith(mark)]


def provoked(ha: HomeAssistant, since: int, text: str) -> None:
    """Let Home Assistant have warned of nothing else."""
    found = ha.warnings(since)
    assert [warning for warning in found if text not in warning] == []
    ha.provoked += found


async def on_relay(ha: HomeAssistant, pi: Pi) -> str:
    """Turn the relay on; give its entity id."""
    relay = pi.entity_id("switch", "relay")
    await ha.call("switch", "turn_on", {"entity_id": relay})
    await ha.wait_state(relay, "on")
    return relay


async def picture(ha: HomeAssistant, pi: Pi) -> bytes | None:
    """Give what the camera shows, None before the first picture."""
    try:
        return await ha.camera_image(pi.entity_id("camera", "eye"))
    except ApiError:
        return None


@quiet
async def test_home_assistant_restarts(ha: HomeAssistant, agent: Start, watch: Observer) -> None:
    pi = agent(RELAY, PUMP, LAMP, FAN, DOOR, BELL, EYE)
    await settled(ha, pi, NODE + 3 * LEVEL + MOTOR + 2 + CAMERA)
    await on_relay(ha, pi)
    lamp = pi.entity_id("light", "lamp")
    await ha.call("light", "turn_on", {"entity_id": lamp, "brightness": 51})
    await ha.wait_state(lamp, "on")
    await press(watch, pi, 22, 0)
    await ha.wait_state(pi.entity_id("binary_sensor", "door"), "off")
    shown = ("switch.relay", "switch.pump", "light.lamp", "number.fan", "binary_sensor.door", "sensor.eye_taken")
    names = [pi.entity_id(*name.split(".")) for name in shown]
    for name in names:
        await ha.wait_state(name, lambda state: state["state"] not in ("unknown", "unavailable"))
    states = await ha.states()
    before = {name: states[name]["state"] for name in names}
    marks, since = pi.marks(), len(watch.seen)

    await ha.restart()

    for name, state in before.items():
        await ha.wait_state(name, state, 30)
    assert (await ha.wait_state(lamp, "on"))["attributes"]["brightness"] == 51
    birth = await watch.wait("homeassistant/status", lambda seen: seen.text == "online", 30, since)
    born = watch.seen.index(birth)
    await watch.wait(pi.topic("relay", "state"), lambda seen: seen.text == "ON", 10, born)
    await watch.wait(pi.topic("eye", "image"), timeout_s=10, since=born)
    assert (await until(lambda: picture(ha, pi), 10, "the picture")).startswith(b"\xff\xd8")
    assert (discoveries(watch, pi, since), pi.marks()) == ([], marks)


@quiet
async def test_a_stop_and_a_start(ha: HomeAssistant, agent: Start, watch: Observer) -> None:
    pi = agent(RELAY, EYE)
    await settled(ha, pi, NODE + LEVEL + CAMERA)
    relay = await on_relay(ha, pi)

    pi.stop()
    await ha.wait_state(relay, "unavailable")
    await ha.wait_state(pi.entity_id("camera", "eye"), "unavailable")
    await ha.wait_state(pi.entity_id("sensor", "system", "load"), "unavailable")
    await ha.wait_state(pi.entity_id("binary_sensor", "system", "connection"), "off")
    since = len(watch.seen)
    pi.start()

    await ha.wait_state(relay, "off")
    await ha.wait_state(pi.entity_id("camera", "eye"), "idle")
    await ha.wait_state(pi.entity_id("binary_sensor", "system", "connection"), "on")
    assert discoveries(watch, pi, since) == []


@quiet
async def test_a_retained_birth_is_one_too(ha: HomeAssistant, agent: Start, watch: Observer) -> None:
    pi = agent(RELAY)
    await settled(ha, pi, NODE + LEVEL)
    since = len(watch.seen)

    try:
        await watch.send("homeassistant/status", "online", retain=True)

        await watch.wait(pi.topic("relay", "state"), timeout_s=10, since=since)
    finally:
        await watch.send("homeassistant/status", retain=True)


@quiet
async def test_a_camera_that_is_not_there(ha: HomeAssistant, agent: Start) -> None:
    pi = agent(RELAY, "{id: eye, kind: camera, source: {v4l2: /dev/video99}}")

    await ha.entity_id(pi.unique_id("eye"))
    await ha.wait_state(pi.entity_id("switch", "relay"), "off")
    for name in ("camera.eye", "button.eye_snapshot", "sensor.eye_taken"):
        await ha.wait_state(pi.entity_id(*name.split(".")), "unavailable")


@quiet
@pytest.mark.parametrize("role", ["agent", "keeper pins", "supervisor"])
async def test_a_kill(ha: HomeAssistant, agent: Start, watch: Observer, role: str) -> None:
    pi = agent(RELAY)
    await settled(ha, pi, NODE + LEVEL)
    relay = await on_relay(ha, pi)
    before, since = pi.marks(), len(watch.seen)

    if role == "supervisor":
        assert pi.process
        pi.process.kill()
        await ha.wait_state(relay, "unavailable")
        pi.stop()
        pi.start()
        await ha.wait_state(relay, "off")
    else:
        old = pi.signal(role, signal.SIGKILL)
        await pi.replaced(role, old)
        if role == "agent":
            await watch.wait(pi.topic("availability"), lambda seen: seen.text == "offline", 10, since)
            await watch.wait(pi.topic("availability"), lambda seen: seen.text == "online", 10, since)
            assert pi.marks() == before
        await asyncio.sleep(0.5)
        await ha.wait_state(relay, "on")
        await ha.call("switch", "turn_off", {"entity_id": relay})
        await ha.wait_state(relay, "off")
    assert discoveries(watch, pi, since) == []


async def test_the_broker_restarts_and_has_forgotten_everything(
    ha: HomeAssistant, agent: Start, mosquitto: Mosquitto
) -> None:
    pi = agent(RELAY, FAN, EYE)
    count = NODE + LEVEL + MOTOR + CAMERA
    await settled(ha, pi, count)
    relay = await on_relay(ha, pi)
    before, pid, said = pi.marks(), pi.pid("agent"), len(ha.log())

    mosquitto.stop()
    try:
        await ha.wait_state(relay, "unavailable", 20)
    finally:
        mosquitto.start()
        ha.provoked += ha.warnings(said)

    await ha.wait_state(relay, "on", 40)
    await settled(ha, pi, count)
    await ha.call("switch", "turn_off", {"entity_id": relay})
    await ha.wait_state(relay, "off")
    assert pi.pid("agent") == pid
    assert pi.marks() == {**before, 27: before[27] + 1}
    provoked(ha, said, "[homeassistant.components.mqtt.client]")


@quiet
@pytest.mark.parametrize("running", [True, False])
async def test_a_device_leaves_the_configuration(
    ha: HomeAssistant, agent: Start, watch: Observer, *, running: bool
) -> None:
    pi = agent(RELAY, PUMP, FAN, EYE)
    await settled(ha, pi, NODE + 2 * LEVEL + MOTOR + CAMERA)
    relay, since = await on_relay(ha, pi), len(watch.seen)

    pi.write([RELAY, FAN])
    if running:
        before, camera = pi.marks(), pi.pid("keeper camera eye")
        pi.reload()
    else:
        pi.stop()
        pi.start()

    async def left() -> bool:
        keys = {key.partition(".")[0] for key in await pi.registered(ha)}
        return not keys & {"pump", "eye"}

    await until(left, 20, "pump and camera gone")
    names = {name for device in await ha.devices() for _, name in device["identifiers"]}
    assert names & {pi.unique_id(name) for name in ("relay", "pump", "fan", "eye")} == {
        pi.unique_id("relay"), pi.unique_id("fan"),
    }
    assert set(discoveries(watch, pi, since)) == {("eye", ""), ("pump", "")}
    await ha.wait_state(relay, "on" if running else "off")
    for topic in ("pump/availability", "pump/state", "pump/lease", "pump/stop/state", "eye/taken/state"):
        await watch.wait(pi.topic(topic), lambda seen: seen.retain and not seen.payload, 10, since)
    if running:
        assert pi.pid("keeper camera eye") == 0 != camera
        assert {pin: count for pin, count in pi.marks().items() if pin != 17} == {
            pin: count for pin, count in before.items() if pin != 17
        }


async def test_a_device_becomes_another_kind(ha: HomeAssistant, agent: Start, watch: Observer) -> None:
    said = len(ha.log())
    pi = agent(RELAY, FAN)
    await settled(ha, pi, NODE + LEVEL + MOTOR)
    assert set(await pi.registered(ha)) >= {"fan", "fan.halt", "fan.stop"}

    pi.write([RELAY, "{id: fan, kind: switch, pin: 23}"])
    since = len(watch.seen)
    pi.reload()

    fan = pi.entity_id("switch", "fan")
    await ha.wait_state(fan, "off", 20)
    await ha.wait_gone(pi.entity_id("number", "fan"))
    await ha.wait_gone(pi.entity_id("button", "fan", "halt"))
    assert {key: name for key, name in (await pi.registered(ha)).items() if key.startswith("fan")} == {
        "fan": fan, "fan.stop": pi.entity_id("switch", "fan", "stop"),
    }
    await ha.call("switch", "turn_on", {"entity_id": fan})
    await ha.wait_state(fan, "on")
    times = [seen.at_s for seen in watch.seen[since:] if seen.topic == f"homeassistant/device/{pi.name}/fan/config"]
    assert len(times) == 2
    assert times[1] - times[0] > 1.8, "2.2 s are left, but this process may read late"
    provoked(ha, said, "Payload 'OFF' is not a Number")  # the number hears the first state of the switch


@quiet
async def test_a_lamp_gets_colours(ha: HomeAssistant, agent: Start, watch: Observer) -> None:
    pi = agent(LAMP)
    await settled(ha, pi, NODE + LEVEL)
    lamp, since = pi.entity_id("light", "lamp"), len(watch.seen)

    pi.write(["{id: lamp, kind: light, rgb: {red: 18, green: 19, blue: 20}}"])
    pi.reload()

    await ha.wait_state(lamp, lambda state: state["attributes"].get("supported_color_modes") == ["rgb"], 20)
    await ha.wait_state(lamp, "off")
    await ha.call("light", "turn_on", {"entity_id": lamp, "rgb_color": [0, 255, 0]})
    await ha.wait_state(lamp, lambda state: state["attributes"]["rgb_color"] == [0, 255, 0])
    assert (await pi.registered(ha))["lamp"] == lamp
    assert [device for device, _ in discoveries(watch, pi, since)] == ["lamp"]


@quiet
async def test_a_button_of_the_node_is_no_longer_allowed(ha: HomeAssistant, agent: Start) -> None:
    pi = agent(RELAY)
    await settled(ha, pi, NODE + LEVEL)
    restart = pi.entity_id("button", "system", "restart")

    pi.write([RELAY], system=", allow: []")
    pi.reload()

    await ha.wait_gone(restart, 20)
    assert "system.restart" not in await pi.registered(ha)
    await ha.wait_state(pi.entity_id("switch", "relay"), "off")
