"""What a lease is: values, owners, deadlines, and what an output goes back to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pimqtt_agent.rules import LAST, Accepted, Drive, Memory, Rejected, Reverted, Rules
from tests.pure.world import MOTOR, SWITCH, World


def test_a_lease_is_a_value_held_by_an_owner_until_a_deadline() -> None:
    world = World(pump=SWITCH)
    assert world.send("pump", True, 5, owner="ann", id="a1", priority=3) == ["pump = True", "pump accepted"]
    lease = world["pump"].lease
    assert lease
    assert (lease.value, lease.owner, lease.priority, lease.id) == (True, "ann", 3, "a1")
    assert lease.deadline_s == world["pump"].deadline_s == world.now + 5


def test_when_it_lapses_the_thing_goes_back_to_rest_by_itself() -> None:
    world = World(pump=SWITCH)
    world.send("pump", True, 5, id="a1")
    assert world.to(4.999) == []
    assert world.value("pump") is True
    assert world.to(5) == ["pump = False", "pump reverted expired"]
    reverted = world.last(Reverted)
    assert (reverted.lease.id, reverted.lease.owner, reverted.cause) == ("a1", "ann", "expired")
    assert world["pump"].lease is None
    assert world["pump"].deadline_s == float("inf")


def test_a_tick_that_is_early_does_nothing() -> None:
    world = World(pump=SWITCH)
    world.send("pump", True, 5)
    assert world["pump"].tick(world.now + 4.9) == []


def test_a_command_at_the_very_deadline_comes_after_the_end() -> None:
    world = World(pump=SWITCH)
    world.send("pump", True, 1, id="first")
    world.now += 1
    assert world.send("pump", True, 1, id="second") == [
        "pump = False",
        "pump reverted expired",
        "pump = True",
        "pump accepted",
    ]


def test_a_lease_counts_from_receipt_not_from_when_it_is_done() -> None:
    world = World(pump=SWITCH)
    world.send("pump", True, 1, age=0.25)
    assert world["pump"].deadline_s == world.now + 0.75


@pytest.mark.parametrize("age", [0.05, 0.0625, 0.2])
@pytest.mark.parametrize("token_age_s", [None, 0.1])
def test_a_command_that_comes_after_its_own_deadline_is_stale_and_moves_nothing(
    age: float, token_age_s: float | None
) -> None:
    world = World(pump=SWITCH, fan=MOTOR)
    for name, value in (("pump", True), ("fan", 50.0)):
        assert world.send(name, value, 0.05, age=age, token_age_s=token_age_s) == [f"{name} rejected stale"]
        assert world[name].lease is None


class TestRestingValue:
    def test_it_starts_as_initial_by_default_safe(self) -> None:
        assert World(pump=SWITCH).first == {"pump": False}
        assert World(pump=Rules(initial=True)).first == {"pump": True}
        assert World(pump=Rules(safe=True, initial=True)).first == {"pump": True}

    def test_last_keeps_it_over_restarts_and_is_safe_where_nothing_is_known(self) -> None:
        rules = Rules(initial=LAST)
        assert World(pump=rules).first == {"pump": False}
        before = World(pump=rules)
        before.send("pump", True)
        assert World(pump=rules, memory={"pump": before["pump"].memory()}).first == {"pump": True}

    @pytest.mark.parametrize("resting", [False, True])
    def test_a_lease_goes_back_to_it_on_as_well_as_off(self, resting: bool) -> None:  # noqa: FBT001
        world = World(pump=Rules(initial=resting))
        world.send("pump", not resting, 5)
        assert world.value("pump") is not resting
        world.to(5)
        assert world.value("pump") is resting

    def test_renewing_never_changes_what_it_goes_back_to(self) -> None:
        world = World(lamp=Rules(safe=0, off=0, initial=30))
        for value in (10, 20, 90, 20):
            world.send("lamp", value, 5)
            assert world["lamp"].resting == 30
        assert world.to(5) == ["lamp = 30", "lamp reverted expired"]

    def test_a_command_to_which_no_ttl_applies_changes_it_and_ends_a_lease_that_it_may_override(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 5, owner="ann")
        assert world.send("pump", True, owner="ann") == ["pump accepted"]
        assert world["pump"].lease is None
        assert world["pump"].resting is True
        assert world.to(60) == []
        assert world.value("pump") is True

    def test_else_it_is_held_and_changes_nothing(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 5, owner="ann")
        assert world.send("pump", True, owner="bob") == ["pump rejected held"]
        assert world["pump"].resting is False

    def test_a_lease_or_its_end_does_not_change_it(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 5)
        world.to(5)
        assert world["pump"].resting is False

    def test_of_motion_it_is_always_the_safe_value(self) -> None:
        world = World(
            fan=replace(MOTOR, initial=50.0),
            memory={"fan": Memory(resting=50.0)},
        )
        assert world.first == {"fan": 0.0}
        world.send("fan", 50.0)
        assert world["fan"].resting == 0.0
        assert world.to(0.5) == ["fan = 0.0", "fan reverted expired"]


class TestRenewal:
    def test_the_same_owner_renews(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 1, id="a1")
        world.to(0.75)
        assert world.send("pump", True, 1, id="a2") == ["pump accepted"]
        assert world.to(1.74) == []
        assert world.to(1.75) == ["pump = False", "pump reverted expired"]
        assert world.last(Reverted).lease.id == "a2"

    def test_it_may_shorten_the_lease(self) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60)
        world.send("pump", True, 1)
        assert world["pump"].deadline_s == world.now + 1

    def test_it_writes_no_level_that_is_there_already(self) -> None:
        world = World(pump=SWITCH)
        for _ in range(3):
            world.send("pump", True, 1)
        assert [action.value for action in world.seen if isinstance(action, Drive)] == [True]


class TestShape:
    """A ramp or transition shapes commands only; it never delays a stop, an expiry or a latch."""

    def drives(self, world: World) -> list[tuple[Any, bool, float | None]]:
        seen, world.seen = world.seen, []
        return [(act.value, act.shaped, act.transition_s) for act in seen if isinstance(act, Drive)]

    def test_a_command_is_shaped_with_the_transition_that_it_asks_for(self) -> None:
        world = World(lamp=SWITCH)
        world.send("lamp", True, transition_s=3.0)
        assert self.drives(world) == [(True, True, 3.0)]

    def test_a_stop_an_expiry_and_a_latch_are_not(self) -> None:
        world = World(lamp=SWITCH)
        world.send("lamp", True, transition_s=3.0)
        world.stop("lamp")
        world.send("lamp", True, 1, transition_s=3.0)
        world.to(1)
        world.send("lamp", True, transition_s=3.0)
        world.latch()
        assert self.drives(world) == [(True, True, 3.0), (False, False, None)] * 3

    def test_an_expiry_to_the_same_value_ends_a_ramp_under_way(self) -> None:
        world = World(lamp=Rules(initial=True))
        world.send("lamp", False, 60, transition_s=1.0)
        world.send("lamp", True, 1, transition_s=30.0)
        self.drives(world)
        world.to(1)
        assert self.drives(world) == [(True, False, None)]

    def test_a_latch_ends_a_ramp_towards_safe(self) -> None:
        world = World(lamp=Rules(initial=True))
        world.send("lamp", False, 60, transition_s=30.0)
        self.drives(world)
        world.latch()
        assert self.drives(world) == [(False, False, None)]

    def test_a_renewal_does_not_cut_it(self) -> None:
        world = World(lamp=SWITCH)
        world.send("lamp", True, 5, transition_s=30.0)
        self.drives(world)
        world.send("lamp", True, 5, transition_s=30.0)
        assert self.drives(world) == []


def test_actions_come_in_order_the_pin_first_then_the_answer() -> None:
    world = World(pump=SWITCH)
    world.send("pump", True, 5)
    assert [type(action) for action in world.seen] == [Drive, Accepted]


def test_an_answer_bears_the_very_command_with_the_senders_mark() -> None:
    world = World(pump=SWITCH)
    mark = object()
    world.send("pump", True, 5, reply=mark)
    assert world.last(Accepted).command.reply is mark
    world.send("pump", True, 5, owner="bob", reply=mark)
    assert world.last(Rejected).command.reply is mark


@given(
    ttl=st.floats(0.05, 1e6),
    age=st.floats(0, 0.04),
    start=st.floats(0, 1e6),
)
def test_after_the_tick_at_its_deadline_no_lease_is_left_whatever_the_clock_says(
    ttl: float, age: float, start: float
) -> None:
    world = World(pump=SWITCH, now=start)
    world.send("pump", True, ttl, age=age)
    deadline_s = world["pump"].deadline_s
    assert deadline_s == (start - age) + ttl
    world["pump"].tick(deadline_s)
    assert world.value("pump") is False
    assert world["pump"].deadline_s > deadline_s
