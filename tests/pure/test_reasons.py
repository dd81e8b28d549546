"""A reason quotes what it refuses: each code of the wire, and the value, key or limit that its sentence holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from pimqtt_agent.calls import MOST, Calls
from pimqtt_agent.commands import MAX_BYTES, open_envelope, read
from pimqtt_agent.devices import Device
from pimqtt_agent.devices.camera import Camera
from pimqtt_agent.devices.drive import Drive
from pimqtt_agent.devices.light import Light
from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.devices.servo import Servo
from pimqtt_agent.devices.switch import Switch
from pimqtt_agent.devices.system import System, SystemDevice
from pimqtt_agent.entities import Entity
from pimqtt_agent.errors import CommandError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.lease import Output
from pimqtt_agent.model import Model
from pimqtt_agent.retained import Arrival, judge
from pimqtt_agent.rules import Command, Rejected
from pimqtt_agent.strict_json import MAX_NAME
from pimqtt_agent.topics import Topics
from tests.pure.world import CODES, MOTOR, SWITCH, World, heat, limited

DEVICES: dict[str, Device] = {
    "pump": Switch.model_validate({"id": "pump", "kind": "switch", "pin": 17, "ttl": {"min": 1, "max": 60}}),
    "gate": Switch.model_validate({"id": "gate", "kind": "switch", "pin": 4, "ttl": {"required": True}}),
    "fan": Motor.model_validate({"id": "fan", "kind": "motor", "forward": 23, "backward": 24}),
    "arm": Servo.model_validate({"id": "arm", "kind": "servo", "pin": 12, "min_angle": -45, "max_angle": 45}),
    "lamp": Light.model_validate({"id": "lamp", "kind": "light", "pin": 18}),
    "glow": Light.model_validate({"id": "glow", "kind": "light", "rgb": {"red": 8, "green": 9, "blue": 10}}),
    "car": Drive.model_validate(
        {"id": "car", "kind": "drive", "left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19}}
    ),
    "eye": Camera.model_validate({"id": "eye", "kind": "camera", "source": "synthetic"}),
}
Told = tuple[str, str]


def entity(name: str) -> Entity:
    device, _, key = name.partition("/")
    return next(found for found in DEVICES[device].declared if found.key == key)


def command(name: str, payload: bytes | str) -> Told:
    """Refuse a payload; return its code and reason."""
    with pytest.raises(CommandError) as caught:
        read(entity(name), open_envelope(payload if isinstance(payload, bytes) else payload.encode()))
    return caught.value.code, str(caught.value)


#: what was sent; the code; what the reason must hold
PAYLOADS: list[tuple[str, bytes | str, str, list[str]]] = [
    ("pump", "1junk", "invalid", ["'1junk'", "ON or OFF"]),
    ("pump", b"ON\xff", "invalid", [r"b'ON\xff'", "UTF-8"]),
    ("pump", '{"value": }', "invalid", ["""'{"value": }'""", "JSON"]),
    ("pump", '{"value": NaN}', "invalid", ["NaN", "JSON"]),
    ("pump", '{"value": "ON", "tll": 5}', "invalid", ["'tll'"]),
    ("pump", '{"ttl": 5}', "invalid", ["'ttl'", "value"]),
    ("pump", '{"value": "ON", "value": "OFF"}', "invalid", ["'value'", "twice"]),
    ("pump", '{"value": "ON", "ttl": "5"}', "invalid", ["ttl", "'5'"]),
    ("pump", '{"value": "ON", "owner": ""}', "invalid", ["owner", "''", str(MAX_NAME)]),
    ("pump", '{"value": "ON", "priority": 10}', "invalid", ["priority", "10", "0 to 9"]),
    ("pump", '{"value": "ON", "expiry": -1}', "invalid", ["expiry", "-1"]),
    ("pump", '{"value": ' + "[" * 99 + "]" * 99 + "}", "invalid", ["32"]),
    ("fan", "fast", "invalid", ["'fast'", "forward, backward, stop"]),
    ("arm", "NaN", "invalid", ["'NaN'", "stop"]),
    ("lamp", "on", "invalid", ["'on'", "ON, OFF"]),
    ("lamp", '{"state": "ON", "color": {"r": 1, "g": 2, "b": 3}}', "invalid", ["'color'", "brightness"]),
    ("lamp", '{"state": "ON", "brightness": 1.5}', "invalid", ["brightness", "1.5"]),
    ("lamp", '{"state": "ON", "transition": "slow"}', "invalid", ["transition", "'slow'"]),
    ("glow", '{"state": "ON", "color": "red"}', "invalid", ["color", "'red'"]),
    ("car", "up", "invalid", ["'up'", "forward"]),
    ("car", '{"x": 1}', "invalid", ["{'x': 1}", "x and y"]),
    ("car", '{"x": "left", "y": 0}', "invalid", ["x", "'left'"]),
    ("eye/snapshot", "CLICK", "invalid", ["'CLICK'", "PRESS"]),
    ("eye/taken", "ON", "invalid", ["'ON'", "no commands"]),
    ("pump", b"x" * (MAX_BYTES + 1), "too_large", [str(MAX_BYTES + 1), str(MAX_BYTES)]),
    ("fan", "100.00000001", "out_of_range", ["100.00000001", "-100 to 100"]),
    ("fan", "-101", "out_of_range", ["-101 "]),
    ("arm", "46", "out_of_range", ["46", "-45 to 45"]),
    ("car", '{"x": 0, "y": -1.5}', "out_of_range", ["y", "-1.5", "-1 to 1"]),
    ("car/limit", "101", "out_of_range", ["101", "0 to 100"]),
    ("lamp", '{"state": "ON", "brightness": 256}', "out_of_range", ["brightness", "256", "1 to 255"]),
    ("lamp", '{"state": "ON", "transition": 6553.1}', "out_of_range", ["transition", "6553.1", "6553 s"]),
    ("glow", '{"state": "ON", "color": {"r": 1, "g": -2, "b": 3}}', "out_of_range", ["g", "-2", "0 to 255"]),
    ("pump", '{"value": "ON", "ttl": 60.0000001}', "ttl_range", ["60.0000001", "1 to 60 s"]),
    ("lamp", '{"value": "ON", "ttl": 0.01}', "ttl_range", ["0.01", "at least 0.05 s"]),
    ("eye/snapshot", '{"value": "PRESS", "ttl": 5}', "ttl_range", ["ttl 5"]),
    ("gate", "ON", "ttl_required", ["ON", "ttl", "at least 0.05 s"]),
    ("pump", json.dumps({"value": "ON", **{f"key{n}": n for n in range(999)}}), "invalid", ["'key0'", "994 more"]),
    ("lamp", json.dumps({"state": "ON", **{f"key{n}": n for n in range(999)}}), "invalid", ["'key0'", "994 more"]),
]


@pytest.mark.parametrize(("name", "payload", "code", "parts"), PAYLOADS)
def test_of_a_payload(name: str, payload: bytes | str, code: str, parts: list[str]) -> None:
    found, reason = command(name, payload)
    assert found == code
    assert [part for part in parts if part not in reason] == [], reason
    assert len(reason) < 250


def refused(world: World) -> Told:
    rejected = world.last(Rejected)
    return rejected.code, rejected.reason


def latched() -> Told:
    world = World(pump=SWITCH, latched=True)
    world.send("pump", True)
    return refused(world)


def no_token() -> Told:
    world = World(fan=replace(MOTOR, token_required=True))
    world.send("fan", 50.0)
    return refused(world)


def foreign_token() -> Told:
    world = World(fan=MOTOR)
    world.send("fan", 50.0, token_age_s=-1.0)
    return refused(world)


def old_token() -> Told:
    world = World(fan=MOTOR)
    world.send("fan", 12.5, token_age_s=0.75)
    return refused(world)


def waited() -> Told:
    world = World(fan=MOTOR)
    world.send("fan", 50.0, 0.5, age=0.6)
    return refused(world)


def held() -> Told:
    world = World(pump=SWITCH)
    world.send("pump", True, 60, owner="bob", priority=5)
    world.send("pump", False, 60, owner="ann", priority=4)
    return refused(world)


def let_go() -> Told:
    world = World(fan=MOTOR)
    world.send("fan", 50.0, owner="ann")
    world.stop("fan", "bob")
    world.send("fan", 50.0, owner="ann")
    return refused(world)


def not_armed() -> Told:
    world = World(fan=replace(MOTOR, arming_s=1.5))
    world.send("fan", 50.0, owner="ann")
    return refused(world)


def interlocked() -> Told:
    world = World(up=heat(), down=heat())
    world.to(1)
    world.send("up", True, 60, owner="bob", priority=3)
    world.send("down", True, 60, owner="ann")
    return refused(world)


def superseded() -> Told:
    world = World(up=heat(), down=heat())
    world.to(1)
    world.send("up", True)
    world.send("down", True)
    world.send("down", False, 5)
    return refused(world)


def min_off() -> Told:
    world = World(heater=limited(min_off_s=10))
    world.to(3)
    world.send("heater", True)
    return refused(world)


def verdict(payload: str, **arrival: Any) -> Told:
    """Judge a retained or late command for the pump, or the fan where it is a number."""
    envelope = open_envelope(payload.encode())
    target = entity("fan" if isinstance(envelope.raw, float) else "pump")
    found = judge(target, envelope, read(target, envelope), Arrival(**{"replay": arrival["retain"], **arrival}))
    return found.code or "stale", found.reason or found.stale


def of_a_light(name: str, payload: str, **fields: Any) -> Told:
    """Refuse a command of a light as a keeper does."""
    light = entity(name)
    assert light.rules
    output = Output(name, light.rules, quoted=light.quoted)
    output.start(0.0, latched="token_age_s" not in fields)
    asked = read(light, open_envelope(payload.encode()))
    (refused,) = output.command(1.0, Command(value=asked.value, ttl_s=asked.ttl_s, at_s=1.0, **fields))
    assert isinstance(refused, Rejected)
    return refused.code, refused.reason


DIMMED = '{"state": "ON", "brightness": 128}'
RED = '{"state": "ON", "brightness": 9, "color": {"r": 255, "g": 0, "b": 0}}'

SCENES: list[tuple[str, Callable[[], Told], list[str]]] = [
    ("latched", lambda: of_a_light("lamp", DIMMED), [DIMMED, "'lamp'"]),
    ("latched", lambda: of_a_light("glow", RED), [RED]),
    ("latched", lambda: of_a_light("lamp", '{"value": "OFF", "ttl": 5}'), ["OFF: "]),
    ("token", lambda: of_a_light("lamp", DIMMED, token_age_s=-1.0), [DIMMED]),
    ("stale", lambda: of_a_light("lamp", DIMMED, token_age_s=9.0), [DIMMED, "9.00 s"]),
    ("latched", latched, ["ON", "'pump'"]),
    ("token", no_token, ["50", "'fan'", "token"]),
    ("token", foreign_token, ["50", "token"]),
    ("stale", old_token, ["12.5", "0.75 s", "0.5 s"]),
    ("stale", waited, ["50", "0.60 s", "ttl", "0.5 s"]),
    ("stale", lambda: verdict('{"value": "ON", "ttl": 5, "at": 1000}', retain=False, wall_s=1006), ["at 1000", "6.00"]),
    ("stale", lambda: verdict('{"value": "ON", "expiry": 9}', retain=False, wall_s=None, left_s=-5), ["expiry 9"]),
    ("stale", lambda: verdict('{"value": "ON", "ttl": 5}', retain=True, wall_s=None), ["ttl", "5 s", "`at`"]),
    ("stale", lambda: verdict('{"value": "ON", "ttl": 5, "at": 0}', retain=True, wall_s=9), ["TTL of 5 s", "4.0 s"]),
    ("retained", lambda: verdict("50", retain=True, wall_s=None), ["50"]),
    ("held", held, ["'bob'", "4", "5"]),
    ("let_go", let_go, ["'ann'", "0.5 s"]),
    ("not_armed", not_armed, ["'ann'", "1.5 s"]),
    ("interlock", interlocked, ["'down'", "'up'", "'bob'"]),
    ("interlock", superseded, ["ON", "'down'", "newer command"]),
    ("min_off", min_off, ["'heater'", "10 s", "7.0 s"]),
]


@pytest.mark.parametrize(("code", "scene", "parts"), SCENES)
def test_of_the_leases(code: str, scene: Callable[[], Told], parts: list[str]) -> None:
    found, reason = scene()
    assert found == code
    assert [part for part in parts if part not in reason] == [], reason
    assert "None" not in reason
    assert "'on'" not in reason  # our own form of a light's value
    assert len(reason) < 250


# --- calls and buttons of the node


class Keeper(KeeperLink):
    """A keeper whose camera is out, and whose outputs give tokens."""

    def __init__(self) -> None:
        """Open no link."""

    def ask(self, make: Any, done: Any, *, again: bool = False, now: bool = False) -> None:  # noqa: ARG002
        asked = make(1)
        ill = isinstance(asked, wire.Press)
        code, reason = ("unavailable", f"{asked.device}: the cable is out") if ill else ("", "")
        done(wire.Answer(1, code, reason, None, None, None, "t0", {"max_age_s": 0.5}))

    def tell(self, message: wire.Message) -> None:
        """Hear heartbeats."""


async def answer(payload: bytes, *, retained: bool = False) -> Any:
    model, keeper = Model(Topics("pimqtt", "car1"), DEVICES.values()), Keeper()
    return await Calls(model, lambda _: keeper, dict).answer(payload, 0.0, retained=retained)


CALLS: list[tuple[Any, str, list[str]]] = [
    ([], "invalid", ["0", str(MOST)]),
    ([{}] * (MOST + 1), "invalid", [str(MOST + 1), str(MOST)]),
    (7, "invalid", ["7", "action"]),
    ({}, "invalid", ["'action'", "missing"]),
    ({"action": 5}, "invalid", ["action", "5"]),
    ({"action": "dance"}, "unknown", ["'dance'", "get_version"]),
    ({"action": "heartbeat"}, "invalid", ["'owner'", "missing"]),
    ({"action": "heartbeat", "owner": 5}, "invalid", ["owner", "5", "64"]),
    ({"action": "token"}, "invalid", ["'device'", "missing"]),
    ({"action": "token", "device": ["car"]}, "invalid", ["device", "['car']"]),
    ({"action": "token", "device": "cart"}, "unknown", ["'cart'", "car, "]),
    ({"action": "token", "device": "car", "entity": "halt"}, "unknown", ["'car/halt'", "car/limit"]),
    ({"action": "token", "device": "car", "entity": 5}, "invalid", ["entity", "5"]),
    ({"action": "snapshot", "device": "car"}, "unknown", ["'car'", "eye"]),
    ({"action": "snapshot", "device": "eye"}, "unavailable", ["eye"]),
    ({"action": "get_version", "pad": "x" * MAX_BYTES}, "too_large", [str(MAX_BYTES)]),
]


@pytest.mark.parametrize(("call", "code", "parts"), CALLS)
async def test_of_a_call(call: Any, code: str, parts: list[str]) -> None:
    found = await answer(json.dumps(call).encode())
    assert (found["outcome"], found["code"], found["result"]) == ("rejected", code, None)
    assert [part for part in parts if part not in found["reason"]] == [], found["reason"]
    assert len(found["reason"]) < 250


async def test_of_a_retained_call() -> None:
    found = await answer(b'{"action": "snapshot", "device": "eye"}', retained=True)
    assert (found["code"], "'snapshot'" in found["reason"]) == ("retained", True)


async def test_of_a_call_that_names_an_argument_twice_and_still_learns_of_it() -> None:
    found = await answer(b'{"action": "token", "device": "car", "device": "fan", "id": 7}')
    assert (found["id"], found["code"]) == (7, "invalid")
    assert "'device'" in found["reason"]
    found = await answer(b'{"action": "token", "device": "car", "id": 7, "id": 8}')
    assert (found["id"], "'id'" in found["reason"]) == (None, True)


async def test_a_call_that_is_in_order_is_done() -> None:
    assert (await answer(b'{"action": "token", "device": "car/limit"}'))["result"] == {"token": "t0", "max_age_s": 0.5}
    found = await answer(b'{"action": "token", "device": "car", "entity": "limit", "why": "colons: and {braces}"}')
    assert found["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("key", "allow", "code", "part"),
    [
        ("reboot", (), "forbidden", "'reboot'"),
        ("explode", (), "unknown", "'explode'"),
        ("identify", ("identify",), "unavailable", "'identify'"),
    ],
)
def test_of_a_button_of_the_node(tmp_path: Any, key: str, allow: tuple[str, ...], code: str, part: str) -> None:
    system = System(SystemDevice(allow=frozenset(allow)), restart=list, reboot=list, root=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(CommandError) as caught:
        system.press(key)
    assert (caught.value.code, part in str(caught.value)) == (code, True)


def codes() -> Iterator[str]:
    yield from (code for _, _, code, _ in PAYLOADS)
    yield from (code for code, _, _ in SCENES)
    yield from (code for _, code, _ in CALLS)
    yield "forbidden"


def test_every_code_of_the_wire_is_among_them() -> None:
    assert set(codes()) == CODES
