"""`light`: Home Assistant's JSON, strictly; and what its lines see."""

from __future__ import annotations

import json
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pimqtt_agent.devices.light import Light, LightEntity
from pimqtt_agent.errors import CommandError, HardwareError
from pimqtt_agent.rules import Motion
from tests.fakes import FakeBoard, opened, run

LAMP: dict[str, Any] = {"kind": "light", "pin": 18}
STRIP: dict[str, Any] = {"kind": "light", "rgb": {"red": 5, "green": 6, "blue": 13}}
OFF = {"on": False}
FULL = {"on": True, "brightness": 255}
BYTE = st.integers(0, 255)
ON = st.fixed_dictionaries({"on": st.just(value=True), "brightness": st.integers(1, 255)})
COLOURED = st.fixed_dictionaries(
    {"on": st.just(value=True), "brightness": st.integers(1, 255), "rgb": st.lists(BYTE, min_size=3, max_size=3)}
)


def on(brightness: int) -> dict[str, Any]:
    return {"on": True, "brightness": brightness}


def lamp(**options: Any) -> Light:
    return Light.model_validate({"id": "lamp", **LAMP, **options})


def entity(device: Light) -> LightEntity:
    (light,) = device.entities()
    assert isinstance(light, LightEntity)
    return light


def strip() -> LightEntity:
    return entity(Light.model_validate({"id": "strip", **STRIP}))


@given(st.just(OFF) | ON)
def test_what_it_writes_it_reads(value: dict[str, Any]) -> None:
    light = entity(lamp())
    message = json.loads(light.encode(value))
    assert message.pop("color_mode", "brightness") == "brightness"
    assert light.decode(message) == (value, None)


@given(st.just(OFF) | COLOURED)
def test_what_it_writes_it_reads_in_colour(value: dict[str, Any]) -> None:
    light = strip()
    message = json.loads(light.encode(value))
    assert message.pop("color_mode", "rgb") == "rgb"
    assert light.decode(message, {"on": True, "brightness": 1, "rgb": [1, 2, 3]}) == (value, None)


def test_what_home_assistant_sends() -> None:
    light, last = strip(), {"on": True, "brightness": 7, "rgb": [1, 2, 3]}
    assert light.decode({"state": "ON"}, last) == (last, None)
    assert light.decode({"state": "ON", "brightness": 9}, last)[0] == {**last, "brightness": 9}
    assert light.decode({"state": "ON", "color": {"r": 0, "g": 255, "b": 0}}, last)[0] == {**last, "rgb": [0, 255, 0]}
    assert light.decode({"state": "ON", "transition": 1.5}, last) == (last, 1.5)
    assert light.decode({"state": "OFF", "transition": 2}, last) == (OFF, 2)


def test_plain_words_and_what_is_left_open() -> None:
    assert entity(lamp()).decode("OFF") == (OFF, None)
    assert entity(lamp()).decode("ON") == (FULL, None)
    assert entity(lamp()).decode("ON", OFF) == (FULL, None)
    assert entity(lamp()).decode("ON", on(3)) == (on(3), None)
    assert strip().decode("ON", OFF) == ({**FULL, "rgb": [255, 255, 255]}, None)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("on", "invalid"),
        ("", "invalid"),
        (1.0, "invalid"),
        ({}, "invalid"),
        ({"brightness": 5}, "invalid"),
        ({"state": True}, "invalid"),
        ({"state": ["ON"]}, "invalid"),
        ({"state": "ON", "brightness": 12.5}, "invalid"),
        ({"state": "ON", "brightness": True}, "invalid"),
        ({"state": "ON", "brightness": "12"}, "invalid"),
        ({"state": "ON", "brightness": None}, "invalid"),
        ({"state": "ON", "transition": "1"}, "invalid"),
        ({"state": "ON", "transition": None}, "invalid"),
        ({"state": "ON", "transition": -1, "brightness": "x"}, "invalid"),
        ({"state": "ON", "flash": 2}, "invalid"),
        ({"state": "OFF", "brightness": 5}, "invalid"),
        ({"state": "ON", "color": {"r": 1, "g": 2}}, "invalid"),
        ({"state": "ON", "color": {"r": 1, "g": 2, "b": 3, "w": 4}}, "invalid"),
        ({"state": "ON", "color": {"r": 256, "g": 2, "b": 3.0}}, "invalid"),
        ({"state": "ON", "color": {"r": 256, "g": 2, "b": 3}}, "out_of_range"),
        ({"state": "ON", "brightness": 0}, "out_of_range"),
        ({"state": "ON", "brightness": 256}, "out_of_range"),
        ({"state": "ON", "transition": -1}, "out_of_range"),
        ({"state": "ON", "transition": 1e9}, "out_of_range"),
    ],
)
def test_what_it_refuses(raw: object, code: str) -> None:
    with pytest.raises(CommandError) as refusal:
        strip().decode(raw)
    assert refusal.value.code == code


