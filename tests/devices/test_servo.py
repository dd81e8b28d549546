"""`servo`: one command is one movement, which ends where it is."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pimqtt_agent.devices.servo import Servo
from pimqtt_agent.entities import Button, Number
from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import Motion, Rules
from tests.fakes import FakeBoard, FakeReport, opened, run

ARM: dict[str, Any] = {"kind": "servo", "pin": 12}
LEFT, MIDDLE, RIGHT = 0.05, 0.075, 0.1  # 1.0, 1.5, 2.0 ms of 20


def servo(**options: Any) -> Servo:
    return Servo.model_validate({"id": "arm", **ARM, **options})


def number(device: Servo) -> Number:
    entity = device.entities()[0]
    assert isinstance(entity, Number)
    return entity


def rules(device: Servo) -> Rules:
    result = number(device).rules
    assert result
    return result


def test_it_is_a_number_under_bounded_motion() -> None:
    entity, rule = number(servo()), rules(servo())
    assert (rule.motion, rule.safe, rule.off, rule.initial, rule.on_stop) == (Motion.BOUNDED, None, None, None, None)
    assert (rule.deadman_s, rule.is_on(0.0), rule.is_on(None)) == (0.5, True, False)
    assert (entity.min, entity.max, entity.unit_of_measurement) == (-90, 90, "°")
    assert [entity.decode(raw)[0] for raw in ("stop", 0, -90, 12.5)] == [None, 0, -90, 12.5]
    assert [entity.encode(value) for value in (None, 0.0, 12.5)] == ["None", "0", "12.5"]
    button = servo().entities()[1]
    assert isinstance(button, Button)
    assert (button.target, button.payload_press) == ("", "stop")


@pytest.mark.parametrize(("raw", "code"), [("up", "invalid"), ("", "invalid"), (None, "invalid"), (91, "out_of_range")])
def test_what_it_refuses(raw: object, code: str) -> None:
    with pytest.raises(CommandError) as refusal:
        number(servo()).decode(raw)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("options", "default", "longest"),
    [
        ({}, 1, 1),
        ({"speed": 60}, 3.3, 3.3),
        ({"speed": 60, "travel_s": 4}, 4, 4),
        ({"travel_s": 0.4}, 0.4, 0.4),
        ({"ttl": {"max": 60}}, 1, 60),
        ({"ttl": {"max": 60, "default": 10}}, 10, 60),
        ({"ttl": {"max": 0.5}}, 0.5, 0.5),
    ],
)
def test_its_lease_is_its_longest_movement(options: dict[str, Any], default: float, longest: float) -> None:
    ttl = rules(servo(**options)).ttl
    assert (ttl.default, ttl.max) == pytest.approx((default, longest))


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_angle": 90},
        {"min_pulse_ms": 2.0},
        {"max_pulse_ms": 50},
        {"speed": 0},
        {"detach": "soon"},
        {"initial": 0},
        {"safe": 45},
        {"on_stop": "keep"},
        {"deadman": 1},
    ],
)
def test_mistakes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        servo(**wrong)


def test_a_travel_that_is_too_short_is_told() -> None:
    assert [path for path, _ in servo(speed=60, travel_s=2).mistakes()] == ["travel_s"]
    assert list(servo(safe="stop", initial=None, on_stop=False).mistakes()) == []


def test_nothing_moves_until_a_command() -> None:
    board = FakeBoard()
    _, driver = opened(ARM, board)
    driver.drive("", None, 1.0)
    assert (board.seen(), board.frequencies, driver.state("")) == ([(12, 0)], {12: 50}, None)


def test_pulses_last_as_long_as_the_movement() -> None:
    board = FakeBoard()
    _, driver = opened(ARM, board)
    board.seen()
    driver.drive("", -90.0, 1.0, shaped=True)
    assert (driver.state(""), driver.deadline_s) == (-90, inf)
    driver.drive("", None, 1.99)  # the lease counts from the command's receipt
    driver.drive("", None, 2.5)
    assert (board.seen(), driver.state("")) == ([(12, LEFT), (12, 0)], -90)
    driver.close()
    assert (board.seen(), board.claimed) == ([], set())


@pytest.mark.parametrize("detach", [True, False, 5])
def test_a_stop_on_its_way_ends_the_pulses(detach: object) -> None:
    board = FakeBoard()
    _, driver = opened({**ARM, "detach": detach}, board)
    board.seen()
    driver.drive("", 90.0, 1.0, shaped=True)
    driver.drive("", None, 1.3)
    assert (board.seen(), driver.state("")) == ([(12, RIGHT), (12, 0)], None)


def test_it_may_hold() -> None:
    board = FakeBoard()
    _, driver = opened({**ARM, "detach": False}, board)
    driver.drive("", 0.0, 1.0, shaped=True)
    driver.drive("", None, 2.0)
    assert (board.levels[12], driver.deadline_s) == (MIDDLE, inf)


@pytest.mark.parametrize("seconds", [1, 2.5])
def test_it_may_hold_for_a_while(seconds: float) -> None:
    board = FakeBoard()
    _, driver = opened({**ARM, "detach": seconds}, board)
    driver.drive("", 0.0, 1.0, shaped=True)
    driver.drive("", None, 2.0)
    assert (board.levels[12], driver.deadline_s) == (MIDDLE, 2 + seconds)
    driver.tick(2.0 + seconds)
    assert (board.levels[12], driver.deadline_s, driver.state("")) == (0, inf, 0)
    driver.drive("", 90.0, 10.0, shaped=True)
    driver.drive("", None, 11.0)
    driver.drive("", 45.0, 11.5, shaped=True)  # what was to end is not ended by the earlier time
    assert driver.deadline_s == inf


def test_at_a_speed_it_takes_its_time_and_says_where_it_is() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened({**ARM, "speed": 90}, board, report)
    driver.drive("", -90.0, 1.0, shaped=True)  # from nobody knows where
    assert board.levels[12] == LEFT
    driver.drive("", None, 3.4)
    driver.drive("", 90.0, 5.0, shaped=True)
    assert -90 < driver.state("") < -80
    run(driver, 6)
    assert board.levels[12] == pytest.approx(MIDDLE, abs=0.0011)
    assert driver.state("") == pytest.approx(0, abs=4)
    run(driver, 7.1)
    assert (board.levels[12], driver.state(""), driver.deadline_s) == (RIGHT, 90, inf)
    angles = [angle for _, angle in report.states]
    assert angles == sorted(angles)
    assert (len(angles), angles[-1]) == (8, 90)


def test_at_a_speed_a_stop_is_where_it_is() -> None:
    board = FakeBoard()
    _, driver = opened({**ARM, "speed": 90, "detach": False}, board)
    driver.drive("", -90.0, 1.0, shaped=True)
    driver.drive("", None, 4.0)
    driver.drive("", 90.0, 5.0, shaped=True)
    run(driver, 5.5)
    board.seen()
    driver.drive("", None, 5.5)
    angle = driver.state("")
    assert -60 < angle < -30
    assert (board.seen(), driver.deadline_s) == ([], inf)
    driver.drive("", -90.0, 6.0, shaped=True)  # it goes on from there
    run(driver, 9)
    assert driver.state("") == -90


@given(st.integers(-90, 90), st.integers(-90, 90), st.integers(10, 600), st.integers(0, 2500))
def test_at_a_speed_it_is_never_faster_nor_beyond(start: int, end: int, speed: int, stop_ms: int) -> None:
    board = FakeBoard()
    _, driver = opened({**ARM, "speed": speed}, board)
    driver.drive("", float(start), 0.0, shaped=True)
    driver.drive("", None, 100.0)
    board.seen()
    driver.drive("", float(end), 100.0, shaped=True)
    run(driver, 100 + stop_ms / 1000)
    driver.drive("", None, 100 + stop_ms / 1000)
    angle = driver.state("")
    assert min(start, end) <= angle <= max(start, end)
    assert abs(angle - start) <= speed * (stop_ms / 1000 + 0.04) + 1e-6
    assert driver.deadline_s == inf
    levels = [level for _, level in board.seen()]
    assert all(LEFT <= level <= RIGHT for level in levels[:-1])
    assert levels[-1] == 0


def test_pulses_may_be_the_other_way_round() -> None:
    board = FakeBoard()
    _, driver = opened({**ARM, "min_angle": 0, "max_angle": 180, "min_pulse_ms": 2.5, "max_pulse_ms": 0.5}, board)
    for angle, duty in ((0.0, 0.125), (180.0, 0.025), (90.0, 0.075)):
        driver.drive("", angle, 1.0)
        assert board.levels[12] == duty
