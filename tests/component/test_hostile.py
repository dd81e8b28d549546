"""Anybody may write on any topic: nothing of it ends anything, and what can't be read is told once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message
from rig import Pi, Socket

TOPICS = (
    "info", "availability", "pump/availability", "pump/lease", "car/limit/lease", "pump/result", "car/limit/result",
    "call/result", "stop/state", "car/stop/state", "stop/result", "car/stop/result", "result",
    "system/under_voltage/state",
)  # fmt: skip
DEEP = b"[" * 100_000
ABOUT = {"protocol": 1, "node": "car1", "hardware_id": "car1"}
ENTITIES = [
    None, {"key": None}, {"key": "", "platform": "light"}, {"key": "UP/", "platform": "switch"},
    {"key": "", "platform": "switch", "ttl": {"max": "x", "min": -1}, "motion": "warp", "deadman_s": 1e999},
]  # fmt: skip
PAYLOADS: tuple[Any, ...] = (
    b"", b"\xff\xfe\x00", b"{", b"null", b"[]", b"{}", b"[{}]", b"0", b"NaN", b'{"a": NaN}', b'"text"', b"ON ",
    b"onlin", DEEP, b'{"a":' * 5000, b"x" * 2_000_000, "ümlaut\U0001f600", b'{"\\ud800": 1}',
    {"protocol": True}, {"protocol": 1}, {"protocol": 1, "node": "car1"}, {**ABOUT, "hardware_id": "../x"},
    {**ABOUT, "protocol": 1 << 80, "devices": "all"},
    {**ABOUT, "devices": [None, 5, {"id": "UP"}, {"id": "stop"}, {"id": "a"}, {"id": "a"}]},
    {**ABOUT, "name": ["x"], "addresses": [1, None], "denied": {}, "capabilities": 5},
    {**ABOUT, "devices": [{"id": "a", "name": 5, "kind": None, "pins": {"x": True, "y": [1]}, "entities": ENTITIES}]},
    {"owner": 5, "remaining_s": "soon"}, {"owner": "Bob", "remaining_s": None},
    {"owner": "Bob", "remaining_s": -5, "value": {"x": [1]}},
    {"owner": "B" * 5000, "remaining_s": 1e300, "end": "never"},
    {"outcome": "splendid"}, {"outcome": "accepted", "id": 5, "token": [], "owner": {}},
    {"outcome": "reverted", "cause": "x" * 9000}, [{"id": "x", "outcome": "accepted"}, None, 5],
)  # fmt: skip


@pytest.mark.parametrize("topic", TOPICS)
async def test_nothing_that_is_published_ends_anything(
    socket: Socket, pi: Pi, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await socket.ask("pimqtt/fleet"))["success"]
    for payload in PAYLOADS:
        await pi.say(topic, payload)
        await pi.say(topic, payload)
    ours = [one for one in caplog.records if "pimqtt" in one.name or "pimqtt" in one.getMessage()]
    assert [
        one for one in ours if one.levelname in ("ERROR", "CRITICAL") and "is missing" not in one.getMessage()
    ] == []
    assert len([one for one in ours if "is left out" in one.getMessage()]) <= 1
    await pi.announce()
    await pi.say("pump/availability", "online")
    await pi.say("stop/state", "OFF")
    answer = await socket.ask("pimqtt/command", entity_id="switch.car1_pump", value="ON")
    assert answer["result"]["outcome"] == "accepted"
    assert json.dumps(answer)


@pytest.mark.parametrize(
    "topic", ["pimqtt/UP/info", "pimqtt/stop/info", "pimqtt/reply/info", "pimqtt//info", "other/a/info"]
)
async def test_what_is_no_nodes_topic_is_nobody(socket: Socket, pi: Pi, topic: str) -> None:
    async_fire_mqtt_message(pi.hass, topic, json.dumps({**pi.info, "node": topic.split("/")[1]}))
    await pi.hass.async_block_till_done()
    assert (await socket.ask("pimqtt/fleet"))["success"]
    assert [node["id"] for node in (await socket.event())["nodes"]] == ["car1"]


async def test_an_info_that_cant_be_read_is_shown_as_such(socket: Socket, pi: Pi) -> None:
    pi.node = "truck"
    await pi.say("availability", "online")
    await pi.say("info", {"protocol": "one"})
    assert (await socket.ask("pimqtt/fleet"))["success"]
    (truck,) = [node for node in (await socket.event())["nodes"] if node["id"] == "truck"]
    assert (truck["supported"], truck["name"], truck["devices"]) == (False, "truck", [])
    assert "protocol 'one' is no number" in truck["problem"]


async def test_endless_nodes_leases_and_results_are_bounded(
    socket: Socket, pi: Pi, entry: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.fleet.MAX_NODES", 20)
    monkeypatch.setattr("custom_components.pimqtt.nodes.MOST", 20)
    for number in range(40):
        await pi.say(f"d{number}/lease", {"owner": "Eve", "remaining_s": 5})
        await pi.say(f"d{number}/result", {"outcome": "accepted"})
        await pi.say(f"d{number}/availability", "offline")
        await pi.say(f"d{number}/stop/state", "ON")
    fleet = entry.runtime_data.fleet
    node = fleet.nodes["car1"]
    assert [len(one) for one in (node.leases, node.told, node.ill, node.latched_devices)] == [20] * 4
    for number in range(40):
        pi.node = f"n{number}"
        await pi.say("availability", "online")
    assert len(fleet.nodes) == 20
    assert "20 nodes already" in caplog.text


DEPTHS = (5, 19, 21, 100, 253, 254, 255, 300, 500, 1000, 1023, 2000)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("nest", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
async def test_however_deep_a_value_is_the_fleet_can_be_told(
    socket: Socket, pi: Pi, depth: int, nest: tuple[str, str]
) -> None:
    deep = nest[0] * depth + "0" + nest[1] * depth
    await pi.say("pump/lease", f'{{"owner": "Eve", "value": {deep}, "resting": {deep}, "remaining_s": 5}}')
    await pi.say("car/result", f'{{"outcome": "accepted", "value": {deep}, "state": {deep}}}')
    answer = await socket.ask("pimqtt/fleet")
    assert answer["success"]
    (node,) = (await socket.event(lambda event: "nodes" in event))["nodes"]
    (pump,) = [one for one in node["devices"] if one["id"] == "pump"]
    assert (pump["entities"][0]["lease"] is not None) == (depth < 20)
    assert (await socket.ask("pimqtt/stop"))["result"][0]["outcome"] == "accepted"


@pytest.mark.parametrize("depth", [21, 400])
async def test_what_is_too_deep_is_not_even_sent(socket: Socket, pi: Pi, depth: int) -> None:
    deep: Any = 0
    for _ in range(depth):
        deep = [deep]
    answer = await socket.ask("pimqtt/command", entity_id="switch.car1_pump", value=deep)
    assert (answer["error"]["code"], "nested deeper than 20" in answer["error"]["message"]) == ("invalid_format", True)
    assert pi.published == []


async def test_an_answer_to_a_call_that_is_too_deep_is_none(
    socket: Socket, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.1)
    deep: Any = 0
    for _ in range(400):
        deep = [deep]
    pi.calls["get_version"] = deep
    answer = await socket.ask("pimqtt/call", node="car1", action="get_version")
    assert answer["result"]["outcome"] == "unanswered"


@pytest.mark.parametrize("value", ["x" * 3000, ["x"] * 1000, {"a": "\u00fc" * 1100}])
async def test_a_value_that_is_too_long_is_nobodys(socket: Socket, pi: Pi, entry: Any, value: Any) -> None:
    await pi.say("pump/lease", {"owner": "Eve", "value": value, "resting": "OFF", "remaining_s": 5})
    await pi.say("lamp/lease", {"owner": "Eve", "value": "x" * 2000, "resting": "OFF", "remaining_s": 5})
    await pi.say("car/result", {"outcome": "rejected", "code": "invalid", "value": value, "state": value})
    node = entry.runtime_data.fleet.nodes["car1"]
    assert set(node.leases) == {("lamp", "")}
    (told,) = node.told["car", ""]
    assert (told.result.code, told.result.value, told.result.state) == ("invalid", None, None), "the refusal counts"
