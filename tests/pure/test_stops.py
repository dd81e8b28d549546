"""Stops and emergency stops: taken from anyone, at once, and what is left after them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pimqtt_agent.commands import open_envelope, read
from pimqtt_agent.entities import Number
from pimqtt_agent.rules import KEEP, Memory, Reverted, Rules
from tests.pure.world import MOTOR, SWITCH, World, heat


class TestStop:
    @pytest.mark.parametrize("owner", ["ann", "bob", "anonymous"])
    def test_it_is_taken_from_anyone_whoever_holds_the_lease(self, owner: str) -> None:
        world = World(pump=SWITCH)
        world.send("pump", True, 60, owner="ann", priority=9)
        assert world.stop("pump", owner) == ["pump = False", "pump reverted stopped", "pump accepted"]
        assert world.last(Reverted).lease.owner == "ann"

    def test_it_ends_the_lease_and_becomes_the_resting_value(self) -> None:
        world = World(pump=Rules(initial=True))
        world.send("pump", True, 5)
        world.stop("pump")
        assert world["pump"].lease is None
        assert world["pump"].resting is False
        assert world.to(60) == []

    def test_at_rest_it_is_accepted_and_nothing_was_reverted(self) -> None:
        world = World(pump=Rules(initial=True))
        assert world.stop("pump") == ["pump = False", "pump accepted"]
        assert world.stop("pump") == ["pump accepted"]

    def test_it_goes_to_the_safe_value_also_where_that_is_on(self) -> None:
        world = World(valve=Rules(safe=True, initial=True))
        world.send("valve", False, 60)
        assert world.stop("valve") == ["valve = True", "valve reverted stopped", "valve accepted"]

    def test_it_is_accepted_while_latched_and_starts_nothing(self) -> None:
        world = World(pump=SWITCH)
        world.latch()
        assert world.stop("pump") == ["pump accepted"]
        assert world["pump"].latched

    def test_staleness_tokens_and_limits_do_not_touch_it(self) -> None:
        world = World(pump=replace(SWITCH, token_required=True))
        assert world.send("pump", False, stop=True, stale="old", age=99.0, token_age_s=50.0) == ["pump accepted"]


class TestSetting:
    """A speed limit drives nothing by itself: raising it to its safe value would undo what it was set for."""

    LIMIT = Rules(safe=100.0, off=100.0, initial=100.0, on_stop=KEEP, setting=True)

    def test_an_emergency_stop_and_its_reset_leave_it_as_it_is(self) -> None:
        world = World(limit=self.LIMIT)
        world.send("limit", 20.0)
        assert world.latch() == []
        world.reset()
        assert world.to(1000) == []
        assert (world.value("limit"), world["limit"].resting) == (20.0, 20.0)

    def test_a_lease_of_it_runs_on(self) -> None:
        world = World(limit=self.LIMIT)
        world.send("limit", 50.0)
        world.send("limit", 20.0, 60)
        assert world.latch() == []
        assert world.to(59) == []
        assert world.to(61) == ["limit = 50.0", "limit reverted expired"]

    def test_it_may_be_set_while_what_it_limits_is_latched(self) -> None:
        world = World(limit=self.LIMIT, memory={"limit": Memory(resting=20.0)}, latched=True)
        assert world.first == {"limit": 20.0}
        assert world.send("limit", 30.0) == ["limit = 30.0", "limit accepted"]

    def test_its_highest_value_is_a_command_like_another(self) -> None:
        limit = Number(key="limit", rules=self.LIMIT, max=100)
        assert not read(limit, open_envelope(b"100")).stop
        world = World(limit=self.LIMIT)
        world.send("limit", 20.0, 60, owner="ann", priority=1)
        assert world.send("limit", 100.0, owner="bob") == ["limit rejected held"]

    def test_the_end_of_the_run_leaves_it_and_ends_its_lease(self) -> None:
        world = World(limit=self.LIMIT)
        world.send("limit", 50.0)
        world.send("limit", 20.0, 60)
        assert world.note(world["limit"].finish(world.now)) == ["limit = 50.0", "limit reverted stopped"]

    def test_nobody_beats_fast_for_it(self) -> None:
        world = World(limit=self.LIMIT, pump=SWITCH)
        world.send("limit", 20.0)
        assert not world["limit"].busy
        world.send("limit", 20.0, 60)
        world.send("pump", True)
        assert (world["limit"].busy, world["pump"].busy) == (True, True)


class TestEmergencyStop:
    def test_it_latches_at_the_safe_value(self) -> None:
        world = World(pump=SWITCH, fan=MOTOR)
        world.send("pump", True, 60)
        world.send("fan", 50.0)
        assert world.latch() == [
            "pump = False",
            "pump reverted emergency",
            "fan = 0.0",
            "fan reverted emergency",
        ]
        assert world.send("pump", True) == ["pump rejected latched"]
        assert world.send("pump", False, 5) == ["pump rejected latched"]
        assert world.send("fan", 1.0, priority=9, owner="boss") == ["fan rejected latched"]

    def test_it_is_told_also_where_no_lease_ran(self) -> None:
        world = World(pump=Rules(initial=True))
        assert world.latch() == ["pump = False", "pump reverted emergency"]
        assert world.last(Reverted).lease is None

    def test_where_all_is_safe_there_is_nothing_to_tell(self) -> None:
        world = World(pump=SWITCH)
        assert world.latch() == []
        assert world.latch() == []

    def test_no_time_leaves_it(self) -> None:
        world = World(pump=replace(SWITCH, initial=True))
        world.latch()
        assert world.to(1e6) == []

    def test_a_reset_starts_nothing(self) -> None:
        world = World(pump=Rules(initial=True), fan=MOTOR)
        world.send("pump", True, 600)
        world.send("fan", 50.0)
        world.latch()
        world.reset()
        assert world.to(1000) == []
        assert (world.value("pump"), world.value("fan")) == (False, 0.0)

    def test_after_a_reset_commands_are_taken_again(self) -> None:
        world = World(pump=SWITCH)
        world.latch()
        world.reset()
        assert world.send("pump", True) == ["pump = True", "pump accepted"]

    def test_a_latch_survives_a_keeper(self) -> None:
        world = World(pump=Rules(initial=True), memory={"pump": Memory(resting=True)}, latched=True)
        assert world.first == {"pump": False}
        assert world.to(10) == []
        assert world.send("pump", True) == ["pump rejected latched"]
        world.reset()
        assert world.to(20) == []

    def test_it_ends_a_command_that_waits_for_a_dead_time(self) -> None:
        world = World(up=heat(), down=heat())
        world.to(1)
        world.send("up", True)
        world.send("down", True, 60)
        assert world.latch("down") == ["down rejected interlock", "down reverted emergency"]
        assert world.to(60) == []
        world.reset()
        assert world.to(120) == []
        assert world.value("down") is False
