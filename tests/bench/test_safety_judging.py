"""The judge of the fault matrix, on made-up traces: what is late or moves is found, what is right is not blamed."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import pytest

from benchmarks.safety.judging import Change, Facts, Finding, judge
from benchmarks.safety.promises import (
    AGENT_REPLACED,
    BAD_LINK,
    CONFINED,
    CONFINED_PULLED,
    CUT_OFF,
    KEEPER_LOST,
    KEEPER_LOST_PULLED,
    LEASES,
    STOPPED,
    Anchor,
    Expected,
)

S = 10**9
ARMED, FAULT, END = 10 * S, 11 * S, 15 * S
#: The last renewal 50 ms before the fault, the pump 1 s before.
ANCHORS: Mapping[Anchor, int] = {
    "fault": FAULT, "renewal": FAULT - S // 20, "command": FAULT - S, "proof": FAULT - S // 20,
}  # fmt: skip
DEADLINE, PUMP_DEADLINE = FAULT + 45 * S // 100, FAULT + S
GOOD: dict[int, list[Change]] = {
    **{pin: [(S, 0.0), (ARMED + 1, 0.3), (FAULT - S // 25, 0.31), (DEADLINE + S // 500, 0.0)] for pin in (5, 13, 23)},
    **{pin: [(S, 0.0)] for pin in (6, 19, 24)},
    17: [(S, 0.0), (ARMED + S // 10, 1.0), (PUMP_DEADLINE + S // 1000, 0.0)],
    27: [(S, 0.0), (2 * S, 1.0)],
    22: [(S, 0.0), (2 * S, 1.0)],
}  # fmt: skip


def found(expected: Expected = LEASES, *, steady: bool = True, **changed: list[Change]) -> dict[int, Finding]:
    """Judge the good trial with some pins changed (``p5``)."""
    seen = {**GOOD, **{int(name[1:]): rows for name, rows in changed.items()}}
    return {f.pin: f for f in judge(seen, expected, Facts(ARMED, END, ANCHORS, steady))}


def test_a_good_trial_is_in_time_and_nothing_moved() -> None:
    findings = found()
    assert {pin: f.late_s for pin, f in findings.items() if f.late_s is not None} == pytest.approx(
        {5: 0.002, 13: 0.002, 23: 0.002, 17: 0.001}
    )
    assert not any(f.moved for f in findings.values())


def test_a_late_pin_is_late_and_one_that_stays_is_never_safe() -> None:
    on = GOOD[5][:-1]
    assert found(p5=[*on, (DEADLINE + S // 10, 0.0)])[5].late_s == pytest.approx(0.1)
    assert found(p5=on)[5].late_s == inf
    assert found(p5=[*on, (END + 1, 0.0)])[5].late_s == inf, "what came after the trial does not count"


def test_a_lease_that_ends_too_early_has_moved() -> None:
    (moved,) = found(p17=[*GOOD[17][:-1], (PUMP_DEADLINE - S // 10, 0.0)])[17].moved
    assert moved == "fell 0.100 s too early"


def test_what_rests_and_changes_has_moved_whether_before_or_after_the_fault() -> None:
    for at_ns in (ARMED + 1, END - 1):
        assert found(p22=[*GOOD[22], (at_ns, 0.0)])[22].moved
        assert found(p6=[*GOOD[6], (at_ns, 0.2)])[6].moved
    assert not found(p22=[*GOOD[22], (END + 1, 0.0)])[22].moved
    assert not found(p22=[(ARMED - 1, 1.0)])[22].moved


def test_what_starts_again_after_it_was_safe_has_moved() -> None:
    again = found(p13=[*GOOD[13], (END - S, 0.4), (END - S // 2, 0.0)])[13]
    assert again.moved == ("went to 0.4 at +3.000 s",)


def test_a_twitch_while_it_is_driven_has_moved_and_so_has_what_was_not_on() -> None:
    driven = GOOD[5]
    assert found(p5=[*driven[:2], (ARMED + S // 2, 0.0), *driven[2:]])[5].moved
    assert found(p5=GOOD[6])[5].moved


def test_the_last_sign_of_life_begins_the_delay_of_a_lost_controller() -> None:
    fallen = found(CUT_OFF, p27=[*GOOD[27], (ANCHORS["proof"] + S + S // 100, 0.0)])[27]
    assert fallen.late_s == pytest.approx(0.01)
    assert not fallen.moved
    assert found(CUT_OFF)[27].late_s == inf
    assert found(CUT_OFF, p27=[*GOOD[27], (FAULT + S // 2, 0.0)])[27].moved


def test_an_agent_that_is_back_in_time_and_one_that_is_not() -> None:
    assert found(AGENT_REPLACED)[27].late_s is None
    assert not found(AGENT_REPLACED, p27=[*GOOD[27], (FAULT + S, 0.0)])[27].moved
    assert found(AGENT_REPLACED, p27=[*GOOD[27], (FAULT + S // 3, 0.0)])[27].moved


def test_a_node_with_little_time_may_hear_nothing_for_so_long_that_the_heater_goes_off_and_the_lamp_may_not() -> None:
    lapsed: list[Change] = [*GOOD[27], (FAULT + 8 * S // 10, 0.0)]
    assert found(CONFINED)[27].late_s is None
    assert not found(CONFINED, p27=lapsed)[27].moved
    assert found(CONFINED, p27=[*GOOD[27], (FAULT + S // 3, 0.0)])[27].moved
    assert found(CONFINED, p22=[*GOOD[22], (FAULT + 8 * S // 10, 0.0)])[22].moved
    gone = found(CONFINED_PULLED, p27=lapsed, p22=[*GOOD[22], (FAULT + S // 10, 0.0)])
    assert (gone[27].late_s, gone[22].late_s) == (None, inf)
    again = [*lapsed, (FAULT + 9 * S // 10, 1.0), (FAULT + S, 0.0), (FAULT + 2 * S, 1.0), (FAULT + 3 * S, 0.0)]
    assert found(CONFINED_PULLED, p27=again)[27].moved
    back = found(CONFINED_PULLED, p27=[*lapsed, (FAULT + 9 * S // 10, 1.0)])[27]
    assert back.late_s == pytest.approx(-0.1)


def test_a_stop_counts_from_when_it_was_written() -> None:
    stopped: list[Change] = [*GOOD[5][:-1], (FAULT + S // 250, 0.0)]
    assert found(STOPPED, p5=stopped, p13=stopped, p23=stopped)[5].late_s == pytest.approx(0.004)
    assert found(STOPPED)[5].late_s == pytest.approx(0.452)
    assert found(STOPPED, p5=[*stopped, (FAULT + S // 10, 0.5), (DEADLINE, 0.0)])[5].moved


def test_a_keeper_that_is_replaced_may_let_lines_fall_where_the_kernel_does_and_must_bring_them_back() -> None:
    dips: list[Change] = [*GOOD[22], (FAULT + S // 10, 0.0), (FAULT + S // 10 + 50_000, 1.0)]
    assert found(KEEPER_LOST, p22=dips)[22].moved
    assert found(KEEPER_LOST_PULLED, p22=dips)[22].late_s == pytest.approx(-0.9, abs=0.001)
    assert not found(KEEPER_LOST_PULLED, p22=dips)[22].moved
    assert found(KEEPER_LOST_PULLED, p22=dips[:-1])[22].late_s == inf
    assert found(KEEPER_LOST_PULLED, p22=[*dips, (END - 2, 0.0), (END - 1, 1.0)])[22].moved
    late = found(KEEPER_LOST, p5=[*GOOD[5][:-1], (FAULT + 2 * S, 0.0)])[5]
    assert late.late_s == pytest.approx(1)


def test_on_a_bad_link_only_the_end_counts_and_silence_explains_a_fall() -> None:
    lapsed: list[Change] = [*GOOD[5][:2], (FAULT - S // 2, 0.0), (FAULT - S // 4, 0.35), (DEADLINE + S // 100, 0.0)]
    fine = found(BAD_LINK, steady=False, p5=lapsed)
    assert fine[5].late_s == pytest.approx(0.01)
    assert not fine[5].moved
    assert fine[27].late_s is None
    assert found(BAD_LINK, steady=False, p5=lapsed[:-1])[5].late_s == inf
    assert found(BAD_LINK, steady=False, p5=[*lapsed[:-1], (DEADLINE - S // 10, 0.0)])[5].moved
    assert found(BAD_LINK, steady=False, p27=[*GOOD[27], (FAULT - S // 2, 0.0)])[27].moved
    assert found(BAD_LINK, steady=False, p22=[*GOOD[22], (FAULT - S // 2, 0.0)])[22].moved
