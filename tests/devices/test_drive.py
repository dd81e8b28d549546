"""`drive`: the joystick's mixing, what it refuses, and what its lines see."""

from __future__ import annotations

import json
from math import copysign, inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pimqtt_agent.devices.drive import STRAIGHTEN_S, WORDS, Drive, DriveEntity, mix
from pimqtt_agent.entities import Button, Number
from pimqtt_agent.errors import CommandError, HardwareError
from pimqtt_agent.rules import Motion
from tests.fakes import FakeBoard, opened, run

CAR: dict[str, Any] = {
    "kind": "drive",
    "left": {"forward": 5, "backward": 6},
    "right": {"forward": 13, "backward": 19},
}
TRUCK: dict[str, Any] = {"kind": "drive", "motor": {"forward": 5, "backward": 6}, "steering": {"pin": 12}}
AXIS = st.floats(-1, 1)
STILL = {"x": 0.0, "y": 0.0}


def drive(**options: Any) -> Drive:
    return Drive.model_validate({"id": "car", **CAR, **options})


def joystick(device: Drive) -> DriveEntity:
    entity = device.entities()[0]
    assert isinstance(entity, DriveEntity)
    return entity


@given(AXIS, AXIS)
def test_wheels_never_exceed_one_and_keep_the_joysticks_direction(x: float, y: float) -> None:
    left, right = mix(x, y)
    assert max(abs(left), abs(right)) <= 1
    largest = max(1.0, abs(y + x), abs(y - x))
    assert (left * largest, right * largest) == pytest.approx((y + x, y - x))


@pytest.mark.parametrize(
    ("xy", "wheels"),
    [
        ((0, 1), (1, 1)),
        ((0, -0.5), (-0.5, -0.5)),
        ((1, 0), (1, -1)),
        ((-1, 0), (-1, 1)),
        ((1, 1), (1, 0)),
        ((0.5, 1), (1, 1 / 3)),
    ],
)
def test_mixing(xy: tuple[float, float], wheels: tuple[float, float]) -> None:
    assert mix(*xy) == pytest.approx(wheels)


def test_it_is_a_joystick_under_a_dead_man() -> None:
    rules = joystick(drive(deadman=0.3, arming={"heartbeat_s": 1})).rules
    assert rules
    assert (rules.motion, rules.safe, rules.initial, rules.on_stop) == (Motion.CONTINUOUS, STILL, STILL, STILL)
    assert (rules.ttl.default, rules.ttl.max, rules.deadman_s, rules.arming_s) == (0.3, 0.3, 0.3, 1)
    assert not rules.is_on({"x": 0.0, "y": -0.0})
    assert rules.is_on({"x": 0.1, "y": 0.0})


def test_its_buttons_send_its_words() -> None:
    device = drive()
    words = {entity.payload_press for entity in device.entities() if isinstance(entity, Button) and entity.target == ""}
    assert words == set(WORDS)
    for word, (x, y) in WORDS.items():
        assert joystick(device).decode(word) == ({"x": x, "y": y}, None)


@given(AXIS, AXIS)
def test_what_it_writes_it_reads(x: float, y: float) -> None:
    entity = joystick(drive())
    value, _ = entity.decode({"x": x, "y": y})
    assert value == {"x": x, "y": y}
    assert value["x"] or copysign(1, value["x"]) > 0  # no -0.0
    assert entity.decode(json.loads(entity.encode(value))) == (value, None)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("fly", "invalid"),
        ("", "invalid"),
        (0.0, "invalid"),
        ([0, 0], "invalid"),
        ({"x": 0}, "invalid"),
        ({"x": 0, "y": 0, "z": 0}, "invalid"),
        ({"x": "0", "y": 0}, "invalid"),
        ({"x": True, "y": 0}, "invalid"),
        ({"x": 2, "y": None}, "invalid"),
        ({"x": float("nan"), "y": 0}, "invalid"),
        ({"x": 0, "y": 1.01}, "out_of_range"),
        ({"x": -2, "y": 0}, "out_of_range"),
    ],
)
def test_what_it_refuses(raw: object, code: str) -> None:
    with pytest.raises(CommandError) as refusal:
        joystick(drive()).decode(raw)
    assert refusal.value.code == code


@pytest.mark.parametrize("keys", [{}, {"left"}, {"left", "motor"}, {"left", "right", "steering"}, {"steering"}])
def test_it_has_two_forms(keys: set[str]) -> None:
    parts = {key: part for key, part in {**CAR, **TRUCK}.items() if key in keys}
    with pytest.raises(ValidationError, match="needs left and right, or motor and steering"):
        Drive.model_validate({"id": "car", "kind": "drive", **parts})


