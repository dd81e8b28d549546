"""The rig itself, with a device that no agent announced."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt
import pytest

from tests.ha.api import ApiError, State
from tests.ha.rig import HomeAssistant

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(900)]

BASE = "rig-test/thing"
CONFIG = "homeassistant/device/rig_test/config"
JPEG = b"\xff\xd8 a picture \xff\xd9"


def component(name: str, platform: str, **keys: object) -> dict[str, Any]:
    return {"platform": platform, "name": name, "unique_id": f"rig_{name}", **keys}


def topics(name: str, *, state: bool = True) -> dict[str, str]:
    topic = {"command_topic": f"{BASE}/{name}/set"}
    return topic | {"state_topic": f"{BASE}/{name}/state"} if state else topic


async def things(ha: HomeAssistant) -> list[str]:
    return [device["name"] for device in await ha.devices() if ["mqtt", "rig_test"] in device["identifiers"]]


PAYLOAD: dict[str, Any] = {
    "device": {"identifiers": ["rig_test"], "name": "Thing", "manufacturer": "rig"},
    "origin": {"name": "pimqtt-rig", "sw": "1"},
    "availability": [{"topic": f"{BASE}/availability"}],
    "components": {
        "relay": component("relay", "switch", **topics("relay")),
        "level": component("level", "number", **topics("level"), min=-100, max=100, unit_of_measurement="%"),
        "lamp": component("lamp", "light", schema="json", brightness=True, supported_color_modes=["brightness"],
                          **topics("lamp")),
        "press": component("press", "button", **topics("press", state=False)),
        "bell": component("bell", "event", state_topic=f"{BASE}/bell/event", event_types=["press_start", "press_end"]),
        "heat": component("heat", "sensor", state_topic=f"{BASE}/heat/state", device_class="temperature",
                          unit_of_measurement="°C"),
        "door": component("door", "binary_sensor", state_topic=f"{BASE}/door/state", device_class="door"),
        "eye": component("eye", "camera", topic=f"{BASE}/eye/image"),
    },
}
STATES = {"availability": "online", "relay/state": "OFF", "level/state": "0", "lamp/state": '{"state": "OFF"}',
          "heat/state": "21.5", "door/state": "ON"}


@pytest.fixture
async def broker(broker_port: int) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client("127.0.0.1", broker_port, timeout=5) as client:
        yield client


@pytest.fixture
async def thing(ha: HomeAssistant, broker: aiomqtt.Client) -> AsyncIterator[dict[str, str]]:
    """Announce the thing; give the entity ids by name; take it away again."""
    for topic, payload in STATES.items():
        await broker.publish(f"{BASE}/{topic}", payload, retain=True)
    await broker.publish(CONFIG, json.dumps(PAYLOAD), qos=1, retain=True)
    ids = {name: await ha.entity_id(f"rig_{name}") for name in PAYLOAD["components"]}
    await ha.wait_state(ids["heat"], "21.5")
    yield ids
    if await ha.state(ids["relay"]):  # Home Assistant warns where nothing is left to remove
        await broker.publish(CONFIG, "", qos=1, retain=True)
        await asyncio.gather(*(ha.wait_gone(entity_id) for entity_id in ids.values()))
    for topic in STATES:  # only then: to a light an empty state is an error
        await broker.publish(f"{BASE}/{topic}", "", qos=1, retain=True)


@pytest.mark.usefixtures("no_warnings")
async def test_every_platform_is_accepted(ha: HomeAssistant, thing: dict[str, str]) -> None:
    states = await ha.states()

    assert {name: states[entity_id]["state"] for name, entity_id in thing.items()} == {
        "relay": "off", "level": "0", "lamp": "off", "press": "unknown", "bell": "unknown", "heat": "21.5",
        "door": "on", "eye": "idle",
    }
    assert await things(ha) == ["Thing"]


@pytest.mark.parametrize(
    ("action", "name", "data", "payload"),
    [
        ("switch/turn_on", "relay", {}, "ON"),
        ("number/set_value", "level", {"value": -40}, "-40"),
        ("light/turn_on", "lamp", {"brightness": 128}, '{"state":"ON","brightness":128}'),
        ("button/press", "press", {}, "PRESS"),
    ],
)
async def test_an_action_reaches_the_broker(
    ha: HomeAssistant, broker: aiomqtt.Client, thing: dict[str, str],
    action: str, name: str, data: dict[str, Any], payload: str,
) -> None:
    await broker.subscribe(f"{BASE}/{name}/set", qos=1)

    domain, service = action.split("/")
    await ha.call(domain, service, {"entity_id": thing[name], **data})

    async with asyncio.timeout(5):
        assert str((await anext(broker.messages)).payload, "utf-8") == payload


async def test_a_failing_action_is_told(ha: HomeAssistant, thing: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="Bad Request"):
        await ha.call("number", "set_value", {"entity_id": thing["level"], "value": "much"})


async def test_states_events_and_pictures_arrive(ha: HomeAssistant, broker: aiomqtt.Client,
                                                 thing: dict[str, str]) -> None:
    def pressed(state: State) -> bool:
        return bool(state["attributes"]["event_type"] == "press_start")

    await broker.publish(f"{BASE}/relay/state", "ON", retain=True)
    await broker.publish(f"{BASE}/bell/event", '{"event_type": "press_start"}')
    await broker.publish(f"{BASE}/eye/image", JPEG, qos=1)

    await ha.wait_state(thing["relay"], "on")
    await ha.wait_state(thing["bell"], pressed)
    assert await ha.camera_image(thing["eye"]) == JPEG


async def test_the_last_will_makes_it_unavailable(ha: HomeAssistant, broker: aiomqtt.Client,
                                                  thing: dict[str, str]) -> None:
    await broker.publish(f"{BASE}/availability", "offline", retain=True)

    await ha.wait_state(thing["relay"], "unavailable")


@pytest.mark.usefixtures("no_warnings")
@pytest.mark.parametrize("clean", [pytest.param(True, marks=pytest.mark.full), False])
async def test_a_restart_brings_it_back(
    ha: HomeAssistant, broker: aiomqtt.Client, thing: dict[str, str], *, clean: bool,
) -> None:
    await broker.subscribe("homeassistant/status")

    await ha.restart(clean=clean)

    await ha.wait_state(thing["door"], "on")
    async with asyncio.timeout(15):
        assert [(await anext(broker.messages)).payload for _ in "12"] == [b"offline", b"online"]


async def test_an_empty_payload_removes_it(ha: HomeAssistant, broker: aiomqtt.Client, thing: dict[str, str]) -> None:
    await broker.publish(CONFIG, "", qos=1, retain=True)

    await asyncio.gather(*(ha.wait_gone(entity_id) for entity_id in thing.values()))
    assert not [entity for entity in await ha.entities() if entity.startswith("rig_")]
    assert await things(ha) == []


async def test_a_wrong_payload_is_among_the_warnings(ha: HomeAssistant, broker: aiomqtt.Client) -> None:
    before = len(ha.log())
    await broker.publish("homeassistant/switch/rig_wrong/config", '{"name": "no topic"}', qos=1)

    async with asyncio.timeout(5):
        while not (found := ha.warnings(before)):
            await asyncio.sleep(0.05)
    assert ["command_topic" in warning for warning in found] == [True]
    ha.provoked += found


async def test_nothing_is_to_be_repaired(ha: HomeAssistant) -> None:
    assert (await ha.ask("repairs/list_issues"))["issues"] == []


async def test_nothing_else_is(ha: HomeAssistant) -> None:
    assert [warning for warning in ha.warnings() if warning not in ha.provoked] == []


async def test_actions_are_refused_to_strangers(ha: HomeAssistant) -> None:
    token, ha.token = ha.token, "stranger"
    try:
        with pytest.raises(ApiError, match="Unauthorized"):
            await ha.states()
    finally:
        ha.token = token
