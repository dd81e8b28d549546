"""A ramp, in any history: it is never faster than its rate, and never jumps over zero."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimqtt_agent.hardware.ramp import LONGEST_STEP_S, STEP_S, Ramp

SPEED = st.floats(-1, 1)


def test_without_a_rate_it_is_there_at_once() -> None:
    ramp = Ramp(None, stop_at_zero=True)
    ramp.to(0.5, 10)
    ramp.to(-0.5, 10.001)
    assert (ramp.value, ramp.deadline_s) == (-0.5, inf)


def test_it_starts_with_the_command_and_takes_its_time() -> None:
    ramp = Ramp(1.0)
    ramp.to(1.0, 10)
    assert ramp.value == pytest.approx(LONGEST_STEP_S)
    while ramp.deadline_s < inf:
        ramp.step(ramp.deadline_s)
        now = ramp.value
    assert now == 1.0


def test_a_reversal_rests_at_zero_for_one_step() -> None:
    ramp = Ramp(10.0, stop_at_zero=True)
    ramp.jump(0.3, 0)
    ramp.to(-0.3, 1)
    values = [ramp.value]
    for step in range(1, 5):
        ramp.step(1 + step * STEP_S)
        values.append(ramp.value)
    assert values == pytest.approx([0.0, -0.2, -0.3, -0.3, -0.3])


@given(st.floats(0.1, 10), st.lists(st.tuples(st.floats(0, 0.5), SPEED, st.booleans()), max_size=40))
def test_it_is_never_faster_than_its_rate(rate: float, history: list[tuple[float, float, bool]]) -> None:
    ramp, now, last = Ramp(rate, stop_at_zero=True), 100.0, 0.0
    for wait_s, target, retarget in history:
        before, now = ramp.value, now + wait_s
        if retarget:
            ramp.to(target, now)
        else:
            ramp.step(now)
        elapsed_s, last = min(now - last, LONGEST_STEP_S), now
        assert abs(ramp.value - before) <= rate * elapsed_s + 1e-9
        assert before * ramp.value >= 0
        assert (ramp.deadline_s == inf) == (ramp.value == ramp.target)


@given(st.floats(0.1, 10), SPEED, SPEED)
def test_it_arrives_in_time(rate: float, start: float, target: float) -> None:
    ramp = Ramp(rate)
    ramp.jump(start, 0)
    ramp.to(target, 5)
    now = 5.0
    while ramp.deadline_s < inf:
        now = ramp.deadline_s
        ramp.step(now)
    assert ramp.value == target
    assert now - 5 <= abs(target - start) / rate + STEP_S
