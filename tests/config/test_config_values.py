"""What a right configuration means: the values that come out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pimqtt_agent import yaml_source
from pimqtt_agent.config import load
from pimqtt_agent.devices import KINDS
from tests.config.texts import HEAD, Read, Told, devices

SAMPLE = """\
node: car1                                    # or {id: car1, name: "The red car"}
mqtt: {host: 127.0.0.1, port: 1883}
hardware: {backend: simulated, trace: trace.jsonl}
devices:
  - {id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}
  - {id: lamp, kind: light, pin: 18}
  - {id: heater, kind: switch, pin: 27, active_low: true, safe: off, initial: off, on_stop: off, on_disconnect: {after: 30, value: off}, max_on: 3600, min_off: 10,
     interlock: {group: heat, dead_time: 0.5}, ttl: {default: 600, min: 1, max: 3600, required: false}}      # the names of these options on every output
  - {id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}
  - {id: fan, kind: motor, forward: 23, backward: 24, deadman: 0.5}
  - {id: door, kind: binary_sensor, pin: 22, device_class: door, pull: up, debounce: 0.02}
  - {id: eye, kind: camera, source: synthetic}
"""  # noqa: E501 - as people paste it
ROOT = Path(__file__).parents[2]


def test_the_smallest_file(read: Read, folder: Path) -> None:
    settings = read(SAMPLE)
    assert [device.id for device in settings.devices] == ["pump", "lamp", "heater", "car", "fan", "door", "eye"]
    assert settings.node.id == "car1"
    assert settings.file == Path("config.yaml")
    assert settings.folder == folder


def test_a_node_with_a_name(read: Read) -> None:
    assert read(SAMPLE.replace("node: car1 ", 'node: {id: car1, name: "The red car"} ')).node.title == "The red car"


@pytest.mark.parametrize(
    ("identity", "name"), [("car1", "Car1"), ("porch-pi", "Porch pi"), ("pi_2_garage", "Pi 2 garage"), ("-", "-")]
)
def test_a_node_or_device_without_a_name_has_a_readable_one(read: Read, identity: str, name: str) -> None:
    settings = read(devices("{id: X, kind: switch, pin: 1}").replace("car1", "X").replace("X", f"'{identity}'"))
    assert (settings.node.title, settings.devices[0].title) == (name, name)


def test_the_example_has_every_kind_and_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = load("config.example.yaml", environ={})
    assert {device.kind for device in settings.devices} == set(KINDS)
    assert load("config.example.yaml", profile="live", environ={}).hardware.backend == "pi"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_example_of_each_kind_is_right(read: Read, kind: str) -> None:
    assert read(devices(KINDS[kind].example)).devices[0].kind == kind


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("Off", False), ("yes", True), ("no", False), ("true", True)]
)
def test_truth_values_are_those_of_yaml(read: Read, text: str, *, value: bool) -> None:
    assert (
        read(devices(f"{{id: a, kind: switch, pin: 1, active_low: {text}}}")).devices[0].model_dump()["active_low"]
        is value
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("17", 17), ("0x11", 17), ("0b11", 3), ("07", 7), ("1_7", 17), ("+5", 5), ("!!int '9'", 9), ("7.0", 7)],
)
def test_numbers_are_those_of_yaml(read: Read, text: str, value: int) -> None:
    assert read(devices(f"{{id: a, kind: switch, pin: {text}}}")).devices[0].model_dump()["pin"] == value


def test_words_that_yaml_reads_as_something_else_are_taken_as_words(read: Read) -> None:
    settings = read(HEAD + "mqtt: {protocol: 5}\ndevices: [{id: a, kind: switch, pin: 1, restore: off}]")
    assert settings.mqtt.protocol == "5"
    assert settings.devices[0].model_dump()["restore"] == "off"


def test_anchors_aliases_and_merge_keys(read: Read, told: Told) -> None:
    text = HEAD + (
        "devices:\n"
        "  - &a {id: a, kind: switch, pin: 1, ttl: &ttl {max: 5}}\n"
        "  - {<<: *a, id: b, pin: 2}\n"
        "  - &a {<<: [*a, {icon: 'mdi:x'}], id: c, pin: 3}\n"
        "  - {id: d, kind: switch, pin: 4, ttl: *ttl}\n"
    )
    assert [device.model_dump()["ttl"]["max"] for device in read(text).devices] == [5, 5, 5, 5]
    assert told(devices("{id: a, kind: switch, pin: 1, <<: 5}")) == [
        "config.yaml:4: devices[0]: '<<' needs a mapping, and this is 5"
    ]


def test_no_devices(read: Read) -> None:
    assert read(HEAD).devices == ()
    assert read(HEAD + "devices:\n").devices == ()
    assert read(HEAD + "devices: []\n").devices == ()


def test_dates_and_other_odd_scalars_are_texts(read: Read) -> None:
    settings = read(HEAD + "mqtt: {client_id: 2026-01-01, user: =, path: 08}\n")
    assert (settings.mqtt.client_id, settings.mqtt.user, settings.mqtt.path) == ("2026-01-01", "=", "08")


def test_a_byte_order_mark_and_windows_line_ends(read: Read) -> None:
    assert read("\ufeff" + SAMPLE.replace("\n", "\r\n")).node.id == "car1"


def test_without_the_parser_in_c(read: Read, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    assert len(read(SAMPLE).devices) == 7
    assert told("a: b\n\tc: d\n", status=2)[0].startswith("config.yaml:2: not valid YAML: ")
    assert told("a: b\nc: \x07\n", status=2)[0].startswith("config.yaml:2: not valid YAML: ")


def test_a_relative_clip_starts_at_the_folder_of_the_configuration(read: Read, folder: Path) -> None:
    settings = read(devices("{id: eye, kind: camera, source: {file: clip.mp4}}"))
    assert settings.devices[0].model_dump()["source"]["file"] == str(folder / "clip.mp4")


def test_certificates_are_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    mqtt = "mqtt: {tls: {ca: ca.crt, cert: /etc/x.crt}}"
    (tmp_path / "c.yaml").write_text(f"node: a\n{mqtt}\nhardware: {{backend: simulated}}\n")
    tls = load(tmp_path / "c.yaml").mqtt.tls
    assert tls is not None
    assert (tls.ca, tls.cert) == (str(tmp_path / "ca.crt"), "/etc/x.crt")
