"""`!include`: sections, values and lists of other files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.texts import HEAD, Read, Told, devices


def test_an_include_as_a_section_and_as_a_value(read: Read) -> None:
    settings = read(HEAD + "mqtt: !include mqtt.yaml\nstate_dir: !include dir.yaml\n", mqtt="host: broker", dir="/x")
    assert (settings.mqtt.host, settings.state_dir) == ("broker", "/x")


def test_lists_are_spliced_among_devices(read: Read, told: Told) -> None:
    a, b, c, d = (f"{{id: {name}, kind: switch, pin: {pin}}}" for pin, name in enumerate("abcd", 1))
    text = devices("!include list.yaml", c, "!include one.yaml")
    files = {"list": f"- {a}\n- {b}\n", "one": d}
    assert [device.id for device in read(text, **files).devices] == list("abcd")
    assert [device.id for device in read(HEAD + "devices: !include list.yaml", **files).devices] == ["a", "b"]
    files["list"] = f"- {a}\n-  {b.replace('pin', 'pinn')}\n"
    files["one"] = d.replace("4", "3")
    lines = told(text, **files)
    assert lines[0].startswith("list.yaml:2: devices[1].pinn: unknown key 'pinn'; ")
    assert lines[1:] == ["one.yaml:1: devices[3].pin: pin 3 is already used by c, config.yaml:5"]


def test_includes_are_relative_to_their_file(read: Read, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.yaml").write_text("- !include b.yaml\n")
    (folder / "sub" / "b.yaml").write_text("{id: b, kind: switch, pin: !secret pin}")
    text = HEAD + "devices: !include sub/a.yaml"
    assert read(text, secrets="pin: 3").devices[0].model_dump()["pin"] == 3
    (folder / "sub" / "secrets.yaml").write_text("pin: 4")
    assert read(text, secrets="pin: 3").devices[0].model_dump()["pin"] == 4


def test_mistakes_are_told_in_the_included_file(told: Told, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.yaml").write_text("\nhost: x\nprot: 5\n")
    assert told(HEAD + "mqtt: !include sub/a.yaml")[0].startswith(
        "sub/a.yaml:3: mqtt.prot: unknown key 'prot'; allowed: "
    )


def test_a_broken_include(told: Told, folder: Path) -> None:
    (folder / "latin.yaml").write_bytes(b"a: 1\nb: \xe4\n")
    text = devices(
        "!include nope.yaml", "!include bad.yaml", "!include .", "!include latin.yaml", "{id: A, kind: switch, pin: 1}"
    )
    lines = told(text, status=2, bad="a: 1\nb: [\n")
    assert lines[0] == "config.yaml:4: devices[0]: cannot include nope.yaml: no such file"
    assert lines[1].startswith("config.yaml:5: devices[1]: cannot include bad.yaml:2: not valid YAML: ")
    assert lines[2] == "config.yaml:6: devices[2]: cannot include .: is a directory"
    assert lines[3] == "config.yaml:7: devices[3]: cannot include latin.yaml:2: not UTF-8: byte 0xe4"
    assert lines[4].startswith("config.yaml:8: devices[4].id: 'A' is not allowed here")
    assert len(lines) == 5
    assert told(HEAD + r'mqtt: !include "a\0b"', status=2) == [
        r"config.yaml:3: mqtt: cannot include a\x00b: embedded null byte"
    ]


def test_circular_includes(told: Told) -> None:
    text = HEAD + "mqtt: !include a.yaml"
    assert told(text, a="!include b.yaml", b="!include ./a.yaml") == ["b.yaml:1: mqtt: './a.yaml' includes itself"]
    assert told("!include config.yaml") == ["config.yaml:1: 'config.yaml' includes itself"]


@pytest.mark.parametrize("name", ["''", "[a]", "{a: b}", ""])
def test_an_include_without_a_name(told: Told, name: str) -> None:
    assert told(HEAD + f"mqtt: !include {name}") == ["config.yaml:3: mqtt: !include needs a file's name"]
