"""Each kind says what it is: a level, continuous motion under a dead-man, or bounded motion that ends where it is."""

from __future__ import annotations

from msgspec.structs import replace

from pimqtt_agent.rules import Memory, OnDisconnect, Reverted
from tests.pure.world import MOTOR, SERVO, World


class TestContinuous:
    def test_it_stops_when_commands_stop_coming(self) -> None:
        world = World(fan=MOTOR)
        for step in range(20):
            world.to(step * 0.25)
            world.send("fan", 50.0, 0.5)
        assert world.to(5.24) == []
        assert world.to(5.25) == ["fan = 0.0", "fan reverted expired"]

    def test_it_never_moves_without_a_lease(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0)
        lease = world["fan"].lease
        assert lease
        assert lease.deadline_s == world.now + MOTOR.deadman_s

    def test_a_ttl_below_the_dead_man_counts(self) -> None:
        world = World(fan=MOTOR)
        world.send("fan", 50.0, 0.125)
        assert world.to(0.125) == ["fan = 0.0", "fan reverted expired"]

    def test_no_memory_and_no_lost_controller_make_it_move(self) -> None:
        rules = replace(MOTOR, on_disconnect=OnDisconnect(after_s=2.0, value=80.0))
        world = World(fan=rules, memory={"fan": Memory(resting=80.0)})
        assert world.to(60) == []
        assert world.value("fan") == world["fan"].resting == 0.0


class TestBounded:
    def test_one_command_is_a_lease_of_its_longest_travel_and_ends_where_it_is(self) -> None:
        world = World(arm=SERVO)
        assert world.send("arm", 90.0, 2.0) == ["arm = 90.0", "arm accepted"]
        assert world.to(2) == ["arm = None"]
        assert not [action for action in world.seen if isinstance(action, Reverted)]
        assert world["arm"].lease is None

    def test_while_it_travels_its_owner_holds_it(self) -> None:
        world = World(arm=SERVO)
        world.send("arm", 90.0, 2.0, owner="ann")
        assert world.send("arm", 0.0, 2.0, owner="bob") == ["arm rejected held"]
        world.to(2.5)
        assert world.send("arm", 0.0, 2.0, owner="bob") == ["arm = 0.0", "arm accepted"]

    def test_a_stop_ends_it_and_is_told(self) -> None:
        world = World(arm=SERVO)
        world.send("arm", 90.0, 2.0)
        assert world.stop("arm", "bob") == ["arm = None", "arm reverted stopped", "arm accepted"]
        assert world.send("arm", 90.0, 2.0, owner="ann") == ["arm rejected let_go"]

    def test_an_emergency_stop_ends_it_and_is_told(self) -> None:
        world = World(arm=SERVO)
        world.send("arm", 90.0, 2.0)
        assert world.latch() == ["arm = None", "arm reverted emergency"]

    def test_it_starts_staying_where_it_is(self) -> None:
        assert World(arm=SERVO, memory={"arm": Memory(resting=45.0)}).first == {"arm": None}
