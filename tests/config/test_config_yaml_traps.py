"""What YAML is feared for: each is read as it was meant, or told with its line; never taken for something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimqtt_agent.config import load
from pimqtt_agent.errors import ConfigError
from tests.config.texts import HEAD, Read, Told, devices

SWITCH = "kind: switch, pin: 1"
REFUSED = [
    # Norway: words that are truth values
    ("mqtt: {user: no}", "mqtt.user: 'no' is not a text; put it in quotes"),
    ("mqtt: {user: Yes}", "mqtt.user: 'Yes' is not a text; put it in quotes"),
    (f"devices: [{{id: off, {SWITCH}}}]", "devices[0].id: 'off' is not a text; put it in quotes"),
    (f"devices: [{{id: a, {SWITCH}, area: on}}]", "devices[0].area: 'on' is not a text; put it in quotes"),
    (f"devices: [{{id: a, {SWITCH}, max_on: on}}]", "devices[0].max_on: 'on' is not a number"),
    # numbers to the base 60, octal, with underscores, as versions
    ("mqtt: {user: 12:34:56}", "mqtt.user: '12:34:56' is read by YAML as a number to the base 60; put it in quotes"),
    ("mqtt: {client_id: 1:30}", "mqtt.client_id: '1:30' is read by YAML as a number to the base 60; put it"),
    ("mqtt: {user: 1:30.5}", "mqtt.user: '1:30.5' is read by YAML as a number to the base 60; put it in quotes"),
    ("mqtt: {port: 0755}", "mqtt.port: '0755' is read by YAML as octal (493); write 755, or put it in quotes"),
    ("mqtt: {user: 1_000}", "mqtt.user: 1_000 is not a text; put it in quotes"),
    ("mqtt: {user: 1.10}", "mqtt.user: 1.10 is not a text; put it in quotes"),
    # keys given twice, at every depth and through every way in
    ("mqtt: {host: a, host: b}", "mqtt.host: key 'host' is given twice, first in line 3"),
    ("hardware: {backend: pi}", "hardware: key 'hardware' is given twice, first in line 2"),
    ('mqtt: {host: a, "host": b}', "mqtt.host: key 'host' is given twice, first in line 3"),
    # a colon without its space, a text of many lines
    ("mqtt: {host:x}", "mqtt['host:x']: unknown key 'host:x'; "),
    ("mqtt: |\n  host: x\n", r"mqtt: 'host: x\n' is not a mapping; "),
    # numbers as people write them
    (f"devices: [{{id: a, {SWITCH}, max_on: 5s}}]", "devices[0].max_on: '5s' is not a number"),
    (f'devices: [{{id: a, {SWITCH}, max_on: "1,5"}}]', "devices[0].max_on: '1,5' is not a number"),
    # a comment that is none
    ("linger_s: 5# s\n", "linger_s: '5# s' is not a number"),
]


@pytest.mark.parametrize(("text", "line"), REFUSED)
def test_it_is_told(told: Told, text: str, line: str) -> None:
    (found,) = told(HEAD + text)
    assert found.startswith(f"config.yaml:3: {line}")


UNREADABLE = [
    ("mqtt:\n\thost: x\n", 4, "a tab; YAML is indented by spaces"),
    ("mqtt:\n  host: x\n\tport: 5\n", 5, "a tab; YAML is indented by spaces"),
    ("mqtt: host: x\n", 3, "mapping values are not allowed"),
    ("mqtt:\n  host: x\n   port: 5\n", 5, "mapping values are not allowed"),
    ("mqtt: {user: *x}\n", 3, "alias (*) without an anchor (&) above"),
    ("mqtt: {user: @x}\n", 3, "cannot start any token"),
    ("mqtt: {user: 'it's}\n", 3, ""),
    ("---\nmqtt: {}\n", 3, "a second document"),
]


@pytest.mark.parametrize(("text", "line", "words"), UNREADABLE)
def test_it_can_not_be_read(told: Told, text: str, line: int, words: str) -> None:
    (found,) = told(HEAD + text, status=2)
    assert found.startswith(f"config.yaml:{line}: ")
    assert words in found


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_another_encoding_is_told(folder: Path, code: str) -> None:
    (folder / "config.yaml").write_bytes(f"{HEAD}mqtt: {{user: Jürgen}}\n".encode(code))
    with pytest.raises(ConfigError) as caught:
        load("config.yaml", environ={})
    assert caught.value.status == 2
    assert len(caught.value.lines) == 1


MEANT = [
    "node:\tcar1\nhardware: {backend: simulated}\n",
    "---\n" + HEAD + "...\n",
    "%YAML 1.1\n---\n" + HEAD,
    "%YAML 1.2\n---\n" + HEAD,
    HEAD.replace("\n", "\r\n"),
    HEAD.replace("\n", "\r"),
    "\ufeff" + HEAD,
    "# Jürgen's car \U0001f697\n" + HEAD,
    '"node": "car1"\n"hardware": {"backend": "simulated"}',
    "? node\n: car1\n? hardware\n: {backend: simulated}\n",
    "node: car1   # a comment\nhardware: {backend: simulated, }\n",
    "hardware: &h {backend: simulated}\nprofiles: {same: {hardware: *h}}\nnode: car1\n",
]


@pytest.mark.parametrize("text", MEANT)
def test_it_is_read_as_it_was_meant(read: Read, text: str) -> None:
    settings = read(text)
    assert (settings.node.id, settings.hardware.backend) == ("car1", "simulated")


def test_merge_keys_lose_against_what_stands_there_and_quoted_ones_are_none(read: Read, told: Told) -> None:
    text = HEAD + "mqtt:\n  <<: {host: a, user: u}\n  host: b\n"
    assert (read(text).mqtt.host, read(text).mqtt.user) == ("b", "u")
    (line,) = told(HEAD + 'mqtt:\n  "<<": {host: a}\n')
    assert line.startswith("config.yaml:4: mqtt['<<']: unknown key '<<'")


def test_words_that_are_truth_values_are_names_where_the_user_makes_names(read: Read) -> None:
    assert set(read(HEAD + "owners: {no: {}, on: {}, 'yes': {}}").owners) == {"no", "on", "yes"}
    assert read(devices("{id: y, kind: switch, pin: 1}")).devices[0].id == "y"
