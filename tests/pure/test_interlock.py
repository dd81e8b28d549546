"""Interlock: two members are never on together, and between them lies the dead time."""

from __future__ import annotations

from msgspec.structs import replace

from pimqtt_agent.rules import Drive, Limits, Memory, Rejected, Rules
from tests.pure.world import MOTOR, START_S, World, heat

HALF = heat(0.5)
MOVING = replace(MOTOR, limits=Limits(interlock="heat", dead_time_s=0.25))


def ready(**rules: Rules) -> World:
    """Members whose start is long past."""
    world = World(rules or {"up": HALF, "down": HALF})
    world.to(10)
    return world


def test_on_turns_off_the_other_member_waits_the_dead_time_then_goes_on() -> None:
    world = ready()
    world.send("up", True)
    assert world.send("down", True) == ["up = False", "up reverted stopped", "down waits"]
    assert world.to(10.49) == []
    assert world.to(10.5) == ["down = True", "down accepted"]
    assert world["up"].resting is False
    assert world.to(100) == []


def test_without_a_dead_time_it_goes_on_at_once_the_other_off_first() -> None:
    world = ready(up=heat(0), down=heat(0))
    world.send("up", True, 60)
    assert world.send("down", True) == ["up = False", "up reverted stopped", "down = True", "down accepted"]


def test_the_longer_dead_time_of_the_two_counts() -> None:
    world = ready(up=heat(2), down=heat(0.5))
    world.send("up", True)
    world.send("down", True)
    assert world.to(11.99) == []
    assert world.to(12) == ["down = True", "down accepted"]


def test_it_is_kept_also_where_the_other_went_off_by_itself() -> None:
    world = ready()
    world.send("up", True, 1)
    world.to(11.25)
    assert world.send("down", True) == ["down waits"]
    assert world.to(11.5) == ["down = True", "down accepted"]


def test_it_is_rejected_where_the_command_could_not_have_turned_off_the_other_member() -> None:
    world = ready()
    world.send("up", True, 60, owner="ann", priority=5)
    assert world.send("down", True, owner="bob", priority=5) == ["down rejected interlock"]
    rejected = world.last(Rejected)
    assert rejected.extra == {"holder": "ann"}
    assert "up" in rejected.reason
    assert world.value("up") is True
    assert world.send("down", True, owner="bob", priority=6)[-1] == "down waits"


def test_a_member_that_waits_is_protected_like_one_that_is_on() -> None:
    world = ready()
    world.send("up", True)
    assert world.send("down", True, 60, owner="ann", priority=5)[-1] == "down waits"
    assert world.send("up", True, owner="bob") == ["up rejected interlock"]
    assert world.to(10.5) == ["down = True", "down accepted"]


def test_shared_control_of_the_other_member_lets_everybody_turn_it_off() -> None:
    world = ready(up=replace(HALF, shared=True), down=HALF)
    world.send("up", True, 60, owner="ann", priority=9)
    assert world.send("down", True, owner="bob")[-1] == "down waits"


