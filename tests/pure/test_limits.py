"""Limits stand above leases: min_off and max_on, at every change, also at a revert or start."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimqtt_agent.rules import Limits, Memory, Rejected, Reverted, Rules
from tests.pure.world import START_S, World, limited


class TestMinOff:
    REST = limited(min_off_s=10)

    def test_a_start_counts_as_just_switched_off(self) -> None:
        world = World(heater=self.REST)
        world.to(3)
        assert world.send("heater", True) == ["heater rejected min_off"]

    def test_on_is_rejected_with_retry_after_s(self) -> None:
        world = World(heater=self.REST)
        world.to(3)
        world.send("heater", True)
        rejected = world.last(Rejected)
        assert rejected.extra == {"retry_after_s": 7.0}
        assert "10 s" in rejected.reason

    @given(wait=st.floats(0, 9.999))
    def test_after_retry_after_s_it_is_taken(self, wait: float) -> None:
        world = World(heater=self.REST)
        world.to(wait)
        world.send("heater", True)
        world.now += world.last(Rejected).extra["retry_after_s"]
        assert world.send("heater", True) == ["heater = True", "heater accepted"]

    def test_it_counts_from_switching_off(self) -> None:
        world = World(heater=self.REST)
        world.to(10)
        world.send("heater", True)
        world.to(12)
        world.stop("heater")
        world.to(21.9)
        assert world.send("heater", True) == ["heater rejected min_off"]
        world.to(22)
        assert world.send("heater", True) == ["heater = True", "heater accepted"]

    def test_off_is_never_refused(self) -> None:
        world = World(heater=self.REST)
        assert world.send("heater", False, 5) == ["heater accepted"]

    def test_a_renewal_while_on_is_no_switching_on(self) -> None:
        world = World(heater=self.REST)
        world.to(10)
        for _ in range(3):
            assert "heater accepted" in world.send("heater", True, 5)

    def test_a_revert_that_it_forbids_goes_to_safe_and_to_the_resting_value_when_it_allows(self) -> None:
        world = World(heater=self.REST)
        world.to(10)
        world.send("heater", True)
        assert world.send("heater", False, 3) == ["heater = False", "heater accepted"]
        assert world.to(13)[-1] == "heater reverted expired"
        assert world.value("heater") is False
        assert world.to(19.9) == []
        assert world.to(20) == ["heater = True"]

    def test_a_start_that_it_forbids_goes_to_safe_and_to_the_resting_value_when_it_allows(self) -> None:
        world = World(heater=Rules(initial=True, limits=Limits(min_off_s=10)))
        assert world.first == {"heater": False}
        assert world.to(9.9) == []
        assert world.to(10) == ["heater = True"]

    def test_a_stop_ends_what_waits_for_it(self) -> None:
        world = World(heater=Rules(initial=True, limits=Limits(min_off_s=10)))
        world.stop("heater")
        assert world.to(100) == []

    def test_an_earlier_keepers_time_off_counts(self) -> None:
        memory = {"heater": Memory(resting=False, off_since_s=START_S - 4)}
        world = World(heater=self.REST, memory=memory)
        world.to(5.9)
        assert world.send("heater", True) == ["heater rejected min_off"]
        world.to(6)
        assert world.send("heater", True) == ["heater = True", "heater accepted"]

    def test_what_an_earlier_keeper_left_on_was_just_switched_off(self) -> None:
        before = World(heater=self.REST, now=START_S - 100)
        before.now = START_S - 50
        before.send("heater", True)
        memory = {"heater": before["heater"].memory()}
        world = World(heater=self.REST, memory=memory)
        assert world.first == {"heater": False}
        assert world.to(9.9) == []
        assert world.to(10) == ["heater = True"]


class TestMaxOn:
    OVEN = limited(max_on_s=100)

    def test_it_counts_from_switching_on_and_no_renewal_extends_it(self) -> None:
        world = World(oven=self.OVEN)
        told = []
        for step in range(0, 100, 5):
            told += world.to(step)
            told += world.send("oven", True, 10)
        assert set(told) == {"oven = True", "oven accepted"}
        world.send("oven", True, 60)
        assert world.to(99.9) == []
        assert world.to(100) == ["oven = False", "oven reverted max_on"]

    def test_neither_does_a_change_of_value(self) -> None:
        world = World(oven=Rules(safe=0, off=0, initial=0, limits=Limits(max_on_s=100)))
        world.send("oven", 20)
        world.to(60)
        world.send("oven", 90)
        assert world.to(100) == ["oven = 0", "oven reverted max_on"]

    def test_what_it_ends_rests_at_safe(self) -> None:
        world = World(oven=self.OVEN)
        world.send("oven", True)
        assert world.to(100) == ["oven = False", "oven reverted max_on"]
        assert world["oven"].resting is False
        assert world.last(Reverted).lease is None
        assert world.to(1000) == []

    def test_it_ends_a_lease_too(self) -> None:
        world = World(oven=self.OVEN)
        world.send("oven", True)
        world.send("oven", True, 500, id="long")
        world.to(100)
        assert world.last(Reverted).lease.id == "long"
        assert world["oven"].resting is False

    def test_off_and_on_again_counts_anew(self) -> None:
        world = World(oven=self.OVEN)
        world.send("oven", True)
        world.to(60)
        world.stop("oven")
        world.send("oven", True)
        assert world.to(159.9) == []
        assert world.to(160) == ["oven = False", "oven reverted max_on"]

    def test_a_revert_to_an_on_resting_value_does_not_count_anew(self) -> None:
        world = World(oven=Rules(safe=0, off=0, initial=0, limits=Limits(max_on_s=100)))
        world.send("oven", 20)
        world.send("oven", 90, 60)
        assert world.to(60) == ["oven = 20", "oven reverted expired"]
        assert world.to(100) == ["oven = 0", "oven reverted max_on"]

    def test_it_counts_on_over_keepers(self) -> None:
        before = World(oven=self.OVEN)
        before.send("oven", True)
        world = World(oven=self.OVEN, memory={"oven": before["oven"].memory()}, now=START_S + 70)
        assert world.first == {"oven": True}
        assert world.to(99.9) == []
        assert world.to(100) == ["oven = False", "oven reverted max_on"]

    def test_a_late_tick_tells_what_came_first(self) -> None:
        world = World(oven=self.OVEN)
        world.send("oven", True, 60)
        world.now += 200
        assert world.settle() == ["oven = False", "oven reverted expired"]

    def test_min_off_follows_it(self) -> None:
        world = World(oven=limited(max_on_s=100, min_off_s=10))
        world.to(10)
        world.send("oven", True, 500)
        world.to(110)
        assert world.send("oven", True) == ["oven rejected min_off"]


@pytest.mark.parametrize("code", ["held", "let_go"])
def test_who_may_not_command_is_told_so_before_any_limit(code: str) -> None:
    world = World(heater=limited(min_off_s=10))
    world.send("heater", False, 60, owner="bob")
    if code == "held":
        assert world.send("heater", True, owner="ann") == ["heater rejected held"]
    else:
        assert world.send("heater", True, owner="bob") == ["heater rejected min_off"]


@given(steps=st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=40), max_on=st.integers(1, 20))
@settings(max_examples=60)
def test_no_sequence_of_renewals_stays_on_longer_than_max_on(steps: list[tuple[int, bool]], max_on: int) -> None:
    world, since, passed = World(oven=limited(max_on_s=max_on)), None, 0
    for gap, lasts in steps:
        passed += gap
        world.to(passed)
        if not world["oven"].on:
            since = passed
        world.send("oven", True, None if lasts else 8)
        assert since is not None
        assert world.now - START_S - since <= max_on
