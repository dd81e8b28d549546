"""A reason quotes what it refuses: commands that leases, limits, tokens and times forbid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pimqtt_agent.commands import open_envelope, read
from pimqtt_agent.lease import Output
from pimqtt_agent.retained import Arrival, judge
from pimqtt_agent.rules import Command, Rejected
from tests.pure.reasons import Told, entity, lacks
from tests.pure.world import MOTOR, SWITCH, World, heat, limited


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
    assert lacks(reason, parts) == [], reason
    assert "None" not in reason
    assert "'on'" not in reason  # our own form of a light's value
