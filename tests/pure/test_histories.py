"""Any history of commands, stops, latches, resets, lost keepers and time: what must hold holds at every step.

Times are multiples of 1/16 s, so that deadlines, renewals and limits meet exactly. Every output is ticked exactly at
its deadline, as a keeper does. The model below knows nothing of the machine but its actions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from pimqtt_agent.lease import Output
from pimqtt_agent.limits import Interlock
from pimqtt_agent.rules import (
    Accepted,
    Action,
    Command,
    Drive,
    Limits,
    OnDisconnect,
    Rejected,
    Rules,
    Ttl,
    Waiting,
)
from tests.pure.world import MOTOR, SERVO, START_S

SIXTEENTH = 1 / 16
OWNERS = st.sampled_from(["ann", "bob", "anonymous"])
TTLS = st.one_of(st.none(), st.integers(1, 48).map(lambda n: n * SIXTEENTH))


def members(dead_times: tuple[int, int, int], min_off: int, max_on: int | None) -> dict[str, Rules]:
    """Make three interlocked outputs, one of which moves."""
    a, b, c = (time * SIXTEENTH for time in dead_times)
    max_on_s = max_on and max_on * SIXTEENTH
    return {
        "up": Rules(limits=Limits(interlock="way", dead_time_s=a, min_off_s=min_off * SIXTEENTH)),
        "down": Rules(limits=Limits(interlock="way", dead_time_s=b, max_on_s=max_on_s)),
        "winch": replace(MOTOR, limits=Limits(interlock="way", dead_time_s=c)),
    }


@dataclass
class Model:
    """What an output did, seen from outside."""

    value: Any
    on: bool
    on_s: float
    off_s: float
    until_s: float = -1.0  # the deadline of the last command that was taken
    latched: bool = False


class Histories(RuleBasedStateMachine):
    """Drive outputs at random; check each action as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START_S
        self.serial = 0
        self.outputs: dict[str, Output] = {}
        self.models: dict[str, Model] = {}
        self.finals: Counter[int] = Counter()
        self.waiting: set[int] = set()
        self.lost: set[int] = set()
        self.all_rules: dict[str, Rules] = {}

    @initialize(
        dead_times=st.tuples(*[st.integers(0, 12)] * 3),
        min_off=st.integers(0, 32),
        max_on=st.one_of(st.none(), st.integers(1, 48)),
        initial=st.booleans(),
        shared=st.booleans(),
        lost_value=st.booleans(),
    )
    def begin(
        self,
        dead_times: tuple[int, int, int],
        min_off: int,
        max_on: int | None,
        initial: bool,  # noqa: FBT001
        shared: bool,  # noqa: FBT001
        lost_value: bool,  # noqa: FBT001
    ) -> None:
        pump = Rules(
            initial=initial,
            shared=shared,
            ttl=Ttl(),
            limits=Limits(min_off_s=min_off * SIXTEENTH),
            on_disconnect=OnDisconnect(after_s=2.0, value=lost_value),
        )
        oven = Rules(limits=Limits(max_on_s=max_on and max_on * SIXTEENTH))
        self.all_rules = {"pump": pump, "oven": oven, "car": MOTOR, "arm": SERVO}
        self.all_rules |= members(dead_times, min_off, max_on)
        self.start()
        self.settle()

    def start(self) -> None:
        """Make the outputs, on what the ones before left."""
        memory = {name: output.memory() for name, output in self.outputs.items()}
        group = Interlock()
        for name, rules in self.all_rules.items():
            before, model = self.outputs.get(name), self.models.get(name)
            output = Output(name, rules, group if rules.limits.interlock else None)
            value = output.start(self.now, memory.get(name), latched=before.latched if before else False)
            self.outputs[name] = output
            on = rules.is_on(value)
            if model is None:
                model = self.models[name] = Model(value, on, self.now, self.now)
            if model.on and not on:
                model.off_s = self.now
            if on and not model.on:
                model.on_s = self.now
            model.value, model.on, model.until_s = value, on, -1.0
            model.latched = output.latched

    # what happens

    def note(self, actions: list[Action]) -> None:
        """Check each action in its order."""
        for action in actions:
            match action:
                case Drive():
                    self.drive(action)
                case Waiting():
                    assert self.finals[action.command.reply] == 0
                    assert action.command.reply not in self.waiting
                    self.waiting.add(action.command.reply)
                case Accepted() | Rejected():
                    if isinstance(action, Accepted) and self.models[action.output.name].latched:
                        assert action.command.stop, "while latched only stops are taken"
                    self.finals[action.command.reply] += 1
                    self.waiting.discard(action.command.reply)
                case _:
                    pass

    def drive(self, action: Drive) -> None:
        name, value = action.output.name, action.value
        model, rules = self.models[name], self.all_rules[name]
        on = rules.is_on(value)
        if model.latched:
            assert value == rules.safe, f"{name} was driven to {value} while latched"
        if on and not model.on:
            assert self.now >= model.off_s + rules.limits.min_off_s, f"{name}: min_off was not kept"
            for other, other_rules in self.all_rules.items():
                if other != name and rules.limits.interlock and other_rules.limits.interlock:
                    dead_s = max(rules.limits.dead_time_s, other_rules.limits.dead_time_s)
                    assert not self.models[other].on, f"{name} and {other} are on together"
                    assert self.now >= self.models[other].off_s + dead_s, f"{name} after {other}: no dead time"
            model.on_s = self.now
        if model.on and not on:
            model.off_s = self.now
        model.value, model.on = value, on

    def settle(self) -> None:
        """Tick what is due, until nothing is."""
        for _ in range(40):
            due = [output for output in self.outputs.values() if output.deadline_s <= self.now]
            if not due:
                return
            for output in due:
                self.note(output.tick(self.now))
        raise AssertionError(f"deadlines stay in the past: {[(o.name, o.deadline_s - self.now) for o in due]}")

    def snapshot(self) -> Any:
        return [
            (o.lease, o.resting, o.applied, o.latched, o.off_since_s, o.on_since_s, o.waits, o.deadline_s)
            for o in self.outputs.values()
        ]

    @rule(
        name=st.sampled_from(["pump", "oven", "up", "down"]),
        value=st.booleans(),
        ttl=TTLS,
        owner=OWNERS,
        priority=st.integers(0, 2),
        age=st.integers(0, 3),
    )
    def command_a_level(
        self,
        name: str,
        value: bool,  # noqa: FBT001
        ttl: float | None,
        owner: str,
        priority: int,
        age: int,
    ) -> None:
        self.command(name, value, ttl, owner, priority, age, stop=ttl is None and value is False)

    @rule(
        name=st.sampled_from(["car", "winch", "arm"]),
        value=st.sampled_from([0.0, 30.0, -80.0]),
        ttl=st.one_of(st.none(), st.integers(1, 8).map(lambda n: n * SIXTEENTH)),
        owner=OWNERS,
        priority=st.integers(0, 2),
        age=st.integers(0, 3),
    )
    def command_motion(self, name: str, value: float, ttl: float | None, owner: str, priority: int, age: int) -> None:
        self.command(name, value, ttl, owner, priority, age, stop=ttl is None and value == self.all_rules[name].safe)

    def command(
        self, name: str, value: Any, ttl: float | None, owner: str, priority: int, age: int, *, stop: bool
    ) -> None:
        self.serial += 1
        at_s = self.now - age * SIXTEENTH
        command = Command(
            value=value, ttl_s=ttl, stop=stop, owner=owner, priority=priority, at_s=at_s, reply=self.serial
        )
        before = self.snapshot()
        actions = self.outputs[name].command(self.now, command)
        mine = [action for action in actions if not isinstance(action, Drive) and self.is_mine(action)]
        assert len(mine) == 1, f"one answer at once, not {mine}"
        if isinstance(mine[0], Rejected):
            assert not stop, "a stop is never refused"
            assert actions == mine, "a refused command causes nothing"
            assert self.snapshot() == before, "a refused command changes nothing"
        else:
            model, rules = self.models[name], self.all_rules[name]
            lasts_s = rules.deadman_s if ttl is None and rules.motion != "level" else ttl
            model.until_s = -1.0 if stop or lasts_s is None else at_s + lasts_s
        self.note(actions)
        self.settle()

    def is_mine(self, action: Any) -> bool:
        return isinstance(action, Accepted | Rejected | Waiting) and action.command.reply == self.serial

    @rule(name=st.sampled_from(["pump", "oven", "car", "arm", "up", "down", "winch"]), owner=OWNERS)
    def stop(self, name: str, owner: str) -> None:
        self.command(name, self.all_rules[name].safe, None, owner, 0, 0, stop=True)
        assert self.models[name].value == self.all_rules[name].safe

    @rule(name=st.sampled_from(["pump", "oven", "car", "arm", "up", "down", "winch"]))
    def latch(self, name: str) -> None:
        actions = self.outputs[name].latch(self.now)
        self.models[name].latched = True
        self.note(actions)
        assert self.models[name].value == self.all_rules[name].safe
        self.settle()

    @rule()
    def reset(self) -> None:
        values = {name: model.value for name, model in self.models.items()}
        for output in self.outputs.values():
            output.reset()
            self.models[output.name].latched = False
        self.settle()
        assert values == {name: model.value for name, model in self.models.items()}, "a reset starts nothing"

    @rule()
    def controller_alive(self) -> None:
        self.outputs["pump"].proof(self.now)
        self.settle()

    @rule(steps=st.integers(1, 40))
    def time_passes(self, steps: int) -> None:
        end_s = self.now + steps * SIXTEENTH
        while True:
            due_s = min(output.deadline_s for output in self.outputs.values())
            if due_s > end_s:
                break
            self.now = max(self.now, due_s)
            self.settle()
            self.what_must_hold()
        self.now = end_s

    @precondition(lambda self: bool(self.outputs))
    @rule(steps=st.integers(0, 16))
    def the_keeper_dies(self, steps: int) -> None:
        self.lost |= self.waiting
        self.waiting.clear()
        self.now += steps * SIXTEENTH
        self.start()
        self.settle()

    # what must hold

    @invariant()
    def what_must_hold(self) -> None:
        for name, output in self.outputs.items():
            model, rules = self.models[name], self.all_rules[name]
            assert output.applied == model.value
            assert output.deadline_s > self.now
            if model.value not in (output.resting, rules.safe):
                assert self.now < model.until_s, f"{name} is {model.value} past its lease"
            if rules.motion != "level":
                assert output.resting == rules.safe
                assert model.value == rules.safe or self.now < model.until_s, f"{name} moves without a lease"
            if output.lease:
                assert self.now < output.lease.deadline_s
            if output.wants_on and not output.on:
                others = output.interlock.others(output) if output.interlock else []
                wakes = any(other.on or other.waits for other in others)
                assert wakes or output._retry_s < inf, f"{name} would never go on"
            if model.latched:
                assert output.latched
                assert model.value == rules.safe
                assert output.lease is None
            if rules.limits.max_on_s is not None and model.on:
                assert self.now < model.on_s + rules.limits.max_on_s, f"{name}: max_on was exceeded"
        assert sum(self.models[name].on for name in ("up", "down", "winch") if name in self.models) <= 1

    @invariant()
    def every_command_has_one_answer(self) -> None:
        for serial in range(1, self.serial + 1):
            finals = self.finals[serial]
            assert finals == (0 if serial in self.waiting or serial in self.lost else 1), f"{finals} answers"
        assert {o.waits for o in self.outputs.values()} <= {False, True}
        assert sum(output.waits for output in self.outputs.values()) == len(self.waiting)

    def teardown(self) -> None:
        """What waits is answered when the end comes, and nothing goes on because of it."""
        for output in self.outputs.values():
            self.note(output.finish(self.now))
        if self.outputs:
            assert not self.waiting
            for name in ("car", "winch", "arm", "pump", "oven", "up", "down"):
                assert not self.models[name].on


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