class TestStillTheNewest:
    def test_a_newer_command_of_the_same_output_takes_its_place(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True, id="first")
        assert world.send("down", True, id="second") == ["down rejected interlock", "down waits"]
        assert world.last(Rejected).command.id == "first"
        assert world.to(10.5) == ["down = True", "down accepted"]

    def test_a_newer_command_of_the_other_output_takes_its_place(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True)
        assert world.send("up", True) == ["down rejected interlock", "up = True", "up accepted"]
        assert world.to(60) == []

    def test_of_three_the_last_one_goes_on(self) -> None:
        world = ready(up=HALF, down=HALF, side=HALF)
        world.send("up", True)
        world.send("down", True)
        world.to(10.25)
        assert world.send("side", True) == ["down rejected interlock", "side waits"]
        assert world.to(60) == ["side = True", "side accepted"]

    def test_off_ends_the_waiting(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True)
        assert world.stop("down") == ["down rejected interlock", "down accepted"]
        assert world.to(60) == []

    def test_so_does_the_end_of_its_own_lease(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True, 0.25)
        assert world.to(60) == ["down rejected interlock", "down reverted expired"]

    def test_what_never_went_on_is_not_what_a_later_lease_ends_at(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True)  # for good; it waits
        assert world.send("down", False, 5) == ["down rejected interlock", "down accepted"]
        assert world["down"].resting is False
        assert world.to(60) == ["down reverted expired"]

    def test_a_lease_that_waits_in_its_place_ends_where_it_rested_before(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True)
        assert world.send("down", True, 2) == ["down rejected interlock", "down waits"]
        assert world.to(11.99) == ["down = True", "down accepted"]
        assert world.to(12) == ["down = False", "down reverted expired"]

    def test_where_it_rested_on_before_it_still_does(self) -> None:
        world = World(up=heat(), down=heat(initial=True))
        world.send("down", True)
        assert world["down"].memory().resting is True  # of the next keeper
        world.send("down", False, 2)
        assert world.to(2) == ["down = True", "down reverted expired"]

    def test_hardware_that_fails_meanwhile_does_not_make_it_rest_there(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("down", True)
        assert world.note(world["down"].fail(world.now)) == ["down rejected interlock"]
        assert world["down"].resting is False

    def test_a_revert_of_a_third_member_does_not_overtake_it(self) -> None:
        world = ready(side=HALF, up=HALF, down=HALF)
        world.send("side", True)
        world.send("side", False, 5.25, owner="ann")
        world.to(15)
        world.send("up", True)
        world.send("down", True)
        assert world.to(15.5) == ["side reverted expired", "down = True", "down accepted"]

    def test_where_it_ends_before_it_went_on_the_third_member_may(self) -> None:
        world = ready(side=HALF, up=HALF, down=HALF)
        world.send("side", True)
        world.send("side", False, 5.25, owner="ann")
        world.to(15)
        world.send("up", True)
        world.send("down", True)
        world.to(15.375)
        assert world.stop("down") == ["down rejected interlock", "down accepted"]
        assert world.to(15.49) == []
        assert world.to(15.5) == ["side = True"]

    def test_a_renewal_does_not_end_what_another_member_rests_at(self) -> None:
        world = ready()
        world.send("up", True)
        world.send("up", False, 5, owner="ann")
        world.to(12)
        world.send("down", True, 5)
        world.to(16)
        assert world.send("down", True, 1) == ["down accepted"]
        assert world.to(17) == ["down = False", "down reverted expired"]
        assert world.to(17.5) == ["up = True"]


def test_what_it_forbids_at_a_revert_goes_on_when_the_other_is_off() -> None:
    world = ready()
    world.send("up", True)
    world.send("up", False, 5, owner="ann")
    world.to(11)
    world.send("down", True, 10)
    assert world.to(15) == ["up reverted expired"]
    assert world.value("up") is False
    assert world.to(21) == ["down = False", "down reverted expired"]
    assert world.to(21.49) == []
    assert world.to(21.5) == ["up = True"]


def test_two_members_that_both_rest_on_do_not_go_on_together_at_the_start() -> None:
    world = World(up=heat(0.5, initial=True), down=heat(0.5, initial=True))
    assert world.first == {"up": False, "down": False}
    assert world.to(0.5) == ["up = True"]
    assert world.to(60) == []
    world.stop("up")
    assert world.to(60.5) == ["down = True"]


def test_the_dead_time_is_kept_also_across_restarts() -> None:
    before = ready()
    before.send("up", True, 60)
    memory = {name: output.memory() for name, output in before.outputs.items()}
    world = World(up=HALF, down=HALF, memory=memory, now=before.now)
    assert world.first == {"up": False, "down": False}
    assert world.send("down", True) == ["down waits"]
    assert world.to(10.49) == []
    assert world.to(10.5) == ["down = True", "down accepted"]


def test_a_member_off_for_long_need_not_wait_again_after_a_restart() -> None:
    long_ago = Memory(resting=False, off_since_s=START_S - 100)
    world = World(up=HALF, down=HALF, memory={"up": long_ago, "down": long_ago})
    assert world.send("up", True) == ["up = True", "up accepted"]


def test_min_off_comes_after_the_interlock_and_both_are_kept() -> None:
    rules = Rules(limits=Limits(interlock="heat", dead_time_s=0.5, min_off_s=5))
    world = ready(up=rules, down=rules)
    world.send("up", True)
    world.send("down", True)
    world.to(11)
    assert world.send("up", True) == ["up rejected min_off"]
    assert world.value("down") is True


def test_off_takes_no_time_where_another_may_follow() -> None:
    world = ready()
    world.send("up", True, transition_s=5.0)
    world.send("up", False, 60, transition_s=5.0)
    assert [(act.value, act.shaped) for act in world.seen if isinstance(act, Drive)] == [(True, True), (False, False)]


def test_a_command_that_waited_is_shaped_like_any_other() -> None:
    world = ready()
    world.send("up", True)
    world.send("down", True, transition_s=5.0)
    world.to(10.5)
    drive = world.last(Drive)
    assert (drive.value, drive.shaped, drive.transition_s) == (True, True, 5.0)


class TestMotion:
    def test_who_was_turned_off_by_another_must_let_go(self) -> None:
        world = ready(left=MOVING, right=MOVING)
        world.send("left", 50.0, owner="ann")
        world.send("right", 50.0, owner="bob", priority=1)
        world.stop("right", "bob")
        world.to(10.25)
        assert world.send("left", 50.0, owner="ann") == ["left rejected let_go"]

    def test_its_own_owner_need_not(self) -> None:
        world = ready(left=MOVING, right=MOVING)
        world.send("left", 50.0, owner="ann")
        world.send("right", 50.0, owner="ann")
        world.to(10.25)
        assert world.send("left", 50.0, owner="ann")[-1] == "left waits"

    def test_renewals_during_the_dead_time_bring_it_on_when_that_is_over(self) -> None:
        world = ready(left=MOVING, right=MOVING)
        world.send("left", 50.0)
        told = world.send("right", 50.0)
        for step in range(1, 4):
            told += world.to(10 + step / 8)
            told += world.send("right", 50.0)
        assert [text for text in told if text.startswith("right =")] == ["right = 50.0"]
        assert world.value("right") == 50.0
