"""What must be right between entries, also where other entries have mistakes."""

from __future__ import annotations

import pytest

from tests.config.texts import HEAD, Read, Told, devices


def test_a_pin_is_used_twice(told: Told) -> None:
    text = devices("{id: relay, kind: switch, pin: 22}", "{id: door, kind: binary_sensor, pin: 22}")
    assert told(text) == ["config.yaml:5: devices[1].pin: pin 22 is already used by relay, line 4"]


def test_a_pin_is_used_twice_by_one_device(told: Told) -> None:
    assert told(devices("{id: fan, kind: motor, forward: 5, backward: 5}")) == [
        "config.yaml:4: devices[0].backward: pin 5 is already used by fan, line 4"
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "{id: relay, kind: switch, pin: 22, ttl: soon}",
        "{id: relay, kind: swich, pin: 22}",
        "{id: relay, pin: 22}",
        "{id: relay, kind: motor, forward: 22}",
        "{id: relay, kind: drive, left: {forward: 22, backward: 3}}",
        "{id: relay, kind: light, rgb: {red: 22}}",
    ],
)
def test_a_pin_of_an_entry_with_mistakes_counts_too(told: Told, entry: str) -> None:
    lines = told(devices(entry, "{id: door, kind: binary_sensor, pin: 22}"))
    assert lines[-1] == "config.yaml:5: devices[1].pin: pin 22 is already used by relay, line 4"
    assert len(lines) >= 2
    lines = told(devices("{id: door, kind: binary_sensor, pin: 22}", entry.replace("relay", "x")))
    assert any(line.endswith("pin 22 is already used by door, line 4") for line in lines)


def test_a_pin_of_an_entry_without_a_name(told: Told) -> None:
    lines = told(devices("{kind: switch, pin: 22}", "{id: door, kind: binary_sensor, pin: 22}"))
    assert "config.yaml:5: devices[1].pin: pin 22 is already used by devices[0], line 4" in lines


@pytest.mark.parametrize(
    ("backend", "pin", "allowed"),
    [
        ("pi", "28", "0 to 27"),
        ("pi", "-1", "0 to 27"),
        ("simulated", "1024", "0 to 1023"),
        ("pi", "99999999999999999999", "0 to 27"),
    ],
)
def test_a_pin_that_the_backend_does_not_have(told: Told, backend: str, pin: str, allowed: str) -> None:
    text = devices(f"{{id: a, kind: switch, pin: {pin}}}").replace("simulated", backend)
    assert told(text) == [
        f"config.yaml:4: devices[0].pin: pin {pin} is no line of backend {backend}; allowed: {allowed}"
    ]


def test_a_named_pin_where_there_are_no_chips(told: Told) -> None:
    assert told(devices("{id: a, kind: switch, pin: 'x:3'}")) == [
        "config.yaml:4: devices[0].pin: pin 'x:3' is no line of backend simulated; allowed: 0 to 1023"
    ]


@pytest.mark.parametrize("backend", ["pi", "simulated", "kernel"])
def test_a_pin_in_quotes(told: Told, backend: str) -> None:
    text = devices('{id: a, kind: switch, pin: "17"}').replace("simulated", backend)
    assert told(text) == ["config.yaml:4: devices[0].pin: pin '17' is a text; write 17, without quotes"]


def kernel(hardware: str, *entries: str) -> str:
    return devices(*entries).replace("{backend: simulated}", f"{{backend: kernel, {hardware}}}")


CHIPS = "chip: main, chips: {expander: /dev/gpiochip4, same: main, twin: /dev/gpiochip4}"


def test_lines_of_chips(read: Read) -> None:
    text = kernel(
        CHIPS,
        "{id: a, kind: switch, pin: 3}",
        "{id: b, kind: switch, pin: expander:3}",
        "{id: c, kind: switch, pin: 99}",
    )
    assert len(read(text).devices) == 3


def test_an_unknown_chip(told: Told) -> None:
    assert told(kernel(CHIPS, "{id: a, kind: switch, pin: expnder:3}")) == [
        "config.yaml:4: devices[0].pin: unknown chip 'expnder'; allowed: expander, same, twin; did you mean expander?"
    ]
    assert told(kernel("chip: main", "{id: a, kind: switch, pin: expander:3}")) == [
        "config.yaml:4: devices[0].pin: unknown chip 'expander'; allowed: what hardware.chips names"
    ]


@pytest.mark.parametrize("pin", ["expander:", "expander", ":3", "expander:x", "expander:-3"])
def test_a_named_line_that_is_none(told: Told, pin: str) -> None:
    assert told(kernel(CHIPS, f"{{id: a, kind: switch, pin: '{pin}'}}")) == [
        f"config.yaml:4: devices[0].pin: pin '{pin}' is no line; allowed: a number, chip:number"
    ]


