"""`binary_sensor`: what on means, and that each change is told once."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from pydantic import ValidationError

from pimqtt_agent.devices.binary_sensor import BinarySensor
from tests.fakes import FakeBoard, FakeReport, opened

DOOR: dict[str, Any] = {"kind": "binary_sensor", "pin": 22, "pull": "up", "device_class": "door", "debounce": 0.02}


def test_its_declaration() -> None:
    device = BinarySensor.model_validate({"id": "door", **DOOR, "icon": "mdi:door"})
    (entity,) = device.entities()
    assert entity.options() == {"device_class": "door", "icon": "mdi:door"}
    assert [entity.encode(value) for value in (True, False, None)] == ["ON", "OFF", "None"]
    assert list(device.lines()) == [("pin", 22)]


@pytest.mark.parametrize("wrong", [{"device_class": "dor"}, {"pull": "left"}, {"debounce": -1}, {"safe": "on"}])
def test_mistakes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BinarySensor.model_validate({"id": "door", **DOOR, **wrong})


@pytest.mark.parametrize(
    ("level", "inverted", "on"), [(1, False, True), (0, False, False), (1, True, False), (0, True, True)]
)
def test_high_is_on_from_the_first_reading(level: int, inverted: object, on: object) -> None:
    board, report = FakeBoard(), FakeReport()
    board.inputs[22] = level
    _, driver = opened({**DOOR, "inverted": inverted}, board, report)
    assert driver.state("") is on
    assert (board.pulls, report.states) == ({22: "up"}, [])


def test_a_change_is_told_once_when_it_lasted() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(DOOR, board, report)
    for level, at_s in ((0, 1.0), (1, 1.005), (0, 1.01)):
        board.edge(22, level, at_s)
    assert (driver.deadline_s, driver.state("")) == (1.03, True)
    driver.tick(1.02)
    assert report.states == []
    driver.tick(1.03)
    driver.tick(1.04)
    assert (report.states, driver.state(""), driver.deadline_s) == ([("", False)], False, inf)


def test_a_glitch_is_not_told() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(DOOR, board, report)
    board.edge(22, 0, 1.0)
    board.edge(22, 1, 1.01)
    driver.tick(2.0)
    assert (report.states, driver.deadline_s) == ([], inf)


def test_edges_of_a_stall_are_all_told() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(DOOR, board, report)
    board.edge(22, 0, 1.0)
    board.edge(22, 1, 2.0)
    driver.tick(2.5)
    assert report.states == [("", False), ("", True)]


def test_without_debouncing_it_is_told_at_once() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened({**DOOR, "debounce": 0}, board, report)
    board.edge(22, 0, 1.0)
    assert (report.states, driver.deadline_s) == ([("", False)], inf)
    driver.close()
    assert board.claimed == set()
