"""`motor`: what YAML may say, what it is to the outside, and what its lines see."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from pydantic import ValidationError

from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.entities import Button, Number
from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import Motion
from tests.fakes import FakeBoard, opened, run

FAN = {"kind": "motor", "forward": 23, "backward": 24}


def motor(**options: Any) -> Motor:
    return Motor.model_validate({"id": "fan", **FAN, **options})


def number(device: Motor) -> Number:
    entity = device.entities()[0]
    assert isinstance(entity, Number)
    return entity


def test_it_is_a_number_under_a_dead_man() -> None:
    entity = number(motor(deadman=0.4))
    rules = entity.rules
    assert rules
    assert (rules.motion, rules.safe, rules.off, rules.initial, rules.on_stop) == (Motion.CONTINUOUS, 0, 0, 0, 0)
    assert (rules.ttl.default, rules.ttl.max, rules.deadman_s) == (0.4, 0.4, 0.4)
    assert rules.is_on(-1.0)
    assert not rules.is_on(0.0)
    assert (entity.min, entity.max, entity.unit_of_measurement) == (-100, 100, "%")


def test_its_stop_button_sends_a_word_to_it() -> None:
    button = motor().entities()[1]
    assert isinstance(button, Button)
    assert (button.target, button.payload_press) == ("", "stop")


def test_numbers_and_words() -> None:
    entity = number(motor(speed=60))
    assert [entity.decode(raw)[0] for raw in ("forward", "backward", "stop", 50, -100, 0.5)] == [
        60,
        -60,
        0,
        50,
        -100,
        0.5,
    ]
    assert entity.encode(entity.decode(-0.0)[0]) == "0"
    assert entity.encode(-33.5) == "-33.5"


@pytest.mark.parametrize(
    ("raw", "code"), [("1junk", "invalid"), ("", "invalid"), (True, "invalid"), ({}, "invalid"), (101, "out_of_range")]
)
def test_what_it_refuses(raw: object, code: str) -> None:
    with pytest.raises(CommandError) as refusal:
        number(motor()).decode(raw)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "lines",
    [
        {},
        {"forward": 1},
        {"forward": 1, "enable": 2},
        {"forward": 1, "backward": 2, "enable": 3},
        {"phase": 1, "enable": 2, "backward": 3},
    ],
)
def test_the_lines_have_two_forms(lines: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="needs forward and backward, or phase and enable"):
        Motor.model_validate({"id": "fan", "kind": "motor", **lines})


def test_its_lines() -> None:
    assert list(motor().lines()) == [("forward", 23), ("backward", 24)]
    other = Motor.model_validate({"id": "fan", "kind": "motor", "phase": "a:1", "enable": 0, "stop": "brake"})
    assert list(other.lines()) == [("phase", "a:1"), ("enable", 0)]
    assert [path for path, _ in other.mistakes()] == ["stop"]


@pytest.mark.parametrize("rest", [0, 0.0, False, "off", "stop"])
def test_it_rests_stopped(rest: object) -> None:
    assert motor(safe=rest, initial=rest).rules().initial == 0.0


@pytest.mark.parametrize("rest", [1, True, "on", "forward", "last", None, {}])
def test_it_rests_nowhere_else(rest: object) -> None:
    with pytest.raises(ValidationError, match="stop"):
        motor(initial=rest)


def test_a_command_is_one_change() -> None:
    board = FakeBoard()
    _, driver = opened(FAN, board)
    assert board.seen() == [(23, 0), (24, 0)]
    driver.drive("", 50.0, 1.0, shaped=True)
    assert (board.seen(), driver.state(""), driver.deadline_s) == ([(23, 0.5)], 50, inf)
    driver.drive("", -20.0, 1.1, shaped=True)
    driver.drive("", 0.0, 1.2)
    assert (board.seen(), driver.state("")) == ([(23, 0), (24, 0.2), (24, 0)], 0)
    driver.close()
    assert (board.seen(), board.claimed) == ([], set())


def test_a_ramp_shapes_commands_and_delays_no_stop() -> None:
    board = FakeBoard()
    _, driver = opened({**FAN, "ramp": 100}, board)
    driver.drive("", 50.0, 1.0, shaped=True)
    assert 0 < board.levels[23] < 0.1
    run(driver, 1.3)
    assert board.levels[23] == pytest.approx(0.34, abs=0.021)
    assert driver.state("") == 50
    run(driver, 2)
    assert board.levels[23] == 0.5
    driver.drive("", -50.0, 3.0, shaped=True)
    run(driver, 3.2)
    assert board.levels[23] > 0.2
    driver.drive("", 0.0, 3.2)
    assert (board.levels, driver.deadline_s) == ({23: 0, 24: 0}, inf)


def test_a_zero_with_a_ttl_is_at_once_too() -> None:
    board = FakeBoard()
    _, driver = opened({**FAN, "ramp": 100}, board)
    driver.drive("", 80.0, 1.0, shaped=False)
    driver.drive("", 0.0, 1.1, shaped=True)
    assert (board.levels[23], driver.deadline_s) == (0, inf)


def test_it_brakes_and_turns_round() -> None:
    board = FakeBoard()
    _, driver = opened({**FAN, "stop": "brake", "inverted": True, "frequency": 1000}, board)
    board.seen()
    driver.drive("", 50.0, 1.0, shaped=True)
    driver.drive("", 0.0, 1.2)
    assert board.seen() == [(24, 0.5), (24, 1), (23, 1)]
    assert board.frequencies == {23: 1000, 24: 1000}


def test_phase_and_enable() -> None:
    board = FakeBoard()
    _, driver = opened({"kind": "motor", "phase": 3, "enable": 4}, board)
    board.seen()
    driver.drive("", -50.0, 1.0, shaped=True)
    driver.drive("", 0.0, 1.2)
    assert board.seen() == [(3, 1), (4, 0.5), (4, 0)]