def test_a_plain_line_without_a_chip(told: Told) -> None:
    assert told(kernel("chips: {x: y}", "{id: a, kind: switch, pin: 3}", "{id: b, kind: switch, pin: -3}")) == [
        "config.yaml:4: devices[0].pin: pin 3 is on no chip; set hardware.chip, or write chip:3",
        "config.yaml:5: devices[1].pin: pin -3 is no line; allowed: 0 and above",
    ]


def test_two_names_of_one_line(told: Told) -> None:
    text = kernel(
        CHIPS,
        "{id: a, kind: switch, pin: 3}",
        "{id: b, kind: switch, pin: same:3}",
        "{id: c, kind: switch, pin: expander:3}",
        "{id: d, kind: switch, pin: twin:3}",
    )
    assert told(text) == [
        "config.yaml:5: devices[1].pin: pin 'same:3' is already used by a, line 4",
        "config.yaml:7: devices[3].pin: pin 'twin:3' is already used by c, line 6",
    ]


def test_an_id_is_used_twice(told: Told) -> None:
    assert told(devices("{id: a, kind: switch, pin: 1}", "{id: a, kind: swich, pin: 2}"))[1] == (
        "config.yaml:5: devices[1].id: id 'a' is already used in line 4"
    )


@pytest.mark.parametrize(
    "word",
    [
        "availability",
        "info",
        "call",
        "result",
        "stop",
        "set",
        "state",
        "lease",
        "image",
        "event",
        "sim",
        "marker",
        "system",
    ],
)
def test_reserved_ids(told: Told, word: str) -> None:
    assert told(devices(f"{{id: {word}, kind: switch, pin: 1}}")) == [
        f"config.yaml:4: devices[0].id: {word!r} is reserved and can't be a device's id"
    ]


@pytest.mark.parametrize(
    ("mqtt", "key", "base", "prefix"),
    [
        ("{base: homeassistant}", "base", "homeassistant", "homeassistant"),
        ("{discovery_prefix: pimqtt}", "discovery_prefix", "pimqtt", "pimqtt"),
        ("{base: a, discovery_prefix: a/b}", "base", "a", "a/b"),
        ("{base: homeassistant/device}", "base", "homeassistant/device", "homeassistant"),
    ],
)
def test_topics_that_lie_in_each_other(told: Told, mqtt: str, key: str, base: str, prefix: str) -> None:
    assert told(HEAD + f"mqtt: {mqtt}\n") == [
        f"config.yaml:3: mqtt.{key}: base {base!r} and discovery_prefix {prefix!r} lie in each other"
    ]


def test_topics_that_only_begin_alike(read: Read) -> None:
    assert read(HEAD + "mqtt: {base: homeassistant2}\n").mqtt.base == "homeassistant2"


def test_an_interlock_that_starts_with_two_on(told: Told) -> None:
    on = "kind: switch, initial: on, interlock: {group: heat}"
    text = devices(f"{{id: a, pin: 1, {on}}}", f"{{id: b, pin: 2, {on}}}", "{id: c, kind: swich}")
    assert told(text)[0] == (
        "config.yaml:5: devices[1].initial: it starts on, and so does a of the same interlock group 'heat', line 4"
    )


def test_an_interlock_that_starts_with_one_on(read: Read) -> None:
    lock = "kind: switch, interlock: {group: heat}"
    entries = (f"{{id: a, pin: 1, initial: on, {lock}}}", f"{{id: b, pin: 2, {lock}}}")
    last = f"{{id: c, pin: 3, initial: last, {lock}}}"
    assert len(read(devices(*entries, last, last.replace("c, pin: 3", "d, pin: 4"))).devices) == 4


def test_impossible_combinations_of_one_device(told: Told) -> None:
    text = devices(
        "{id: a, kind: switch, pin: 1, safe: on, min_off: 5}",
        "{id: b, kind: switch, pin: 2, ttl: {default: 9, max: 5}}",
    )
    assert told(text) == [
        "config.yaml:4: devices[0].min_off: min_off needs a safe value that is off, and safe is on",
        "config.yaml:5: devices[1].ttl.default: 9 is above ttl.max 5",
    ]


def test_a_node_has_room_for_so_many_outputs(read: Read, told: Told) -> None:
    entries = [f"{{id: lamp{number}, kind: switch, pin: {number}}}" for number in range(1024)]
    assert len(read(devices(*entries[:1023])).devices) == 1023
    (mistake,) = told(devices(*entries))
    assert mistake == (
        "config.yaml:4: devices: 1024 outputs of 1024 devices are too many for one node: "
        "both numbers together may be 2047; make it two nodes"
    )