def test_a_lamp_has_no_colour() -> None:
    with pytest.raises(CommandError, match="'color': ON takes brightness, state, transition here"):
        entity(lamp()).decode({"state": "ON", "color": {"r": 1, "g": 2, "b": 3}})


def test_discovery() -> None:
    assert entity(lamp(icon="mdi:lamp")).options() == {
        "icon": "mdi:lamp",
        "schema": "json",
        "supported_color_modes": ("brightness",),
        "brightness": True,
        "brightness_scale": 255,
        "transition": True,
        "flash": False,
    }
    assert strip().supported_color_modes == ("rgb",)


def test_lines_have_two_forms() -> None:
    assert list(lamp().lines()) == [("pin", 18)]
    device = Light.model_validate({"id": "strip", **STRIP})
    assert list(device.lines()) == [("rgb.red", 5), ("rgb.green", 6), ("rgb.blue", 13)]
    for lines in ({}, {**LAMP, **STRIP}):
        with pytest.raises(ValidationError, match="a light needs pin, or rgb"):
            Light.model_validate({"id": "lamp", "kind": "light", **lines})


@pytest.mark.parametrize(
    ("raw", "value"),
    [(True, FULL), ("off", OFF), ({"brightness": 5}, on(5)), ({"on": True, "brightness": 5}, on(5)), (OFF, OFF)],
)
def test_levels_of_the_configuration(raw: object, value: object) -> None:
    assert lamp(initial=raw).rules().initial == value


@pytest.mark.parametrize(
    "raw",
    [
        5,
        "dim",
        {},
        {"on": True},
        {"brightness": 0},
        {"brightness": 1.5},
        {"brightness": True},
        {"brightness": 1, "r": 2},
    ],
)
def test_levels_that_are_none(raw: object) -> None:
    with pytest.raises(ValidationError, match="is not on"):
        lamp(initial=raw)


def test_it_is_a_level() -> None:
    rules = lamp(initial="last", on_stop="keep", on_disconnect={"after": 5, "value": {"brightness": 9}}).rules()
    assert (rules.motion, rules.safe, rules.initial, rules.on_stop) == (Motion.LEVEL, OFF, "last", "keep")
    assert rules.on_disconnect
    assert rules.on_disconnect.value == on(9)
    assert rules.is_on(on(1))
    assert not rules.is_on(OFF)


def test_a_coloured_level_is_white() -> None:
    options = {"initial": "on", "on_disconnect": {"after": 5, "value": "on"}}
    rules = Light.model_validate({"id": "strip", **STRIP, **options}).rules()
    white = {**FULL, "rgb": [255, 255, 255]}
    assert rules.on_disconnect
    assert (rules.initial, rules.on_disconnect.value, rules.safe) == (white, white, OFF)


