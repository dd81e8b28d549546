"""Each kind of mistake in a section, and the whole line that it leads to."""

from __future__ import annotations

import pytest

from tests.config.texts import HEAD, Told

TOPIC = "is not allowed here; allowed: a topic that does not begin with / and has no #, + or spaces"
ROOT_KEYS = "devices, hardware, linger_s, mqtt, node, owners, profiles, state_dir, system"

ROOTS = [
    ("nodes: x", f"nodes: unknown key 'nodes'; allowed: {ROOT_KEYS}; did you mean node?"),
    ("file: x", f"file: unknown key 'file'; allowed: {ROOT_KEYS}"),
    ("devices: 5", "devices: 5 is not a list"),
    ("devices: {a: 5}", "devices: {a: 5} is not a list"),
    ("linger_s: 0", "linger_s: 0 is out of range; allowed: 1 to 3600"),
    ("mqtt: {port: 70000}", "mqtt.port: 70000 is out of range; allowed: 1 to 65535"),
    ("mqtt: {port: abc}", "mqtt.port: 'abc' is not a whole number"),
    ("mqtt: {keepalive: 2.5}", "mqtt.keepalive: 2.5 is not a whole number"),
    ("mqtt: {tls: 5}", "mqtt.tls: 5 is not a mapping; allowed: ca, cert, insecure, key"),
    ("mqtt: {protocol: 4}", "mqtt.protocol: unknown value 4; allowed: auto, 5, 3.1.1"),
    (
        "mqtt: {base: '#'}",
        f"mqtt.base: '#' {TOPIC}",
    ),
    ("owners: {anna: {max_priority: 10}}", "owners.anna.max_priority: 10 is out of range; allowed: 0 to 9"),
    ("owners: {5: {max_priority: 1}}", "owners.5: the key '5' is not a text; put it in quotes"),
    ("owners: {'': {}}", "owners['']: the key '' is too short; allowed: at least 1 characters"),
    (
        f"owners: {{{'x' * 65}: {{}}}}",
        f"owners.{'x' * 65}: the key '{'x' * 56}... is too long; allowed: at most 64 characters",
    ),
    ("mqtt: {host: a b}", "mqtt.host: 'a b' is not allowed here; allowed: a text without spaces"),
    (
        'mqtt: {base: "a\\0b"}',
        rf"mqtt.base: 'a\x00b' {TOPIC}",
    ),
    (
        "mqtt: {transport: websockets, path: mqtt}",
        "mqtt.path: 'mqtt' is no path of a WebSocket; begin with /",
    ),
    ("owners: {a b: 5}", "owners['a b']: 5 is not a mapping; allowed: max_priority"),
    (
        "system: {allow: [restart, boot]}",
        ("system.allow[1]: unknown value 'boot'; allowed: restart, reboot, identify; did you mean reboot?"),
    ),
    ("system: {allow: restart}", "system.allow: 'restart' is not a list"),
    ("system: {interval: 1}", "system.interval: 1 is out of range; allowed: 5 to 3600"),
    ("profiles: 5", "profiles: 5 is not a mapping"),
    ("profiles: {dev: 5}", "profiles.dev: 5 is not a mapping"),
]


@pytest.mark.parametrize(("text", "line"), ROOTS)
def test_a_section(told: Told, text: str, line: str) -> None:
    assert told(HEAD + text) == [f"config.yaml:3: {line}"]


HARDWARE = [
    ("{backend: x}", "hardware.backend: unknown value 'x'; allowed: simulated, pi, kernel"),
    (
        "{backend: simulate}",
        ("hardware.backend: unknown value 'simulate'; allowed: simulated, pi, kernel; did you mean simulated?"),
    ),
    ("{}", "hardware.backend: key 'backend' is missing; allowed: simulated, pi, kernel"),
    ("{backend: pi, trace: x}", "hardware.trace: unknown key 'trace'; allowed: backend"),
    (
        "{backend: simulated, trase: x}",
        (
            "hardware.trase: unknown key 'trase'; "
            "allowed: backend, control, on_release, pulls, trace; did you mean trace?"
        ),
    ),
    (
        "{backend: kernel, chips: {a b: x}}",
        "hardware.chips['a b']: the key 'a b' is not allowed here; allowed: a-z, 0-9, _ and -",
    ),
    ("{backend: simulated, pulls: {4: off}}", "hardware.pulls.4: unknown value 'off'; allowed: up, down"),
    (
        "{backend: simulated, pulls: {1024: up}}",
        ("hardware.pulls.1024: pin 1024 is no line of backend simulated; allowed: 0 to 1023"),
    ),
    ("pi", "hardware: 'pi' is not a mapping; allowed: backend, chip, chips, control, on_release, pulls, trace"),
]


@pytest.mark.parametrize(("text", "line"), HARDWARE)
def test_the_hardware(told: Told, text: str, line: str) -> None:
    assert told(f"node: car1\nhardware: {text}\n") == [f"config.yaml:2: {line}"]


def test_the_node(told: Told) -> None:
    hardware = "\nhardware: {backend: simulated}\n"
    assert told(f"node: stop{hardware}") == ["config.yaml:1: node: 'stop' is reserved and can't be a node's id"]
    assert told(f"node: {{id: reply}}{hardware}") == [
        "config.yaml:1: node.id: 'reply' is reserved and can't be a node's id"
    ]
    assert told(f"node: Car{hardware}") == [
        "config.yaml:1: node: 'Car' is not allowed here; allowed: a-z, 0-9, _ and -"
    ]
    for word in ("no", "on", "5", "1.5"):
        shown = word if word[0].isdigit() else repr(word)
        assert told(f"node: {word}{hardware}") == [f"config.yaml:1: node: {shown} is not a text; put it in quotes"]
    assert told(f"node: [car]{hardware}") == ["config.yaml:1: node: [car] is not a mapping; allowed: area, id, name"]
    assert told(f"node: {{id: car, nam: x}}{hardware}") == [
        "config.yaml:1: node.nam: unknown key 'nam'; allowed: area, id, name; did you mean name?"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file(told: Told, text: str) -> None:
    assert told(text) == [
        "config.yaml:1: node: key 'node' is missing",
        "config.yaml:1: hardware: key 'hardware' is missing",
    ]


def test_a_file_that_is_no_mapping(told: Told) -> None:
    assert told("- a\n- b\n") == ["config.yaml:1: a mapping is needed here, and this is [a, b]"]
    assert told("hello") == ["config.yaml:1: a mapping is needed here, and this is 'hello'"]