@pytest.mark.parametrize(
    "steering",
    [{"center": 40}, {"min_angle": 30, "max_angle": -30}, {"min_angle": 30}, {"min_pulse_ms": 2.0}, {"max_angle": 200}],
)
def test_a_steering_that_can_not_be(steering: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Drive.model_validate({"id": "car", **TRUCK, "steering": {"pin": 12, **steering}})


def test_lines_and_mistakes() -> None:
    assert list(drive().lines()) == [
        ("left.forward", 5), ("left.backward", 6), ("right.forward", 13), ("right.backward", 19),
    ]  # fmt: skip
    truck = Drive.model_validate({"id": "car", **TRUCK, "trim": 5})
    assert [path for path, _ in truck.lines()] == ["motor.forward", "motor.backward", "steering.pin"]
    assert [path for path, _ in truck.mistakes()] == ["trim"]
    phase = {"phase": 1, "enable": 2}
    assert [path for path, _ in drive(left=phase, stop="brake").mistakes()] == ["stop"]


def test_it_rests_stopped_only() -> None:
    assert drive(safe="stop", on_disconnect={"after": 5, "value": False}).rules().safe == STILL
    with pytest.raises(ValidationError, match="rests at 0, off or stop"):
        drive(initial="forward")


def test_it_drives_turns_and_stops() -> None:
    board = FakeBoard()
    _, driver = opened(CAR, board)
    assert {level for _, level in board.seen()} == {0}
    driver.drive("", {"x": 0.0, "y": 1.0}, 1.0, shaped=True)
    assert sorted(board.seen()) == [(5, 1), (13, 1)]
    driver.drive("", {"x": 1.0, "y": 0.0}, 1.1, shaped=True)
    assert board.seen() == [(13, 0), (19, 1)]
    assert driver.state("") == {"x": 1.0, "y": 0.0}
    driver.drive("", STILL, 1.2)
    assert sorted(board.seen()) == [(5, 0), (19, 0)]
    driver.close()
    assert board.claimed == set()


def test_trim_slows_one_side_and_boosts_none() -> None:
    board = FakeBoard()
    _, driver = opened({**CAR, "trim": 20}, board)
    driver.drive("", {"x": 0.0, "y": 1.0}, 1.0)
    assert (board.levels[5], board.levels[13]) == (1, 0.8)
    board = FakeBoard()
    _, driver = opened({**CAR, "trim": -20, "speed_limit": 50}, board)
    driver.drive("", {"x": 0.0, "y": 1.0}, 1.0)
    assert (board.levels[5], board.levels[13]) == (0.4, 0.5)


def test_the_limit_scales_live_and_not_above_the_configured_one() -> None:
    board = FakeBoard()
    device, driver = opened({**CAR, "speed_limit": 80}, board)
    limit = device.entities()[-1]
    assert isinstance(limit, Number)
    assert (limit.key, limit.max, limit.entity_category) == ("limit", 80, "config")
    assert limit.rules
    assert (limit.rules.motion, limit.rules.initial, limit.rules.safe) == (Motion.LEVEL, 80, 80)
    driver.drive("", {"x": 0.0, "y": 1.0}, 1.0)
    assert board.levels[5] == 0.8
    driver.drive("limit", 40.0, 1.1, shaped=True)
    assert (board.levels[5], board.levels[13], driver.state("limit")) == (0.4, 0.4, 40)
    driver.drive("", STILL, 1.2)
    board.seen()
    driver.drive("limit", 80.0, 1.3)
    assert board.seen() == []


def test_one_broken_wheel_does_not_keep_the_others_from_stopping() -> None:
    for broken in (5, 13):
        board = FakeBoard()
        _, driver = opened(CAR, board)
        driver.drive("", {"x": 0.0, "y": 1.0}, 1.0)
        board.broken.add(broken)
        with pytest.raises(HardwareError):
            driver.drive("", STILL, 1.1)
        assert board.levels[5 + 13 - broken] == 0


def test_what_could_not_be_claimed_whole_is_given_back() -> None:
    board = FakeBoard()
    board.broken.add(19)
    with pytest.raises(HardwareError):
        drive().open(board, {"": STILL, "limit": 100.0}, None)  # type: ignore[arg-type]
    assert board.claimed == set()


def test_a_broken_drive_can_be_closed() -> None:
    for spec in (CAR, TRUCK, {**CAR, "left": {"phase": 5, "enable": 13}, "right": {"phase": 6, "enable": 19}}):
        board = FakeBoard()
        _, driver = opened(spec, board)
        driver.drive("", {"x": 0.5, "y": 1.0}, 1.0)
        board.broken |= board.claimed
        driver.close()
        assert board.claimed == set()


def test_a_ramp_delays_no_stop() -> None:
    board = FakeBoard()
    _, driver = opened({**CAR, "ramp": 100}, board)
    driver.drive("", {"x": 0.0, "y": 1.0}, 1.0, shaped=True)
    run(driver, 1.5)
    assert 0.4 < board.levels[5] < 0.6
    assert board.levels[5] == board.levels[13]
    driver.drive("", STILL, 1.5)
    assert set(board.levels.values()) == {0}
    assert driver.deadline_s == inf


def test_steering_points_where_it_goes_and_is_let_go_after_a_stop() -> None:
    board = FakeBoard()
    _, driver = opened({**TRUCK, "steering": {"pin": 12, "min_angle": -45, "max_angle": 45}}, board)
    assert board.seen() == [(5, 0), (6, 0), (12, 0)]
    assert board.frequencies[12] == 50
    driver.drive("", {"x": -1.0, "y": 0.5}, 1.0, shaped=True)
    assert board.seen() == [(5, 0.5), (12, 0.0625)]  # 1.25 ms of 20
    driver.drive("", {"x": 0.5, "y": 0.5}, 1.1, shaped=True)
    assert board.seen() == [(12, 0.08125)]
    driver.drive("", STILL, 2.0)
    assert board.seen() == [(5, 0), (12, 0.075)]
    run(driver, 2.0 + STRAIGHTEN_S)
    assert (board.seen(), driver.deadline_s) == ([(12, 0)], inf)


def test_steering_inverted_and_off_the_middle() -> None:
    board = FakeBoard()
    _, driver = opened({**TRUCK, "steering": {"pin": 12, "center": 10, "inverted": True}}, board)
    for x, angle in ((0.0, 10), (1.0, 30), (-1.0, -30), (0.5, 20), (-0.5, -10)):
        driver.drive("", {"x": x, "y": 1.0}, 1.0)
        assert board.levels[12] == pytest.approx((1.5 - angle / 180) / 20, abs=1e-6)
