"""`${ENV}`: variables of the environment."""

from __future__ import annotations

import pytest

from tests.config.texts import HEAD, HIDDEN, Read, Told, devices


def test_a_variable(read: Read) -> None:
    text = HEAD + "mqtt: {host: 'x', port: 1}\nprofiles: {}\n"
    settings = read(text.replace("'x'", '"${HOST}"').replace("1}", '"${PORT}"}'), {"HOST": "broker", "PORT": "1884"})
    assert (settings.mqtt.host, settings.mqtt.port) == ("broker", 1884)


def test_variables_take_the_type_that_they_look_like(read: Read) -> None:
    text = (
        HEAD
        + "devices:\n - id: a\n   kind: switch\n   pin: ${PIN}\n   active_low: ${LOW}\n   name: a ${PIN} b ${LOW}\n"
    )
    device = read(text, {"PIN": "17", "LOW": "on"}).devices[0]
    assert (device.model_dump()["pin"], device.model_dump()["active_low"], device.name) == (17, True, "a 17 b on")


def test_a_text_may_look_like_a_number(read: Read) -> None:
    settings = read(HEAD + "mqtt:\n  user: ${USER}\n  password: ${PW}\n", {"USER": "017", "PW": "1e5"})
    assert settings.mqtt.user == "017"
    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == "1e5"
    assert read(HEAD + "mqtt: {user: '${USER}'}", {"USER": "x"}).mqtt.user == "${USER}"
    assert read(HEAD + 'mqtt: {user: "${USER}"}', {"USER": "1234"}).mqtt.user == "1234"


def test_defaults_and_escapes(read: Read) -> None:
    text = HEAD + "mqtt:\n  host: ${HOST:-a.b}\n  port: ${PORT:-8883}\n  user: $${X}-${E:-}-${F:-g}\n"
    settings = read(text, {"E": "", "F": ""})
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.user) == ("a.b", 8883, "${X}--g")


def test_a_missing_variable(told: Told) -> None:
    assert told(HEAD + "mqtt:\n  host: ${HOST}\n  port: ${PORT}\n") == [
        "config.yaml:4: mqtt.host: environment variable 'HOST' is not set; ${HOST:-...} gives a default",
        "config.yaml:5: mqtt.port: environment variable 'PORT' is not set; ${PORT:-...} gives a default",
    ]


@pytest.mark.parametrize("text", ["${1x}", "${A B}", "${A", "${}"])
def test_what_is_no_reference(told: Told, text: str) -> None:
    assert told(HEAD + f"mqtt:\n  host: {text}\n") == [
        f"config.yaml:4: mqtt.host: {text!r} is no reference; write ${{NAME}} or ${{NAME:-default}}, $${{ for a ${{"
    ]


def test_a_wrong_value_of_a_variable_is_not_shown(told: Told) -> None:
    assert told(HEAD + "mqtt:\n  port: ${PORT}\n", environ={"PORT": HIDDEN}) == [
        "config.yaml:4: mqtt.port: '${PORT}' is not a whole number"
    ]
    assert told(devices('{id: a, kind: switch, pin: 1, safe: "${SAFE}"}'), environ={"SAFE": HIDDEN}) == [
        "config.yaml:4: devices[0].safe: '${SAFE}' is not allowed here"
    ]


def test_a_variable_in_a_flow_needs_quotes(told: Told) -> None:
    (line,) = told(HEAD + "mqtt: {port: ${PORT}}\n", status=2)
    assert line.startswith("config.yaml:3: not valid YAML: ")
    assert line.endswith('(inside {} and [] put "${...}" in quotes)')
