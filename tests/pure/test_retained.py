"""What becomes of retained and late commands: each rule, with and without clocks."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pimqtt_agent.commands import Envelope, Request
from pimqtt_agent.entities import Button, Entity, Number, Switch
from pimqtt_agent.retained import AHEAD_S, WAY_S, Arrival, Verdict, digest, judge, moves, resolved
from pimqtt_agent.rules import MIN_TTL_S, Rules
from tests.pure.world import MOTOR, SERVO

PUMP = Switch(rules=Rules())
FAN = Number(rules=MOTOR)
ARM = Number(rules=SERVO)
PRESS = Button()
MOVING: list[Any] = [pytest.param(FAN, id="motor"), pytest.param(ARM, id="servo"), pytest.param(PRESS, id="press")]

NOW = 1_800_000_000.0
LIVE = Arrival(retain=False, replay=False, wall_s=NOW)
STORED = Arrival(retain=True, replay=False, wall_s=NOW)
REPLAY = Arrival(retain=True, replay=True, wall_s=NOW)


def on(ttl_s: float | None = None) -> Request:
    return Request(value=True, transition_s=None, ttl_s=ttl_s, stop=False)


STOP = Request(value=False, transition_s=None, ttl_s=None, stop=True)


def arrival(
    *, replay: bool = True, wall_s: float | None = NOW, left_s: int | None = None, retain: bool = True
) -> Arrival:
    return Arrival(retain=retain, replay=replay, wall_s=wall_s, left_s=left_s)


def verdict(request: Request, arrival: Arrival, entity: Entity = PUMP, **envelope: Any) -> Verdict:
    return judge(entity, Envelope(raw="ON", plain=False, **envelope), request, arrival)


def is_stale(found: Verdict) -> str:
    """Give the reason; what no keeper judges is refused at once."""
    return found.stale or (found.reason if found.code == "stale" else "")


class TestReplayOfARestingValue:
    """1. It is applied once."""

    @pytest.mark.parametrize("wall_s", [None, NOW])
    def test_it_is_applied(self, wall_s: float | None) -> None:
        assert verdict(on(), arrival(wall_s=wall_s)) == Verdict()

    def test_also_when_it_is_old_and_says_so(self) -> None:
        assert verdict(on(), REPLAY, at=NOW - 1e6) == Verdict()

    def test_not_when_it_is_older_than_the_expiry_that_it_states(self) -> None:
        assert verdict(on(), REPLAY, at=NOW - 100, expiry=60.0).stale


class TestReplayOfALease:
    """2. Only for the life that is proven left, else it is stale."""

    def test_age_by_at(self) -> None:
        assert verdict(on(60), REPLAY, at=NOW - 20) == Verdict(ttl_s=40)

    @pytest.mark.parametrize("ahead", [0.5, AHEAD_S])
    def test_a_clock_at_most_1_s_ahead_is_believed(self, ahead: float) -> None:
        assert verdict(on(60), REPLAY, at=NOW + ahead) == Verdict(ttl_s=60)

    def test_one_further_ahead_proves_nothing(self) -> None:
        assert verdict(on(60), REPLAY, at=NOW + 1.001).stale

    def test_an_unsynchronised_clock_proves_nothing(self) -> None:
        assert verdict(on(60), arrival(wall_s=None), at=NOW).stale

    def test_what_proves_no_age_is_stale(self) -> None:
        assert verdict(on(60), REPLAY).stale
        assert verdict(on(60), arrival(left_s=50)).stale
        assert verdict(on(60), REPLAY, expiry=60.0).stale

    def test_age_by_expiry_is_what_was_set_less_what_is_left_and_1_s_for_the_brokers_rounding(self) -> None:
        assert verdict(on(60), arrival(wall_s=None, left_s=50), expiry=60.0) == Verdict(ttl_s=49)

    def test_a_message_that_the_broker_just_got_is_1_s_old(self) -> None:
        assert verdict(on(60), arrival(wall_s=None, left_s=60), expiry=60.0) == Verdict(ttl_s=59)

    def test_an_expiry_that_was_rounded_up_for_the_broker_is_the_same_one(self) -> None:
        assert verdict(on(60), arrival(wall_s=None, left_s=60), expiry=59.5) == Verdict(ttl_s=59.5)

    def test_more_left_than_was_set_proves_nothing(self) -> None:
        assert verdict(on(60), arrival(wall_s=None, left_s=3600), expiry=60.0).stale

    def test_expiry_helps_where_the_clock_does_not(self) -> None:
        assert verdict(on(60), arrival(wall_s=None, left_s=50), at=NOW, expiry=60.0) == Verdict(ttl_s=49)
        assert verdict(on(60), arrival(left_s=50), at=NOW + 1000, expiry=60.0) == Verdict(ttl_s=49)

    def test_at_is_finer_and_comes_first(self) -> None:
        assert verdict(on(60), arrival(left_s=50), at=NOW - 9.5, expiry=60.0) == Verdict(ttl_s=50.5)

    @pytest.mark.parametrize("age", [60, 59.96, 61, 1e6])
    def test_what_is_over_or_would_be_below_the_floor_is_stale(self, age: float) -> None:
        found = verdict(on(60), REPLAY, at=NOW - age)
        assert found.stale
        assert "-" not in found.stale

    @given(age=st.floats(0, 100), ttl=st.floats(MIN_TTL_S, 100))
    def test_it_never_outlives_what_the_sender_wanted(self, age: float, ttl: float) -> None:
        found = verdict(on(ttl), REPLAY, at=NOW - age)
        if not found.stale:
            assert found.ttl_s is not None
            assert MIN_TTL_S <= found.ttl_s <= ttl
            assert found.ttl_s + (NOW - (NOW - age)) <= ttl + 1e-6

    @given(left=st.integers(0, 100), expiry=st.integers(1, 100), ttl=st.floats(MIN_TTL_S, 100), real=st.floats(0, 100))
    def test_by_expiry_neither_whatever_the_brokers_rounding(
        self, left: int, expiry: int, ttl: float, real: float
    ) -> None:
        """A broker may round what is left up or down by a second: the real age is at most what we take."""
        if not expiry - left - 1 <= real <= expiry - left + 1:
            return
        found = verdict(on(ttl), arrival(wall_s=None, left_s=left), expiry=float(expiry))
        if not found.stale:
            assert found.ttl_s is not None
            assert found.ttl_s + real <= ttl + 1e-6


class TestLive:
    """A live command is stale only where ``at`` or ``expiry`` proves it; else its TTL runs from receipt."""

    @pytest.mark.parametrize("how", [LIVE, STORED])
    def test_it_runs_its_full_ttl_from_receipt(self, how: Arrival) -> None:
        assert verdict(on(60), how, at=NOW - 20) == Verdict(ttl_s=60)
        assert verdict(on(60), how) == Verdict(ttl_s=60)

    def test_at_proves_it_older_than_its_ttl(self) -> None:
        assert verdict(on(60), LIVE, at=NOW - 60) == Verdict(ttl_s=60)
        assert verdict(on(60), LIVE, at=NOW - 60.5).stale

    def test_expiry_proves_it_older_than_its_ttl_beyond_the_brokers_rounding(self) -> None:
        assert not verdict(on(5), arrival(replay=False, wall_s=None, left_s=4), expiry=10.0).stale
        assert verdict(on(5), arrival(replay=False, wall_s=None, left_s=3), expiry=10.0).stale

    def test_a_resting_value_older_than_expiry(self) -> None:
        assert verdict(on(), LIVE, at=NOW - 11, expiry=10.0).stale
        assert not verdict(on(), LIVE, at=NOW - 9, expiry=10.0).stale

    def test_what_proves_nothing_is_ignored(self) -> None:
        assert verdict(on(5), arrival(replay=False, wall_s=None), at=NOW - 1000) == Verdict(ttl_s=5)
        assert verdict(on(5), LIVE, at=NOW + 1000) == Verdict(ttl_s=5)
        assert verdict(on(5), LIVE, expiry=10.0) == Verdict(ttl_s=5)

    @pytest.mark.parametrize("entity", MOVING)
    def test_motion_that_waited_in_the_network_is_stale_where_at_or_expiry_say_so(self, entity: Entity) -> None:
        ttl_s = None if entity.rules is None else 0.5
        assert is_stale(verdict(on(ttl_s), LIVE, entity, at=NOW - 3, expiry=2.0))
        assert verdict(on(ttl_s), LIVE, entity) == Verdict(ttl_s=ttl_s)

    @pytest.mark.parametrize("entity", MOVING)
    def test_motion_with_an_expiry_is_stale_where_nobody_knows_how_long_it_was_on_its_way(self, entity: Entity) -> None:
        ttl_s = None if entity.rules is None else 0.5
        late = Arrival(retain=False, replay=False, wall_s=None, left_s=10, way_s=WAY_S + 0.1)
        reason = "expiry 10: it may have been on its way from the broker for 1.6 s"
        assert is_stale(verdict(on(ttl_s), late, entity, expiry=10.0)) == reason
        assert is_stale(verdict(on(ttl_s), late, entity, expiry=10.0, at=NOW)), "no clock to judge `at` by"
        unknown = "expiry 10: it may have been on its way from the broker for any time"
        assert is_stale(verdict(on(ttl_s), replace(late, way_s=inf), entity, expiry=10.0)) == unknown
        assert not is_stale(verdict(on(ttl_s), replace(late, way_s=WAY_S), entity, expiry=10.0))
        known = replace(late, wall_s=NOW)
        assert not is_stale(verdict(on(ttl_s), known, entity, expiry=10.0, at=NOW - 0.1)), "`at` knows"
        assert not is_stale(verdict(on(ttl_s), late, entity)), "it does not ask for it"
        assert not is_stale(verdict(on(ttl_s), replace(late, left_s=None), entity, expiry=10.0)), "no broker counts it"
        assert not is_stale(verdict(on(5), late, PUMP, expiry=10.0)), "a level may wait"
        assert verdict(on(0.5), late, FAN, expiry=10.0, token="t") == Verdict(ttl_s=0.5)
        assert verdict(STOP, late, FAN, expiry=10.0) == Verdict()


class TestMotionAndPresses:
    """3. They are never done from a retained message, before or after the marker."""

    @pytest.mark.parametrize("entity", MOVING)
    @pytest.mark.parametrize("how", [REPLAY, STORED])
    def test_they_are_retained(self, entity: Entity, how: Arrival) -> None:
        ttl_s = None if entity.rules is None else 0.5
        assert verdict(on(ttl_s), how, entity).code == "retained"
        assert verdict(on(ttl_s), how, entity, at=NOW, expiry=5.0, token="t").code == "retained"

    def test_a_late_press_is_refused_at_once_and_late_motion_in_its_keepers_order(self) -> None:
        assert verdict(on(), LIVE, PRESS, at=NOW - 3, expiry=2.0).code == "stale"
        assert verdict(on(0.5), LIVE, FAN, at=NOW - 3, expiry=2.0).code == ""

    def test_motion_that_may_have_waited_for_an_agent_that_stood_still_is_stale(self) -> None:
        stalled = replace(LIVE, stall="the agent stood still")
        for entity in (FAN, ARM):
            assert verdict(on(0.5), stalled, entity).stale == "'ON': the agent stood still"
        assert verdict(on(), stalled, PUMP) == Verdict(), "a level may wait"
        assert verdict(on(), stalled, PRESS) == Verdict(), "so may a press: it moves no pin"

    def test_a_press_may_be_two_seconds_old_where_at_alone_tells(self) -> None:
        assert verdict(on(), LIVE, PRESS, at=NOW - 2.1).code == "stale"
        assert verdict(on(), LIVE, PRESS, at=NOW - 1.9) == Verdict()
        assert verdict(on(), LIVE, PRESS, at=NOW - 9, expiry=10.0) == Verdict(), "its own expiry says otherwise"
        assert verdict(on(), LIVE, PUMP, at=NOW - 1e6) == Verdict(), "a level may wait"

    @pytest.mark.parametrize("late_s", [0.0, 3.0])
    def test_a_press_takes_no_token_for_nobody_could_tell_its_age(self, late_s: float) -> None:
        found = verdict(on(), LIVE, PRESS, at=NOW - late_s, expiry=2.0, token="t")
        assert (found.code, found.reason) == ("token", "'ON': no keeper gives a token for a press; leave it out")

    @pytest.mark.parametrize("entity", MOVING)
    def test_live_they_are_done(self, entity: Entity) -> None:
        assert not verdict(on(0.5), LIVE, entity).code

    def test_levels_do_not_move(self) -> None:
        assert not moves(PUMP)
        assert all(moves(entity) for entity in (FAN, ARM, PRESS))


class TestStop:
    @pytest.mark.parametrize("entity", [PUMP, FAN, ARM])
    @pytest.mark.parametrize("how", [LIVE, STORED, REPLAY, arrival(wall_s=None, left_s=0)])
    def test_it_is_never_stale_and_never_refused(self, entity: Entity, how: Arrival) -> None:
        assert verdict(STOP, how, entity, at=1.0, expiry=1.0, token="old") == Verdict()


class TestToken:
    """4. Where there is one, it alone decides."""

    @pytest.mark.parametrize("how", [LIVE, STORED, REPLAY])
    def test_at_and_expiry_are_not_asked(self, how: Arrival) -> None:
        assert verdict(on(5), how, at=1.0, expiry=1.0, token="t") == Verdict(ttl_s=5)


def test_the_verdicts_ttl_is_the_requests() -> None:
    request = on(60)
    assert resolved(request, Verdict(ttl_s=60)) is request
    assert resolved(request, Verdict(ttl_s=12)) == on(12)


@given(one=st.binary(max_size=40), two=st.binary(max_size=40))
def test_a_digest_names_a_payload(one: bytes, two: bytes) -> None:
    assert (digest(one) == digest(two)) == (one == two)
    assert len(digest(one)) == 24
