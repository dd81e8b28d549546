"""`!include`, `!secret`, `${ENV}` and profiles."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from pimqtt_agent import yaml_secrets
from pimqtt_agent.config import load
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.settings import Settings
from tests.config.texts import HEAD, Read, Told, Write, devices

HIDDEN = "hunter2xyz"


# --- the environment


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


# --- secrets


def password(settings: Settings) -> str:
    return settings.mqtt.password.get_secret_value() if settings.mqtt.password else ""


@pytest.mark.parametrize("written", [HIDDEN, f"'{HIDDEN}'", "1234", "017", ".nan", "on"])
def test_a_secret_by_name(read: Read, written: str) -> None:
    settings = read(HEAD + "mqtt: {password: !secret pw}", secrets=f"other: 1\npw: {written}\n")
    assert password(settings) == written.strip("'")
    assert HIDDEN not in repr(settings)


def test_a_secret_is_a_number_where_one_is_needed(read: Read) -> None:
    assert read(HEAD + "mqtt: {port: !secret port}", secrets="port: 1884\n").mqtt.port == 1884


def test_a_secret_from_a_file(read: Read, folder: Path) -> None:
    (folder / "pw.txt").write_text(f" {HIDDEN}\n")
    assert password(read(HEAD + "mqtt: {password: !secret {file: pw.txt}}")) == HIDDEN
    assert password(read(HEAD + f"mqtt: {{password: !secret {{file: {folder}/pw.txt}}}}")) == HIDDEN


def test_a_secret_from_a_command(read: Read) -> None:
    command = f'!secret {{command: [{sys.executable}, -c, \'import os; print(os.environ["A"] + "$B;")\']}}'
    assert password(read(HEAD + f"mqtt: {{password: {command}}}", {"A": "x y"})) == "x y$B;"


@pytest.mark.parametrize(
    ("secret", "line"),
    [
        ("mqtt_pv", "unknown secret 'mqtt_pv'; allowed: list, mqtt_pw, pw; did you mean mqtt_pw?"),
        ("list", "the secret 'list' is not a single value"),
        ("''", "!secret without a name; FORMS"),
        ("[pw]", "no form of a secret; FORMS"),
        ("{fil: x}", "no form of a secret; FORMS"),
        ("{file: 5}", "no form of a secret; FORMS"),
        ("{file: x, command: [y]}", "no form of a secret; FORMS"),
        ("{command: pass show x}", "no form of a secret; FORMS"),
        ("{command: []}", "no form of a secret; FORMS"),
        ("{command: [pass, [x]]}", "no form of a secret; FORMS"),
    ],
)
def test_a_secret_that_is_asked_for_wrongly(told: Told, secret: str, line: str) -> None:
    forms = "write !secret NAME, !secret {file: PATH} or !secret {command: [PROGRAM, ARGUMENT]}"
    lines = told(
        HEAD + f"mqtt: {{password: !secret {secret}}}", secrets=f"pw: {HIDDEN}\nmqtt_pw: x\nlist: [{HIDDEN}]\n"
    )
    assert lines == [f"config.yaml:3: mqtt.password: {line.replace('FORMS', forms)}"]


def test_a_secret_that_can_not_be_read(told: Told, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def line(secret: str) -> str:
        (line,) = told(HEAD + f"mqtt: {{password: !secret {secret}}}", status=2)
        assert line.startswith("config.yaml:3: mqtt.password: cannot read the secret ")
        return line.removeprefix("config.yaml:3: mqtt.password: cannot read the secret ")

    assert line("pw") == "'pw': secrets.yaml: no such file"
    (folder / "secrets.yaml").write_text(f"a: 1\npw: *{HIDDEN}\n")
    assert line("pw") == "'pw': secrets.yaml:2: not valid YAML"
    assert line("{file: nope}") == "from file 'nope': no such file"
    assert line("{file: .}") == "from file '.': is a directory"
    assert line("{command: [/nope]}") == "from command '/nope': no such file or directory"
    assert line('{command: ["a\\0b"]}') == r"from command 'a\x00b': embedded null byte"
    assert line("{command: ['false']}") == "from command 'false': exit status 1"
    monkeypatch.setattr(yaml_secrets, "COMMAND_S", 0.1)
    assert line("{command: [sleep, '5']}") == "from command 'sleep': no answer within 0.1 s"
    (folder / "pw.txt").write_bytes(b"\xff")
    assert line("{file: pw.txt}") == "from file 'pw.txt': not UTF-8: byte 0xff"
    assert line("{command: [cat, pw.txt]}") == "from command 'cat': its output is not UTF-8"


@pytest.mark.parametrize(
    "text",
    [
        "mqtt: {port: !secret pw}",
        "mqtt: {passwort: !secret pw}",
        "mqtt: {password: {x: !secret pw}}",
        "mqtt: [!secret pw]",
        "mqtt: {tls: !secret pw}",
        "mqtt: {base: !secret pw, discovery_prefix: !secret pw}",
        "owners: {a: {max_priority: !secret pw}}",
        "mqtt: {protocol: !secret pw}",
        "devices: [{id: a, kind: switch, pin: !secret pw}]",
        "devices: [{id: a, kind: switch, pin: 1, safe: !secret pw}]",
        "devices: [{id: a, kind: !secret pw, pin: 1}]",
        "devices: !secret pw",
        "devices: [!secret pw]",
        "devices: [{id: a, kind: camera, source: {file: !secret pw, v4l2: x}}]",
    ],
)
def test_secrets_are_never_shown(told: Told, text: str) -> None:
    assert HIDDEN not in "\n".join(told(HEAD + text, secrets=f"pw: {HIDDEN}\n"))


@pytest.mark.parametrize(
    "text",
    [
        f"mqtt: {{password: [{HIDDEN}]}}",
        f"mqtt: {{password: {{a: {HIDDEN}}}}}",
        f"mqtt: [{{password: {HIDDEN}}}]",
        f"mqtt: {{tls: [{{password: {HIDDEN}}}]}}",
        f"mqtt: {{password: !{HIDDEN} x}}",
        f"mqtt: {{password: !!int {HIDDEN}}}",
        f"devices: [{{id: a, kind: switch, pin: {{password: {HIDDEN}}}}}]",
        f"devices: [{{id: a, kind: switch, pin: 1, safe: {{password: {HIDDEN}}}}}]",
        f"devices: [{{id: a, kind: camera, source: 'rtsp://user:{HIDDEN}@host/'}}]",
    ],
)
def test_passwords_are_never_shown(told: Told, text: str) -> None:
    assert HIDDEN not in "\n".join(told(HEAD + text))


def test_a_password_as_an_alias_is_not_shown(told: Told) -> None:
    assert told(HEAD + f"mqtt: {{password: *{HIDDEN}}}", status=2) == [
        "config.yaml:3: not valid YAML: alias (*) without an anchor (&) above; quote a text with *"
    ]


def test_a_number_as_a_password(told: Told) -> None:
    assert told(HEAD + "mqtt: {password: 12345678}") == [
        "config.yaml:3: mqtt.password: the value (not shown) is not a text; put it in quotes"
    ]
    assert told(HEAD + "mqtt: {password: 0755}") == [
        "config.yaml:3: mqtt.password: the value (not shown) can't be read as it stands; put it in quotes"
    ]


# --- includes


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


# --- profiles

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


# --- what can't be read


def test_a_file_that_is_not_there(folder: Path, write: Write) -> None:
    def lines(name: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(name, environ={})
        assert caught.value.status == 2
        return caught.value.lines

    assert lines("nope.yaml") == ["nope.yaml: no such file"]
    assert lines(str(folder)) == [f"{folder}: is a directory"]
    assert lines("a\0b.yaml") == [r"a\x00b.yaml: embedded null byte"]
    write("x: [")
    assert lines("config.yaml/x") == ["config.yaml/x: not a directory"]
    assert lines(str(folder / "config.yaml"))[0].startswith(f"{folder}/config.yaml:1: not valid YAML: ")


def test_a_file_without_permission(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert told("x: y", status=2) == ["config.yaml: permission denied"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b\n\tc: d\n", 2),
        ("a: [b\nc: d\n", 2),
        ("a: {b: c\n", 1),
        ("a: 'b\n", 1),
        ("a: b: c\n", 1),
        ("a: b\n---\nc: d\n", 2),
        ("a: \x07\n", 1),
        ("\n\na: *b\n", 3),
        ("a: &x [*x]\n", 1),
        ("a: !x!y z\n", 1),
        ("[" * 100_000, 1),
        ("? " * 100_000, 1),
        ("- " * 1000, 1),
        ("a: @b\n", 1),
        ("%YAML 3.0\n---\na: b\n", 1),
    ],
)
def test_what_is_no_yaml(told: Told, text: str, line: int) -> None:
    (found,) = told(text, status=2)
    assert found.startswith(f"config.yaml:{line}: ")


def test_many_aliases_do_not_fill_the_memory(told: Told) -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(12))
    (line,) = told(text, status=2)
    assert line.endswith(": too large once its aliases are expanded")


def test_bytes_that_are_no_utf8(folder: Path) -> None:
    (folder / "config.yaml").write_bytes(b"node: x\nmqtt:\n  host: \xff\n")
    with pytest.raises(ConfigError) as caught:
        load("config.yaml", environ={})
    assert (caught.value.lines, caught.value.status) == (["config.yaml:3: not UTF-8: byte 0xff"], 2)
