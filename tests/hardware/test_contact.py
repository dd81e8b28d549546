"""A contact whose line debounces itself, breaks or goes away; debouncing as such is in test_debounce.py."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.contact import Contact
from pimqtt_agent.hardware.debounce import Change
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pull
from tests.fakes import FakeBoard, FakeInput, FakeReport, opened

KINDS: list[dict[str, Any]] = [{"kind": "binary_sensor", "pin": 22}, {"kind": "button", "pin": 22, "pull": "down"}]


class DebouncingBoard(FakeBoard):
    """As the kernel: edges come when they lasted."""

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> FakeInput:
        return super().input(line, pull, on_edge, 0 * debounce_s)


def test_what_the_line_debounces_is_not_debounced_again() -> None:
    board, told = DebouncingBoard(), list[Change | None]()
    contact = Contact(board, 22, "down", 0.02, lambda change, _now: told.append(change))
    board.edge(22, 1, 1.0)
    assert (told, contact.level, contact.deadline_s) == ([Change(1, 1.0)], 1, inf)
    board.edge(22, 1, 1.1)  # the edge between was lost
    board.edge(22, 0, 1.2)
    assert told[1:] == [None, Change(0, 1.2)]


def test_a_long_press_is_as_long_as_it_was_where_both_its_edges_come_late() -> None:
    """The kernel tells each edge when it counts: 20 ms later, both of them."""
    report = FakeReport()
    board = DebouncingBoard()
    _, driver = opened({"kind": "button", "pin": 22, "pull": "down", "long": 0.8, "double": 0}, board, report)
    board.edge(22, 1, 1.02)  # down at 1.0
    assert driver.deadline_s == 1.82
    driver.tick(1.8)
    board.edge(22, 0, 1.81)  # up at 1.79
    driver.tick(2.5)
    assert [event["event_type"] for event in report.events] == ["press"]


def test_a_line_that_breaks_while_it_is_claimed_is_given_back() -> None:
    board = FakeBoard()

    class Broken(FakeInput):
        def get(self) -> int:
            raise HardwareError("line 22 can't be read")

    board.input = lambda line, pull, on_edge, debounce_s=0.0: (  # type: ignore[method-assign]
        FakeBoard.input(board, line, pull, on_edge, debounce_s) and Broken(board, line, debounce_s)
    )
    with pytest.raises(HardwareError, match="can't be read"):
        Contact(board, 22, "down", 0.02, lambda _change, _now: None)
    assert board.claimed == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_whose_line_goes_away_fails_at_once(kind: dict[str, Any]) -> None:
    board, report = FakeBoard(), FakeReport()
    _, driver = opened(kind, board, report)
    board.edge(22, 1, 1.0)  # what was pending is forgotten
    board.lose(22, 1.01)
    assert driver.deadline_s == -inf
    with pytest.raises(HardwareError, match="line 22 is broken"):
        driver.tick(1.02)
    driver.close()
    assert (report.states, report.events, board.claimed) == ([], [], set())
