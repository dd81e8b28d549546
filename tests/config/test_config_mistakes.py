"""How mistakes are told: all at once, in order, in short lines."""

from __future__ import annotations

from tests.config.texts import Told, devices


def test_everything_is_told_at_once_in_the_order_of_the_file(told: Told) -> None:
    text = """\
node: {id: Car}
mqtt: {port: 0}
hardware:
  backend: simulated
  trase: x
devices:
  - {id: pump, kind: switch, pin: 17}
  - id: lamp
    kind: switch
    pin: 17
    ttl:
      max: soon
  - {id: pump, kind: swich, pin: 18}
linger_s: never
"""
    lines = [line.split(":")[:3] for line in told(text)]
    assert [(int(line), path.strip()) for _, line, path in lines] == [
        (1, "node.id"),
        (2, "mqtt.port"),
        (5, "hardware.trase"),
        (10, "devices[1].pin"),
        (12, "devices[1].ttl.max"),
        (13, "devices[2].kind"),
        (13, "devices[2].id"),
        (14, "linger_s"),
    ]


def test_a_line_has_no_control_characters(told: Told) -> None:
    assert told(devices(r'{id: "a\nb\e[31m", kind: switch, pin: 1}')) == [
        r"config.yaml:4: devices[0].id: 'a\nb\x1b[31m' is not allowed here; allowed: a-z, 0-9, _ and -"
    ]


def test_long_values_are_cut(told: Told) -> None:
    (line,) = told(devices(f"{{id: a, kind: switch, pin: 1, max_on: {'x' * 5000}}}"))
    assert len(line) < 120


def test_a_key_that_was_misspelt_is_not_told_as_missing_too(told: Told) -> None:
    assert len(told(devices("{id: a, kind: switch, pni: 1}"))) == 1
    assert len(told(devices("{id: a, kind: switch, zzzzz: 1}"))) == 2
