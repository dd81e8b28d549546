"""`button`: what presses mean, in any history."""

from __future__ import annotations

from itertools import accumulate
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pimqtt_agent.devices.button import Presses, PushButton
from tests.fakes import FakeBoard, FakeReport, opened, run

BELL: dict[str, Any] = {"kind": "button", "pin": 25}
LONG_MS, DOUBLE_MS = 800, 350


def told(edges: list[float], long_s: float = 0.8, double_s: float = 0.35) -> list[str]:
    """Press and let go at these times, and wait."""
    presses, result = Presses(long_s, double_s), []
    for count, at_s in enumerate(edges):
        result += presses.edge(at_s, down=count % 2 == 0)
    return result + presses.tick(1e9)


@pytest.mark.parametrize(
    ("edges", "events"),
    [
        ([0, 0.1], ["press"]),
        ([0, 0.1, 0.3, 0.4], ["double"]),
        ([0, 0.1, 0.5, 0.6], ["press", "press"]),
        ([0, 0.1, 0.3, 0.4, 0.5, 0.6], ["double", "press"]),
        ([0, 0.9], ["long"]),
        ([0], ["long"]),
        ([0, 0.1, 0.3, 5], ["double"]),
        ([0, 0.9, 1.0, 1.1], ["long", "press"]),
    ],
)
def test_what_presses_mean(edges: list[float], events: list[str]) -> None:
    assert told(edges) == events


def test_what_is_switched_off_is_not_waited_for() -> None:
    presses = Presses(0.8, 0)
    assert presses.edge(0, down=True) == []
    assert presses.edge(0.1, down=False) == ["press"]
    presses = Presses(0, 0)
    assert presses.edge(0, down=True) == ["press"]
    assert (presses.edge(9, down=False), presses.deadline_s) == ([], inf)
    assert told([0, 9, 9.1, 9.2], long_s=0) == ["double"]


def test_what_is_told_is_told_as_soon_as_it_is_known() -> None:
    presses = Presses(0.8, 0.35)
    presses.edge(1, down=True)
    assert presses.deadline_s == 1.8
    assert presses.tick(1.79) == []
    assert presses.tick(1.8) == ["long"]
    presses.edge(2, down=False)
    presses.edge(3, down=True)
    presses.edge(3.1, down=False)
    assert presses.deadline_s == pytest.approx(3.45)
    assert presses.edge(3.2, down=True) == ["double"]


@given(
    st.lists(st.integers(1, 1500), max_size=30),
    st.lists(st.integers(0, 30_000), max_size=20),
    st.sampled_from([0, LONG_MS]),
    st.sampled_from([0, DOUBLE_MS]),
)
def test_no_press_is_lost_or_told_twice(gaps: list[int], ticks: list[int], long_ms: int, double_ms: int) -> None:
    edges = list(accumulate(gaps))
    presses, events = Presses(long_ms, double_ms), []
    moments = [(at_ms, count % 2 == 0) for count, at_ms in enumerate(edges)] + [(at_ms, None) for at_ms in ticks]
    for at_ms, down in sorted(moments, key=lambda moment: (moment[0], moment[1] is None)):
        events += presses.tick(at_ms) if down is None else presses.edge(at_ms, down=down)
    if len(edges) % 2:
        events += presses.edge(10**6, down=False)
    events += presses.tick(10**7)
    assert events == told([*edges, *([10**6] if len(edges) % 2 else [])], long_ms, double_ms)
    weights = {"press": 1, "long": 1, "double": 2}
    assert sum(weights[event] for event in events) == (len(edges) + 1) // 2
    assert long_ms or "long" not in events
    assert double_ms or "double" not in events


def test_its_declaration() -> None:
    device = PushButton.model_validate({"id": "bell", **BELL})
    (entity,) = device.entities()
    assert entity.options() == {"device_class": "button", "event_types": ("press", "double", "long")}
    assert not entity.retained
    (entity,) = PushButton.model_validate({"id": "bell", **BELL, "double": 0, "long": 0}).entities()
    assert entity.options()["event_types"] == ("press",)
    with pytest.raises(ValidationError):
        PushButton.model_validate({"id": "bell", **BELL, "double": -1})


@pytest.mark.parametrize(
    ("options", "idle"),
    [
        ({}, 1),
        ({"pull": "down"}, 0),
        ({"pull": "none"}, 0),
        ({"inverted": True}, 0),
        ({"pull": "down", "inverted": True}, 1),
    ],
)
def test_a_press_is_debounced_and_told(options: dict[str, Any], idle: int) -> None:
    board, report = FakeBoard(), FakeReport()
    board.inputs[25] = idle
    _, driver = opened({**BELL, **options}, board, report)
    assert (driver.state(""), driver.deadline_s) == (None, inf)
    for level, at_s in ((1 - idle, 1.0), (idle, 1.002), (1 - idle, 1.004)):
        board.edge(25, level, at_s)
    run(driver, 1.1)
    board.edge(25, idle, 1.1)
    run(driver, 1.4)
    assert report.events == []
    run(driver, 2)
    assert (report.events, driver.deadline_s) == ([{"event_type": "press"}], inf)
    driver.close()
    assert board.claimed == set()


def test_long_is_told_while_it_is_held() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(BELL, board, report)
    board.edge(25, 0, 1.0)
    run(driver, 1.79)
    assert report.events == []
    run(driver, 1.81)
    assert report.events == [{"event_type": "long"}]
    board.edge(25, 1, 3.0)
    run(driver, 9)
    assert len(report.events) == 1


def test_held_at_the_start_tells_nothing() -> None:
    board, report = FakeBoard(), FakeReport()
    board.inputs[25] = 0
    _, driver = opened(BELL, board, report)
    run(driver, 5)
    board.edge(25, 1, 5.0)
    run(driver, 9)
    assert report.events == []
    board.edge(25, 0, 9.0)
    run(driver, 9.1)
    board.edge(25, 1, 9.1)
    run(driver, 10)
    assert report.events == [{"event_type": "press"}]


def test_a_second_press_within_the_window_counts_though_it_is_known_later() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(BELL, board, report)
    board.edge(25, 0, 1.0)
    run(driver, 1.1)
    board.edge(25, 1, 1.1)
    run(driver, 1.44)
    board.edge(25, 0, 1.44)  # the window ends at 1.45, the second press is certain at 1.46
    run(driver, 2)
    assert report.events == [{"event_type": "double"}]


def test_edges_of_a_stall_are_understood_by_their_times() -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(BELL, board, report)
    for level, at_s in ((0, 1.0), (1, 1.1), (0, 2.0), (1, 3.0)):
        board.edge(25, level, at_s)
    run(driver, 5)
    assert [event["event_type"] for event in report.events] == ["press", "long"]
