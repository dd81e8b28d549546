"""The first level of an output, and its last: start, memory, ``on_stop``."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pimqtt_agent.rules import KEEP, LAST, Limits, Memory, Rules
from tests.pure.world import MOTOR, START_S, World, heat


def finish(world: World) -> list[str]:
    return [told for output in world.outputs.values() for told in world.note(output.finish(world.now))]


class TestStart:
    def test_level_outputs_start_at_their_resting_value(self) -> None:
        world = World(pump=Rules(initial=True), memory={"pump": Memory(resting=False)})
        assert world.first == {"pump": False}
        assert World(pump=Rules(initial=True)).first == {"pump": True}

    @pytest.mark.parametrize("limits", [Limits(min_off_s=1), Limits(interlock="heat")])
    def test_with_min_off_or_interlock_at_safe_since_the_line_may_have_fallen(self, limits: Limits) -> None:
        world = World(pump=Rules(initial=True, limits=limits))
        assert world.first == {"pump": False}
        world.to(1)
        assert world.value("pump") is True

    def test_motion_starts_at_safe(self) -> None:
        assert World(fan=MOTOR, memory={"fan": Memory(resting=3.0)}).first == {"fan": 0.0}

    def test_a_keepers_leases_end_with_it(self) -> None:
        before = World(pump=Rules(initial=True))
        before.send("pump", False, 60)
        after = World(pump=Rules(initial=True), memory={"pump": before["pump"].memory()})
        assert after.first == {"pump": True}
        assert after["pump"].lease is None

    def test_memory_tells_the_resting_value_and_since_when_it_is_off_or_on(self) -> None:
        world = World(pump=Rules())
        assert world["pump"].memory() == Memory(resting=False, off_since_s=START_S)
        world.to(5)
        world.send("pump", True, 10)
        assert world["pump"].memory() == Memory(resting=False, on_since_s=START_S + 5)
        world.to(15)
        assert world["pump"].memory() == Memory(resting=False, off_since_s=START_S + 15)

    def test_a_clock_that_went_back_does_not_lengthen_min_off(self) -> None:
        world = World(pump=Rules(limits=Limits(min_off_s=5)), memory={"pump": Memory(off_since_s=START_S + 1e6)})
        world.to(5)
        assert world.send("pump", True, 1) == ["pump = True", "pump accepted"]


class TestEnd:
    def test_on_stop_is_the_safe_value_by_default(self) -> None:
        world = World(pump=Rules(initial=True))
        assert finish(world) == ["pump = False"]

    def test_a_value_is_applied(self) -> None:
        assert finish(World(pump=Rules(on_stop=True))) == ["pump = True"]

    def test_keep_keeps_the_resting_value_without_a_twitch(self) -> None:
        world = World(pump=Rules(on_stop=KEEP))
        world.send("pump", True)
        assert set(finish(world)) <= {"pump = True"}  # said again, so that a ramp under way ends

    def test_running_leases_end_with_it_and_are_told(self) -> None:
        world = World(pump=Rules(on_stop=KEEP), oven=Rules())
        world.send("pump", True, 60)
        world.send("oven", True, 60)
        assert finish(world) == ["pump = False", "pump reverted stopped", "oven = False", "oven reverted stopped"]

    @pytest.mark.parametrize("on_stop", [KEEP, 40.0])
    def test_motion_always_ends_at_safe(self, on_stop: object) -> None:
        world = World(fan=replace(MOTOR, on_stop=on_stop))
        world.send("fan", 50.0)
        assert finish(world) == ["fan = 0.0", "fan reverted stopped"]

    def test_it_does_not_change_what_last_comes_back_to(self) -> None:
        world = World(pump=Rules(initial=LAST))
        world.send("pump", True)
        finish(world)
        assert world["pump"].memory().resting is True

    def test_a_latched_output_ends_at_safe(self) -> None:
        world = World(pump=Rules(on_stop=True))
        world.latch()
        assert finish(world) == []
        assert world.value("pump") is False

    def test_a_limit_that_forbids_its_value_leaves_it_at_safe(self) -> None:
        world = World(pump=Rules(on_stop=True, limits=Limits(min_off_s=10)))
        assert finish(world) == []
        assert world.value("pump") is False

    def test_a_command_that_waits_is_answered(self) -> None:
        world = World(up=heat(), down=heat())
        world.to(1)
        world.send("up", True)
        world.send("down", True)
        assert finish(world) == ["down rejected interlock"]

    def test_no_member_of_an_interlock_goes_on_because_another_ends(self) -> None:
        world = World(up=heat(0, initial=True), down=heat(0, initial=True))
        world.to(1)
        assert world.value("up") is True
        assert finish(world) == ["up = False"]
