"""Who may command an output: owners, priorities, sharing, letting go, tokens, arming."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pimqtt_agent.access import REMEMBERED
from pimqtt_agent.rules import Rejected
from tests.pure.world import MOTOR, SWITCH, World

SHARED = replace(SWITCH, shared=True)


class TestPriority:
    def test_a_higher_one_takes_over_at_once(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60, owner="ann", priority=3)
        assert world.send("pump", False, 5, owner="bob", priority=4) == ["pump = False", "pump accepted"]
        lease = world["pump"].lease
        assert lease
        assert lease.owner == "bob"

    @pytest.mark.parametrize("priority", [0, 2, 3])
    def test_an_equal_or_lower_one_is_rejected_naming_the_holder(self, priority: int) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60, owner="ann", priority=3)
        assert world.send("pump", True, 5, owner="bob", priority=priority) == ["pump rejected held"]
        assert "'ann'" in world.last(Rejected).reason

    def test_the_same_owner_renews_with_any(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60, owner="ann", priority=9)
        assert world.send("pump", True, 5, owner="ann", priority=0) == ["pump accepted"]
        assert world.send("pump", True, 5, owner="bob", priority=1) == ["pump accepted"]

    def test_all_anonymous_senders_are_one_owner(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60, owner="anonymous")
        assert world.send("pump", False, 5, owner="anonymous") == ["pump = False", "pump accepted"]

    def test_nobody_holds_a_resting_output(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, owner="ann", priority=9)
        assert world.send("pump", True, 5, owner="bob") == ["pump accepted"]

    def test_nobody_holds_it_when_the_lease_has_lapsed(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 1, owner="ann", priority=9)
        world.to(1)
        assert world.send("pump", True, 5, owner="bob") == ["pump = True", "pump accepted"]


class TestShared:
    def test_it_lets_everybody_in_and_the_last_command_wins(self) -> None:
        world = World(pump=SHARED)
        world.send("pump", True, 60, owner="ann", priority=9)
        assert world.send("pump", False, 5, owner="bob") == ["pump = False", "pump accepted"]
        assert world.send("pump", True, owner="carl") == ["pump = True", "pump accepted"]

    @pytest.mark.parametrize("priority", [0, 5])
    def test_drivers_of_one_car_need_not_let_go_for_each_other(self, priority: int) -> None:
        world = World(fan=replace(MOTOR, shared=True))
        for _ in range(3):
            assert world.send("fan", 50.0, owner="ann") == ["fan = 50.0", "fan accepted"]
            assert world.send("fan", 60.0, owner="bob", priority=priority) == ["fan = 60.0", "fan accepted"]

    def test_a_stop_still_holds_who_drove(self) -> None:
        world = World(fan=replace(MOTOR, shared=True))
        world.send("fan", 50.0, owner="ann")
        world.stop("fan", "bob")
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]
        assert world.send("fan", 50.0, owner="bob") == ["fan = 50.0", "fan accepted"]


class TestLetGo:
    """An owner whose motion was stopped by another must let go before it moves that output again."""

    def stopped(self) -> World:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="ann")
        assert world.stop("fan", "bob") == ["fan = 0.0", "fan reverted stopped", "fan accepted"]
        return world

    def test_its_next_renewal_would_undo_the_stop(self) -> None:
        world = self.stopped()
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]
        assert world.value("fan") == 0.0

    def test_renewing_on_and_on_is_refused_on_and_on(self) -> None:
        world = self.stopped()
        for step in range(1, 100):
            world.to(step * 0.1)
            assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]

    def test_until_it_has_sent_nothing_for_one_dead_man(self) -> None:
        world = self.stopped()
        world.to(0.25)
        world.send("fan", 50.0, owner="ann")
        world.to(0.74)
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]
        world.to(1.24)
        assert world.send("fan", 50.0, owner="ann") == ["fan = 50.0", "fan accepted"]

    def test_or_has_sent_the_safe_value_as_a_stop(self) -> None:
        world = self.stopped()
        assert world.stop("fan", "ann") == ["fan accepted"]
        assert world.send("fan", 50.0, owner="ann") == ["fan = 50.0", "fan accepted"]

    def test_or_has_sent_the_safe_value_with_a_ttl(self) -> None:
        world = self.stopped()
        assert world.send("fan", 0.0, 0.5, owner="ann") == ["fan accepted"]
        assert world.send("fan", 50.0, owner="ann") == ["fan = 50.0", "fan accepted"]

    def test_the_safe_value_lets_go_also_where_another_holds_the_output(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="bob")
        world.send("fan", 30.0, owner="ann")
        assert world.send("fan", 0.0, 0.5, owner="ann") == ["fan rejected held"]
        world.stop("fan", "bob")
        assert world.send("fan", 30.0, owner="ann") == ["fan = 30.0", "fan accepted"]

    def test_others_may_drive_meanwhile(self) -> None:
        world = self.stopped()
        assert world.send("fan", 10.0, owner="carl") == ["fan = 10.0", "fan accepted"]

    def test_its_own_stop_holds_nobody(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="ann")
        world.stop("fan", "ann")
        assert world.send("fan", 50.0, owner="ann") == ["fan = 50.0", "fan accepted"]

    def test_an_anonymous_stop_does_not_hold_an_anonymous_driver_an_emergency_stop_does(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="anonymous")
        world.stop("fan")
        assert world.send("fan", 50.0, owner="anonymous") == ["fan = 50.0", "fan accepted"]
        world.latch()
        world.reset()
        assert world.send("fan", 50.0, owner="anonymous") == ["fan rejected let_go"]

    def test_after_an_emergency_stop(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="ann")
        world.latch()
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected latched"]
        world.reset()
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]

    def test_after_a_take_over(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="ann")
        world.send("fan", -50.0, owner="bob", priority=1)
        world.stop("fan", "bob")
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]

    def test_after_it_was_refused_as_held(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, owner="bob")
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected held"]
        world.stop("fan", "bob")
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]

    def test_after_it_was_refused_as_latched(self) -> None:
        world = World(fan=MOTOR, latched=True)
        world.send("fan", 50.0, owner="ann")
        world.reset()
        assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]
        assert world.send("fan", 50.0, owner="bob") == ["fan = 50.0", "fan accepted"]

    def test_on_that_output_only(self) -> None:
        world = World(fan=MOTOR, belt=MOTOR)
        world.send("fan", 50.0, owner="ann")
        world.stop("fan", "bob")
        assert world.send("belt", 50.0, owner="ann") == ["belt = 50.0", "belt accepted"]

    def test_levels_know_no_such_thing(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60, owner="ann")
        world.stop("pump", "bob")
        assert world.send("pump", True, 60, owner="ann") == ["pump = True", "pump accepted"]

    def test_a_flood_of_names_only_loses_the_oldest(self) -> None:
        world = World(fan=MOTOR, latched=True)
        for number in range(REMEMBERED + 1):
            world.send("fan", 1.0, owner=f"owner{number}")
        world.reset()
        assert world.send("fan", 1.0, owner="owner1") == ["fan rejected let_go"]
        assert world.send("fan", 1.0, owner="owner0") == ["fan = 1.0", "fan accepted"]

    @given(gaps=st.lists(st.integers(1, 31), min_size=1, max_size=30))
    @settings(max_examples=50)
    def test_no_rhythm_faster_than_the_dead_man_undoes_a_stop(self, gaps: list[int]) -> None:
        world, passed = self.stopped(), 0.0
        for gap in gaps:
            passed += gap / 64
            world.to(passed)
            assert world.send("fan", 50.0, owner="ann") == ["fan rejected let_go"]


class TestToken:
    FRESH = replace(MOTOR, token_required=True)

    def test_one_older_than_one_dead_man_is_stale(self) -> None:
        world = World(fan=MOTOR)
        assert world.send("fan", 1.0, token_age_s=0.5) == ["fan = 1.0", "fan accepted"]
        assert world.send("fan", 2.0, token_age_s=0.501) == ["fan rejected stale"]

    def test_required_makes_it_a_condition(self) -> None:
        world = World(fan=self.FRESH)
        assert world.send("fan", 1.0) == ["fan rejected token"]
        assert world.send("fan", 1.0, token_age_s=0.0) == ["fan = 1.0", "fan accepted"]

    def test_another_keepers_token_is_none(self) -> None:
        world = World(fan=MOTOR)
        assert world.send("fan", 1.0, token_age_s=-1.0) == ["fan rejected token"]

    def test_where_there_is_one_it_alone_decides(self) -> None:
        world = World(fan=MOTOR)
        assert world.send("fan", 1.0, token_age_s=0.1, stale="`at` says so") == ["fan = 1.0", "fan accepted"]
        assert world.send("fan", 2.0, stale="`at` says so") == ["fan rejected stale"]

    def test_a_stop_needs_none(self) -> None:
        world = World(fan=self.FRESH)
        world.send("fan", 1.0, token_age_s=0.0)
        assert world.stop("fan") == ["fan = 0.0", "fan reverted stopped", "fan accepted"]


class TestArming:
    ARMED = replace(MOTOR, arming_s=1.0)

    def beat(self, world: World, owner: str = "ann") -> None:
        world["fan"].access.heartbeat(world.now, owner)

    def test_motion_is_not_armed_until_its_owner_has_sent_two_heartbeats(self) -> None:
        world = World(fan=self.ARMED)
        assert world.send("fan", 1.0) == ["fan rejected not_armed"]
        self.beat(world)
        assert world.send("fan", 1.0) == ["fan rejected not_armed"]
        self.beat(world)
        assert world.send("fan", 1.0) == ["fan = 1.0", "fan accepted"]

    def test_the_last_no_older_than_that(self) -> None:
        world = World(fan=self.ARMED)
        self.beat(world)
        self.beat(world)
        world.to(1)
        assert world.send("fan", 1.0) == ["fan = 1.0", "fan accepted"]
        world.to(1.01)
        assert world.send("fan", 1.0) == ["fan rejected not_armed"]

    def test_another_owners_heartbeats_do_not_count(self) -> None:
        world = World(fan=self.ARMED)
        for _ in range(3):
            self.beat(world, "bob")
        assert world.send("fan", 1.0) == ["fan rejected not_armed"]

    def test_a_stop_needs_no_arming_nor_does_the_safe_value(self) -> None:
        world = World(fan=self.ARMED)
        assert world.stop("fan") == ["fan accepted"]
        assert world.send("fan", 0.0, 0.5) == ["fan accepted"]


class TestOrderOfCodes:
    """Where several apply the first is told: latched, token, stale, held, let_go, then the rest."""

    def test_each_hides_the_ones_after_it(self) -> None:
        rules = replace(MOTOR, token_required=True, arming_s=1.0)
        world = World(fan=rules)
        for _ in range(2):
            world["fan"].access.heartbeat(world.now, "bob")
        world.send("fan", 1.0, owner="bob", token_age_s=0.0)
        world["fan"].access.bar(world.now, "ann")
        world["fan"].latched = True
        assert world.send("fan", 2.0, stale="old") == ["fan rejected latched"]
        world.reset()
        assert world.send("fan", 2.0, stale="old") == ["fan rejected token"]
        assert world.send("fan", 2.0, token_age_s=9.0) == ["fan rejected stale"]
        assert world.send("fan", 2.0, token_age_s=0.0) == ["fan rejected held"]
        world.stop("fan", "bob")
        assert world.send("fan", 2.0, token_age_s=0.0) == ["fan rejected let_go"]
        world.stop("fan", "ann")
        assert world.send("fan", 2.0, token_age_s=0.0) == ["fan rejected not_armed"]
