"""An H-bridge, by the levels that its lines see."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.hbridge import PhaseEnable, TwoPwm, Wheel
from pimqtt_agent.hardware.protocols import Line
from tests.fakes import FakeBoard

F, B = 5, 6
HISTORY = st.lists(
    st.tuples(
        st.integers(0, 300).map(lambda ms: ms / 1000), st.integers(-20, 20).map(lambda part: part / 20), st.booleans()
    ),
    max_size=30,
)


def test_it_is_claimed_low() -> None:
    board = FakeBoard()
    TwoPwm(board, F, B, 200, brake=True)
    assert board.seen() == [(F, 0), (B, 0)]
    assert board.frequencies == {F: 200, B: 200}


def test_the_line_that_goes_low_does_so_first() -> None:
    board = FakeBoard()
    bridge = TwoPwm(board, F, B, 200, brake=False)
    board.seen()
    bridge.set(0.5)
    assert board.seen() == [(F, 0.5)]
    bridge.set(-0.4)
    assert board.seen() == [(F, 0), (B, 0.4)]
    bridge.set(0.3)
    assert board.seen() == [(B, 0), (F, 0.3)]
    bridge.stop()
    bridge.stop()
    assert board.seen() == [(F, 0)]


def test_a_brake_raises_the_driven_line_first_and_one_change_each() -> None:
    board = FakeBoard()
    bridge = TwoPwm(board, F, B, 200, brake=True)
    bridge.stop()
    assert board.levels == {F: 0, B: 0}  # what stands is not jerked
    bridge.set(-0.5)
    board.seen()
    bridge.stop()
    bridge.stop()
    assert board.seen() == [(B, 1), (F, 1)]
    bridge.set(0.5)
    assert board.seen() == [(B, 0), (F, 0.5)]


def test_the_phase_changes_while_it_is_disabled() -> None:
    board = FakeBoard()
    bridge = PhaseEnable(board, 3, 4, 200)
    assert board.seen() == [(4, 0), (3, 0)]
    bridge.set(0.5)
    bridge.set(-0.5)
    bridge.stop()
    assert board.seen() == [(4, 0.5), (4, 0), (3, 1), (4, 0.5), (4, 0)]


@pytest.mark.parametrize("broken", [F, B])
def test_one_broken_line_does_not_keep_the_other_from_stopping(broken: int) -> None:
    board = FakeBoard()
    bridge = TwoPwm(board, F, B, 200, brake=True)
    bridge.set(0.5)
    bridge.stop()
    board.broken.add(broken)
    with pytest.raises(HardwareError):
        bridge.set(0.0)
    assert board.levels[F + B - broken] == 0
    board.broken.clear()
    bridge.set(0.0)
    assert board.levels == {F: 0, B: 0}


@pytest.mark.parametrize("broken", [F, B])
def test_what_could_not_be_claimed_whole_is_given_back(broken: int) -> None:
    board = FakeBoard()
    board.broken.add(broken)
    with pytest.raises(HardwareError):
        TwoPwm(board, F, B, 200, brake=False)
    with pytest.raises(HardwareError):
        PhaseEnable(board, F, B, 200)
    assert board.claimed == set()


def test_closing_stops_what_moves() -> None:
    board = FakeBoard()
    bridge = TwoPwm(board, F, B, 200, brake=False)
    bridge.set(1.0)
    bridge.close()
    assert (board.levels, board.claimed) == ({F: 0, B: 0}, set())


def test_the_dead_band_and_the_sign() -> None:
    board = FakeBoard()
    wheel = Wheel(TwoPwm(board, F, B, 200, brake=False), inverted=True, dead_band=0.4)
    wheel.to(0.5, 0, shaped=True)
    assert board.levels == {F: 0, B: 0.7}
    wheel.to(-1.0, 0, shaped=True)
    assert board.levels == {F: 1, B: 0}


def test_a_lower_limit_acts_at_once_and_a_higher_one_by_the_ramp() -> None:
    board = FakeBoard()
    wheel = Wheel(TwoPwm(board, F, B, 200, brake=False), 1.0)
    wheel.to(0.8, 0, shaped=False)
    wheel.scale(0.2, 1)
    assert board.levels[F] == 0.2
    wheel.scale(0.8, 2)
    assert 0.2 < board.levels[F] < 0.3


@given(HISTORY, st.sampled_from(["coast", "brake"]), st.sampled_from([None, 0.5, 5.0]))
def test_never_both_high_but_to_brake(history: list[tuple[float, float, bool]], stop: str, rate: float | None) -> None:
    board, now = FakeBoard(), 0.0
    wheel = Wheel(TwoPwm(board, F, B, 200, brake=stop == "brake"), rate)
    levels: dict[Line, float] = {F: 0.0, B: 0.0}
    target = 0.0
    for wait_s, speed, shaped in history:
        end = now + wait_s
        while wheel.deadline_s <= end:
            now = wheel.deadline_s
            wheel.tick(now)
        now, target = end, speed
        wheel.to(speed, now, shaped=shaped)
        if not shaped or not speed:  # at once
            assert wheel.deadline_s > now + 1e9
    changes = board.seen()
    for line, level in changes:
        before = dict(levels)
        levels[line] = level
        if levels[F] and levels[B]:
            assert stop == "brake"
            assert level == 1.0
            assert max(before.values()) > 0
    for each in (F, B):
        assert all(before != after for before, after in pairwise(level for line, level in changes if line == each))
    if not target and stop == "coast":
        assert board.levels == {F: 0, B: 0}
