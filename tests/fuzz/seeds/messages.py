"""Stops, node calls, and what else a node hears, to begin with."""

from __future__ import annotations

from typing import Any

from tests.fuzz.seeds.commands import text
from tests.fuzz.target import joined


def stops() -> list[bytes]:
    """Stops and resets."""
    found = []
    for topic in ("/pimqtt/stop/set", "stop/set", "fan/stop/set", "bell/stop/set"):
        words = ("ON", "OFF", '{"value": "ON", "id": "s", "owner": "ann"}', "on", "1", '{"state": "ON"}', "{")
        found += [joined(("fan/set", "50"), (f"{topic}", payload), ("fan/set", "50")) for payload in words]
        found.append(joined((f"{topic} r", "ON"), (f"{topic} r", "OFF"), (topic, "OFF")))
        found.append(joined((f"{topic} p r", "ON"), ("fan/set r", "50"), ("pump/set", "ON"), ("marker", "m")))
        found.append(
            joined((f"{topic} a=pimqtt/reply/s", '{"value": "ON"}'), (topic, ""), (f"{topic} w=1", "x"), (topic, "y"))
        )
    return found


def calls() -> list[bytes]:
    """Calls of each action, right and wrong."""
    several: list[Any] = [
        {"action": "list_actions"},
        {"action": "get_version", "id": "1"},
        {"action": "get_resource_info"},
        {"action": "token", "device": "car"},
        {"action": "token", "device": "car", "entity": "limit"},
        {"action": "token", "device": "car/limit"},
        {"action": "token", "device": "bell"},
        {"action": "token"},
        {"action": "token", "device": 5},
        {"action": "token", "device": "car", "entity": 5},
        {"action": "heartbeat", "owner": "ann"},
        {"action": "heartbeat"},
        {"action": "heartbeat", "owner": ""},
        {"action": "snapshot", "device": "eye"},
        {"action": "snapshot", "device": "pump"},
        {"action": "list_pins"},
        {"action": "nothing", "more": [1, {"a": None}]},
        {"action": 5},
        {},
        [],
        "x",
        5,
        None,
        True,
    ]
    found = [joined(("call", text(call))) for call in several]
    found += [joined(("call q a=pimqtt/reply/c c=9", text([call, several[0]]))) for call in several]
    found += [joined(("call r", text(several[0]))), joined(("call", "[" + "5," * 100 + "5]")), joined(("call", "[{"))]
    long = '{"action": "' + "a" * 66_000 + '"}'
    return [*found, joined(("call", long)), joined(("call", "")), joined(("call a=pimqtt/reply/" + "x" * 65_100, "{}"))]


def heard() -> list[bytes]:
    """What Home Assistant and our own retained topics say."""
    info = [{"hardware_id": "other"}, {"hardware_id": "car1", "instance": "x-1"}, {"hardware_id": 5}, [], "x"]
    config = [
        {"components": {"main": {"platform": "switch"}, "old": {"platform": "light"}}},
        {"components": 5},
        {"components": {"a": 5}},
        [],
        {},
    ]
    found = [joined(("info", text(content))) for content in info]
    found += [joined(("info p", text(content)), ("availability", "offline"), ("marker", "m")) for content in info]
    found += [joined(("info p", text(content)), ("availability", "online"), ("marker", "m")) for content in info]
    topics = ("pump", "gone", "system", "", "a/b", "x y")
    found += [
        joined((f"/homeassistant/device/car1/{topic}/config p r", text(content)), ("marker w=1", "m"), ("x w=9", ""))
        for topic in topics
        for content in config
    ]
    found += [
        joined(("/homeassistant/status", "online"), ("x w=3", ""), ("/homeassistant/status", "offline")),
        joined(("/homeassistant/status p r", "offline"), ("marker", "m"), ("/homeassistant/status w=40", "online")),
        joined(("/homeassistant/status", "maybe"), ("/homeassistant/status", "")),
        joined(("availability", "offline"), ("availability", "online"), ("marker", "m"), ("marker p", "x")),
        joined(("sim/25/set", "1"), ("sim/25/set", "0"), ("sim/17/set", "1"), ("sim/1024/set", "1")),
        joined(("sim/x/set", "1"), ("sim/25/set", "2"), ("sim//set", "1"), ("sim/1/2/set", "1")),
        joined(("pump/state k", "ON"), ("x/state k", "1"), ("pump/set", "ON")),
        joined(("/homeassistant/device/car1/gone/config", "{}"), ("/homeassistant/status p", "online")),
        joined(
            ("/homeassistant/status p", "online"), ("/homeassistant/device/car1/gone/config r", "{}"), ("marker", "m")
        ),
        joined(("/homeassistant/status", "offline"), ("/homeassistant/status w=5", "online"), ("x w=3", "")),
        joined(("pump/state", "ON"), ("/other/topic", "x"), ("/pimqtt/other/pump/set", "ON"), ("", "")),
        joined(("info", '{"hardware_id": "a\\nb", "hardware_id": 5}'), ("info", "{"), ("info", "\xff")),
    ]
    return found