def test_it_starts_at_its_first_level_and_changes_once() -> None:
    board = FakeBoard()
    _, driver = opened({**LAMP, "initial": {"brightness": 51}, "frequency": 800}, board)
    assert (board.seen(), board.frequencies, driver.state("")) == ([(18, 0.2)], {18: 800}, on(51))
    driver.drive("", FULL, 1.0, shaped=True)
    driver.drive("", FULL, 1.1, shaped=True)
    driver.drive("", OFF, 1.2)
    assert (board.seen(), driver.state(""), driver.deadline_s) == ([(18, 1), (18, 0)], OFF, inf)
    driver.close()
    assert (board.seen(), board.claimed) == ([], set())


def test_active_low_and_gamma() -> None:
    board = FakeBoard()
    _, driver = opened({**LAMP, "active_low": True, "gamma": 2}, board)
    driver.drive("", on(51), 1.0)
    driver.drive("", FULL, 1.1)
    assert board.seen() == [(18, 1), (18, 0.96), (18, 0)]


def test_colours_are_dimmed() -> None:
    board = FakeBoard()
    _, driver = opened(STRIP, board)
    board.seen()
    driver.drive("", {"on": True, "brightness": 51, "rgb": [255, 0, 51]}, 1.0, shaped=True)
    assert sorted(board.seen()) == [(5, 0.2), (13, 0.04)]


def test_a_transition_takes_its_time_and_only_rises() -> None:
    board = FakeBoard()
    _, driver = opened({**LAMP, "transition": 1}, board)
    board.seen()
    driver.drive("", FULL, 1.0, shaped=True)
    run(driver, 1.5)
    assert board.levels[18] == pytest.approx(0.5, abs=0.03)
    assert driver.state("") == FULL
    run(driver, 2.0)
    levels = [level for _, level in board.seen()]
    assert levels == sorted(set(levels))
    assert (levels[0] > 0, levels[-1], driver.deadline_s) == (True, 1, inf)


def test_a_commands_own_transition_and_the_next_command_cut_it() -> None:
    board = FakeBoard()
    _, driver = opened({**LAMP, "transition": 1}, board)
    driver.drive("", FULL, 1.0, shaped=True, transition_s=0.0)
    assert board.levels[18] == 1
    driver.drive("", on(1), 2.0, shaped=True, transition_s=10)
    run(driver, 7.0)
    assert board.levels[18] == pytest.approx(0.5, abs=0.02)
    driver.drive("", FULL, 7.0, shaped=True)
    assert board.levels[18] < 0.6
    run(driver, 8.1)
    assert board.levels[18] == 1


@pytest.mark.parametrize("value", [OFF, on(99)])
def test_what_is_no_command_is_at_once(value: dict[str, Any]) -> None:
    board = FakeBoard()
    _, driver = opened({**LAMP, "transition": 5}, board)
    driver.drive("", FULL, 1.0, shaped=True)
    run(driver, 2)
    driver.drive("", value, 2.0, transition_s=5)
    assert board.levels[18] == pytest.approx(value.get("brightness", 0) / 255, abs=1e-6)
    assert driver.deadline_s == inf


def test_a_long_transition_is_cheap() -> None:
    board = FakeBoard()
    _, driver = opened(LAMP, board)
    driver.drive("", FULL, 0.0, shaped=True, transition_s=3600)
    run(driver, 4000)
    assert len(board.seen()) < 2100
    assert board.levels[18] == 1


def test_one_broken_line_does_not_keep_the_others_from_going_off() -> None:
    board = FakeBoard()
    _, driver = opened(STRIP, board)
    driver.drive("", {**FULL, "rgb": [255, 255, 255]}, 1.0)
    board.broken.add(6)
    with pytest.raises(HardwareError):
        driver.drive("", OFF, 2.0)
    assert (board.levels[5], board.levels[13]) == (0, 0)


def test_what_could_not_be_claimed_whole_is_given_back() -> None:
    board = FakeBoard()
    board.broken.add(13)
    with pytest.raises(HardwareError):
        opened(STRIP, board)
    assert board.claimed == set()
