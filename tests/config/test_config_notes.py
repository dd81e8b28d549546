"""Notes: what is right, and yet may surprise. They are no mistakes."""

from __future__ import annotations

import pytest

from tests.config.texts import HEAD, Told, devices

MOTOR = "kind: motor, forward: 1, backward: 2"
NOTES = [
    (
        "{id: a, kind: switch, pin: 1, ttl: {required: true}}",
        "ttl.required: Home Assistant's own entity sends no ttl, so it can only stop a; ttl.default lets it do more",
    ),
    (
        f"{{id: a, {MOTOR}, token: required}}",
        "token: Home Assistant's own entity bears no token, so it can only stop a; who sends asks for one (call token)",
    ),
    (
        f"{{id: a, {MOTOR}, arming: {{heartbeat_s: 1}}}}",
        "arming: Home Assistant's own entity sends no heartbeats, so it can only stop a",
    ),
]


@pytest.mark.parametrize(("entry", "note"), NOTES)
def test_what_home_assistant_can_not_operate(noted: Told, entry: str, note: str) -> None:
    assert noted(devices(entry)) == [f"config.yaml:4: devices[0].{note}"]


def test_a_password_that_is_never_sent(noted: Told) -> None:
    assert noted(HEAD + "mqtt:\n  password: !secret pw\n", secrets="pw: hunter2xyz\n") == [
        "config.yaml:4: mqtt.password: a password is never sent without mqtt.user"
    ]
    assert noted(HEAD + "mqtt: {user: me, password: !secret pw}", secrets="pw: hunter2xyz\n") == []


def test_an_interlock_of_one_excludes_nothing(noted: Told) -> None:
    entry = "{id: %s, kind: switch, pin: %d, interlock: {group: %s}}"
    alone = devices(entry % ("a", 1, "heat"), entry % ("b", 2, "heat"), entry % ("c", 3, "haet"))
    what = "nothing else is in the interlock group 'haet', so it excludes nothing; did you mean heat?"
    assert noted(alone) == [f"config.yaml:6: devices[2].interlock.group: {what}"]
    assert noted(devices(entry % ("a", 1, "heat"), entry % ("b", 2, "heat"))) == []


def test_they_come_in_the_order_of_the_file_and_from_where_they_stand(noted: Told) -> None:
    required = "{id: %s, kind: switch, pin: %d, ttl: {required: true}}"
    text = devices("!include more.yaml", required % ("b", 2), required % ("c", 3)) + "mqtt: {password: x}\n"
    places = [note.split(": ")[:2] for note in noted(text, more=f"\n{required % ('a', 1)}\n")]
    assert places == [
        ["config.yaml:5", "devices[1].ttl.required"],
        ["config.yaml:6", "devices[2].ttl.required"],
        ["config.yaml:7", "mqtt.password"],
        ["more.yaml:2", "devices[0].ttl.required"],
    ]


def test_there_are_none_where_nothing_surprises(noted: Told) -> None:
    plain = "{id: a, kind: switch, pin: 1, ttl: {default: 5, required: false}, token: optional}"
    assert noted(devices(plain)) == []


def test_a_default_that_no_command_could_take(told: Told) -> None:
    both = "{id: a, kind: switch, pin: 1, ttl: {required: true, default: 5}}"
    what = "with ttl.required no command takes the default; leave one of the two out"
    assert told(devices(both)) == [f"config.yaml:4: devices[0].ttl.default: {what}"]
