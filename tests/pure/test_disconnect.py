"""Controller lost: a running lease runs on to its deadline, nothing else; the rest goes where it is told to go."""

from __future__ import annotations

from pimqtt_agent.rules import Limits, OnDisconnect, Rejected, Reverted, Rules
from tests.pure.world import START_S, World

LOST = OnDisconnect(after_s=30.0, value=False)


def heater(*, value: bool = False, initial: bool = True, limits: Limits = Limits()) -> Rules:  # noqa: B008
    return Rules(initial=initial, on_disconnect=OnDisconnect(after_s=30.0, value=value), limits=limits)


def test_after_the_delay_its_value_is_applied_if_no_lease_runs() -> None:
    world = World(heater=heater())
    assert world.to(29.9) == []
    assert world.to(30) == ["heater = False", "heater reverted disconnected"]
    assert world.last(Reverted).lease is None


def test_the_value_becomes_the_resting_value_and_a_running_lease_runs_on_to_its_deadline() -> None:
    world = World(heater=heater())
    world.send("heater", True, 60)
    assert world.to(59.9) == []
    assert world["heater"].resting is False
    assert world.to(60) == ["heater = False", "heater reverted expired"]


def test_it_may_switch_on() -> None:
    world = World(pump=heater(value=True, initial=False))
    assert world.to(30) == ["pump = True", "pump reverted disconnected"]


def test_nothing_is_told_where_nothing_changes() -> None:
    assert World(heater=heater(initial=False)).to(100) == []


def test_the_delay_counts_from_the_last_proof() -> None:
    world = World(heater=heater())
    world.to(25)
    world["heater"].proof(START_S + 20)
    assert world.to(49.9) == []
    assert world.to(50) == ["heater = False", "heater reverted disconnected"]


def test_a_proof_that_comes_out_of_order_does_not_count_backwards() -> None:
    world = World(heater=heater())
    world.to(25)
    world["heater"].proof(START_S + 20)
    world["heater"].proof(START_S + 10)
    assert world["heater"].deadline_s == START_S + 50


def test_being_back_earlier_cancels() -> None:
    world = World(heater=heater())
    world.to(29.9)
    world["heater"].proof(world.now)
    assert world.to(59) == []


def test_being_back_later_restores_nothing() -> None:
    world = World(heater=heater())
    world.to(31)
    world["heater"].proof(world.now)
    assert world.to(40) == []
    assert world.value("heater") is False


def test_being_lost_again_counts_again() -> None:
    world = World(heater=heater())
    world.to(31)
    world["heater"].proof(world.now)
    world.send("heater", True)
    assert world.to(61) == ["heater = False", "heater reverted disconnected"]


def test_a_transition_under_way_in_a_lease_is_not_cut() -> None:
    world = World(heater=heater(initial=False))
    world.to(29)
    world.send("heater", True, 60, transition_s=10.0)
    assert world.to(31) == []


def test_a_latched_output_stays_safe_and_a_reset_starts_nothing() -> None:
    world = World(pump=heater(value=True, initial=False))
    world.latch()
    assert world.to(60) == []
    world.reset()
    assert world.to(120) == []
    assert world.value("pump") is False


def test_limits_are_asked_here_too() -> None:
    world = World(pump=heater(value=True, initial=False, limits=Limits(min_off_s=100)))
    assert world.to(99) == []
    assert world.to(100) == ["pump = True"]


def test_a_command_that_waits_for_a_dead_time_is_answered() -> None:
    limits = Limits(interlock="heat", dead_time_s=5)
    up = Rules(limits=limits)
    world = World(up=up, down=Rules(limits=limits, on_disconnect=OnDisconnect(after_s=30.0, value=False)))
    world.to(10)
    world.send("up", True)
    world.to(28)
    assert world.send("down", True) == ["up = False", "up reverted stopped", "down waits"]
    assert world.to(60) == ["down rejected interlock"]
    assert "controller" in world.last(Rejected).reason
    assert world.value("down") is False


def replaced(world: World, name: str) -> World:
    """The same outputs in the next keeper."""
    output = world[name]
    return World({name: output.rules}, memory={name: output.memory()}, now=world.now)


def test_the_delay_goes_on_in_the_next_keeper() -> None:
    world = World(heater=heater())
    world.to(25)
    after = replaced(world, "heater")
    assert after.to(29.9) == []
    assert after.to(30) == ["heater = False", "heater reverted disconnected"]


def test_what_was_lost_before_is_not_lost_once_more_in_the_next_keeper() -> None:
    world = World(heater=heater())
    world.to(31)
    world.send("heater", True)  # another than its controller sets it meanwhile
    after = replaced(world, "heater")
    assert after.to(100) == []
    after["heater"].proof(after.now)  # it is back, and then lost again
    assert after.to(130) == ["heater = False", "heater reverted disconnected"]


def test_without_on_disconnect_no_proof_is_remembered() -> None:
    world = World(pump=Rules())
    world["pump"].proof(world.now)
    assert world["pump"].memory().proof_s is None
