"""Each kind of mistake in a device, and the whole line that it leads to."""

from __future__ import annotations

import pytest

from tests.config.texts import Told, devices

SWITCH_KEYS = (
    "active_low, area, control, device_class, icon, id, initial, interlock, kind, max_on, min_off, name, "
    "on_disconnect, on_stop, pin, pulse, restore, safe, token, ttl"
)

ENTRIES = [
    ("{id: a, kind: switch}", "pin: key 'pin' is missing"),
    ("{kind: switch, pin: 1}", "id: key 'id' is missing"),
    ("{id: a, kind: switch, pinn: 1}", f"pinn: unknown key 'pinn'; allowed: {SWITCH_KEYS}; did you mean pin?"),
    ("{id: a, kind: switch, pin: 1, zzzz: 1}", f"zzzz: unknown key 'zzzz'; allowed: {SWITCH_KEYS}"),
    ("{id: a, kind: switch, pin: 1, 5: 1}", f"5: unknown key '5'; allowed: {SWITCH_KEYS}"),
    ("{id: a, kind: switch, pin: 1, off: 1}", f"off: unknown key 'off'; allowed: {SWITCH_KEYS}; did you mean min_off?"),
    (
        "{id: a, kind: switch, pin: 1, ttl: {maxi: 5}}",
        "ttl.maxi: unknown key 'maxi'; allowed: default, max, min, required; did you mean max?",
    ),
    ("{id: a, kind: switch, pin: [1]}", "pin: [1] is not a whole number or a text"),
    ("{id: a, kind: switch, pin: {a: 1}}", "pin: {a: 1} is not a whole number or a text"),
    ("{id: a, kind: switch, pin: }", "pin: nothing is not a whole number or a text"),
    ("{id: a, kind: switch, pin: on}", "pin: 'on' is not a number"),
    ("{id: a, kind: switch, pin: 1.5}", "pin: 1.5 is not a whole number or a text; put it in quotes"),
    ("{id: a, kind: switch, pin: 1, max_on: soon}", "max_on: 'soon' is not a number"),
    ("{id: a, kind: switch, pin: 1, max_on: yes}", "max_on: 'yes' is not a number"),
    ("{id: a, kind: switch, pin: 1, max_on: [1, 2]}", "max_on: [1, 2] is not a number"),
    ("{id: a, kind: switch, pin: 1, active_low: maybe}", "active_low: 'maybe' is not true or false"),
    ("{id: a, kind: switch, pin: 1, name: 5}", "name: 5 is not a text; put it in quotes"),
    ("{id: a, kind: switch, pin: 1, name: on}", "name: 'on' is not a text; put it in quotes"),
    ("{id: a, kind: switch, pin: 1, name: [x]}", "name: [x] is not a text"),
    (
        "{id: a, kind: switch, pin: 1, ttl: 5}",
        "ttl: 5 is not a mapping; allowed: default, max, min, required",
    ),
    ("{id: a, kind: switch, pin: 1, max_on: -3}", "max_on: -3 is out of range; allowed: above 0"),
    (
        "{id: a, kind: switch, pin: 1, ttl: {max: 0.01}}",
        "ttl.max: 0.01 is out of range; allowed: at least 0.05",
    ),
    (
        "{id: a, kind: motor, forward: 1, backward: 2, deadman: 61}",
        "deadman: 61 is out of range; allowed: 0.05 to 60",
    ),
    ("{id: a, kind: switch, pin: 1, max_on: .nan}", "max_on: '.nan' is not a finite number"),
    ("{id: a, kind: switch, pin: 1, max_on: -.inf}", "max_on: '-.inf' is not a finite number"),
    ('{id: a, kind: switch, pin: 1, max_on: "inf"}', "max_on: 'inf' is not a finite number"),
    ("{id: a, kind: switch, pin: 1, max_on: 1.0e+999}", "max_on: '1.0e+999' is not a finite number"),
    (
        "{id: a, kind: switch, pin: 017}",
        "pin: '017' is read by YAML as octal (15); write 17, or put it in quotes",
    ),
    ("{id: a, kind: switch, pin: 1:30}", "pin: '1:30' is read by YAML as a number to the base 60; put it in quotes"),
    ("{id: a, kind: switch, pin: !!int x}", "pin: 'x' is not of the type that its tag says"),
    (
        "{id: a, kind: switch, pin: !foo 3}",
        "pin: unknown tag '!foo'; allowed: !secret, !include",
    ),
    (
        "{id: a, kind: switch, pin: 1, control: share}",
        "control: unknown value 'share'; allowed: exclusive, shared; did you mean shared?",
    ),
    (
        "{id: a, kind: camera, source: synthetic, rotation: 91}",
        "rotation: unknown value 91; allowed: 0, 90, 180, 270",
    ),
    (
        "{id: a, kind: switch, pin: 1, on_disconnect: {after: 5, controller: ha}}",
        "on_disconnect.controller: unknown value 'ha'; allowed: broker, home_assistant, a mapping",
    ),
    (
        "{id: a, kind: switch, pin: 1, on_disconnect: {after: 5, controller: {ownr: x}}}",
        "on_disconnect.controller.ownr: unknown key 'ownr'; allowed: owner; did you mean owner?",
    ),
    ("{id: a, kind: switch, pin: 1, safe: perhaps}", "safe: 'perhaps' is not on or off"),
    ("{id: A b, kind: switch, pin: 1}", "id: 'A b' is not allowed here; allowed: a-z, 0-9, _ and -"),
    (
        f"{{id: {'a' * 65}, kind: switch, pin: 1}}",
        f"id: '{'a' * 56}... is too long; allowed: at most 64 characters",
    ),
    ("{id: a, kind: switch, pin: 1, pin: 2}", "pin: key 'pin' is given twice, first in line 4"),
    ("{id: a, kind: switch, [x]: 1, pin: 1}", ": a key must be a plain word"),
    ("{id: a, kind: switch, pin: 1, ttl: {min: 5, max: 2}}", "ttl.min: 5 is above ttl.max 2"),
    ("{id: a, kind: switch, pin: 1, ttl: {min: 5, default: 2}}", "ttl.default: 2 is below ttl.min 5"),
    (
        "{id: a, kind: motor, forward: 1, backward: 2, ttl: {default: 5}}",
        "ttl.default: 5 is above the longest movement, 0.5 s (ttl.max allows more)",
    ),
    (
        "{id: a, kind: motor, forward: 1, backward: 2, ttl: {min: 1}}",
        "ttl.min: 1 is above the longest movement, 0.5 s (ttl.max allows more)",
    ),
    (
        "{id: a, kind: servo, pin: 1, ttl: {min: 2}}",
        "ttl.min: 2 is above the longest movement, 1 s (ttl.max allows more)",
    ),
    ("{id: a, kind: switch, pin: 1, pulse: 1, ttl: {max: 5}}", "ttl: pulse is the only TTL; leave ttl out"),
    ("{id: a, kind: switch, pin: 1, pulse: 0.01}", "pulse: 0.01 is out of range; allowed: at least 0.05"),
    (
        "{id: a, kind: motor, forward: 1, backward: 2, restore: last}",
        "restore: what moves always starts stopped; leave restore out",
    ),
    (
        "{id: a, kind: motor, forward: 1, backward: 2, initial: }",
        "initial: nothing is no place to rest: a motor rests at 0, off or stop only",
    ),
    (
        "{id: a, kind: motor, forward: 1, backward: 2, initial: last}",
        "initial: 'last' can't be: what moves always starts and ends stopped",
    ),
    (
        "{id: a, kind: servo, pin: 1, safe: yes}",
        "safe: 'yes' is no place to rest: a servo rests where it is; leave it out, or write stop",
    ),
    (
        "{id: a, kind: drive, left: {forward: 1, backward: 2}, right: {forward: 3, backward: 4}, on_stop: 5}",
        "on_stop: 5 is no place to rest: a drive rests at 0, off or stop only",
    ),
    ("{id: a, kind: light, pin: 1, safe: {brightness: 999}}",
     "safe: {brightness: 999} is not on, off or {brightness: 1..255}"),
    (
        "{id: a, kind: switch, pin: 1, on_disconnect: {after: 5, value: maybe}}",
        "on_disconnect.value: 'maybe' is not on or off",
    ),
    (
        "{id: a, kind: switch, pin: 1, on_disconnect: {after: 5, controller: {owner: ''}}}",
        "on_disconnect.controller.owner: '' is too short; allowed: at least 1 characters",
    ),
    (
        "{id: a, kind: switch, pin: 1, icon: pump}",
        "icon: 'pump' is not allowed here; allowed: an icon of Home Assistant such as mdi:pump",
    ),
    ("{id: a, kind: camera, source: synthetic, rotation: off}", "rotation: 'off' is not a number"),
    (
        "{id: a, kind: camera, source: web}",
        "source: 'web' is no source; allowed: synthetic, pi, {file: PATH}, {v4l2: DEVICE}, {pi: NUMBER}",
    ),
    ("{id: stop, kind: switch, pin: 1}", "id: 'stop' is reserved and can't be a device's id"),
]


@pytest.mark.parametrize(("entry", "line"), ENTRIES)
def test_a_device(told: Told, entry: str, line: str) -> None:
    at = "devices[0]" if line.startswith(":") else "devices[0]."
    assert told(devices(entry)) == [f"config.yaml:4: {at}{line}"]


def test_an_unknown_or_missing_kind(told: Told) -> None:
    kinds = "allowed: binary_sensor, button, camera, drive, light, motor, servo, switch"
    assert told(devices("{id: a, kind: swich, pin: 1}", "{id: b, pin: 2}", "7", "{id: c, kind: [switch]}", "")) == [
        f"config.yaml:4: devices[0].kind: unknown kind 'swich'; {kinds}; did you mean switch?",
        f"config.yaml:5: devices[1].kind: key 'kind' is missing; {kinds}",
        "config.yaml:6: devices[2]: 7 is not a mapping such as {id: pump, kind: switch, pin: 17}",
        f"config.yaml:7: devices[3].kind: unknown kind [switch]; {kinds}",
        "config.yaml:8: devices[4]: nothing is not a mapping such as {id: pump, kind: switch, pin: 17}",
    ]
