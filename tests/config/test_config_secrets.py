"""`!secret`: where secrets come from, and that neither they nor passwords are ever shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pimqtt_agent import yaml_secrets
from pimqtt_agent.settings import Settings
from tests.config.texts import HEAD, HIDDEN, Read, Told


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
