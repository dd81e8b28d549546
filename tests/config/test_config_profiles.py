"""Profiles."""

from __future__ import annotations

from tests.config.texts import HEAD, Read, Told

PROFILES = (
    HEAD
    + """\
mqtt: {host: a, port: 1}
devices: [{id: a, kind: switch, pin: 1}]
profiles:
  dev: {mqtt: {host: b, user: u}}
  real:
    hardware: {backend: pi}
    mqtt: {port: null}
    devices: !include devices.yaml
  bad: {mqtt: {prt: 5}, hardware: {trase: x}}
"""
)
FILES = {"devices": "- {id: b, kind: switch, pin: 40}\n- {id: c, kind: switch, pin: ${NOPE}}\n".replace("${NOPE}", "3")}


def test_a_profile_is_laid_over_the_file(read: Read) -> None:
    assert read(PROFILES).mqtt.host == "a"
    mqtt = read(PROFILES, profile="dev").mqtt
    assert (mqtt.host, mqtt.port, mqtt.user) == ("b", 1, "u")
    assert read(PROFILES, {"PIMQTT_PROFILE": "dev"}).mqtt.host == "b"
    assert read(PROFILES, {"PIMQTT_PROFILE": ""}).mqtt.host == "a"


def test_the_argument_is_stronger_than_the_environment(read: Read) -> None:
    assert read(PROFILES, {"PIMQTT_PROFILE": "bad"}, profile="dev").mqtt.host == "b"


def test_another_backend_replaces_and_null_removes(read: Read) -> None:
    text = PROFILES.replace("{backend: simulated}", "{backend: simulated, trace: x}")
    settings = read(text, profile="real", devices=FILES["devices"].replace("40", "4"))
    assert settings.hardware.model_dump() == {"backend": "pi"}
    assert settings.mqtt.port is None
    assert [device.id for device in settings.devices] == ["b", "c"]


def test_mistakes_are_told_where_the_profile_stands(told: Told) -> None:
    assert told(PROFILES, profile="real", **FILES) == [
        "devices.yaml:1: devices[0].pin: pin 40 is no line of backend pi; allowed: 0 to 27"
    ]
    assert [line.split(": ")[:2] for line in told(PROFILES, profile="bad")] == [
        ["config.yaml:11", "mqtt.prt"],
        ["config.yaml:11", "hardware.trase"],
    ]


def test_an_unknown_profile(told: Told) -> None:
    assert told(PROFILES, profile="def") == [
        "config.yaml:5: profiles: unknown profile 'def'; allowed: bad, dev, real; did you mean dev?"
    ]
    assert told(HEAD, profile="dev") == ["config.yaml:1: profiles: unknown profile 'dev'; allowed: none"]


def test_what_another_profile_refers_to_need_not_be_there(read: Read, told: Told) -> None:
    text = HEAD + "profiles:\n  dev: {mqtt: {host: x}}\n  live: {mqtt: !include nope.yaml, state_dir: !secret x}\n"
    assert read(text, profile="dev").mqtt.host == "x"
    assert read(text).mqtt.host == "127.0.0.1"
    assert len(told(text, status=2, profile="live")) == 2


def test_duplicated_keys_are_told_in_every_profile(told: Told) -> None:
    assert told(HEAD + "profiles:\n  live:\n    mqtt: {host: x, host: y}\n") == [
        "config.yaml:5: profiles.live.mqtt.host: key 'host' is given twice, first in line 5"
    ]
