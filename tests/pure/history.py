"""The steps of any history: commands, stops, latches, proofs, time and lost keepers, on the machine and on its models.

Times are multiples of 1/16 s, so that deadlines, renewals and limits meet exactly. Every output is ticked exactly at
its deadline, as a keeper does.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pimqtt_agent.lease import Output
from pimqtt_agent.limits import Interlock
from pimqtt_agent.rules import Accepted, Action, Command, Drive, Rejected, Reverted, Rules, Waiting
from tests.pure.history_model import Model
from tests.pure.world import START_S

SIXTEENTH = 1 / 16
OWNERS = st.sampled_from(["ann", "bob", "anonymous"])
WHICH = st.integers(0, 11)
TTLS = st.one_of(st.none(), st.integers(1, 48).map(lambda n: n * SIXTEENTH))


class History(RuleBasedStateMachine):
    """Drives outputs at random and checks each action as it comes. A subclass begins with ``setting_out``."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START_S
        self.serial = 0
        self.outputs: dict[str, Output] = {}
        self.models: dict[str, Model] = {}
        self.finals: Counter[int] = Counter()
        self.ended: Counter[tuple[str, str, str]] = Counter()
        self.waiting: set[int] = set()
        self.lost: set[int] = set()
        self.all_rules: dict[str, Rules] = {}

    def setting_out(self, all_rules: dict[str, Rules]) -> None:
        """Make the outputs."""
        self.all_rules = all_rules
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
            if model is None:
                off = rules.off
                model = self.models[name] = Model(name, rules, off, self.now, self.now, proof_s=self.now)
            model.dies()
            model.observed(self.now, value)

    def others(self, name: str) -> list[Model]:
        """The other members of its interlock."""
        group = self.all_rules[name].limits.interlock
        models = self.models.values()
        return [m for m in models if group and m.name != name and m.rules.limits.interlock == group]

    # what happens

    def note(self, actions: list[Action]) -> None:
        """Check each action in its order."""
        driven: set[Output] = set()
        for action in actions:
            match action:
                case Drive():
                    self.drive(action)
                    driven.add(action.output)
                case Waiting():
                    assert self.finals[action.command.reply] == 0
                    assert action.command.reply not in self.waiting
                    self.waiting.add(action.command.reply)
                case Accepted() | Rejected():
                    if isinstance(action, Accepted) and self.models[action.output.name].latched:
                        assert action.command.stop, "while latched only stops are taken"
                    self.finals[action.command.reply] += 1
                    self.waiting.discard(action.command.reply)
                case Reverted():
                    assert action.lease or action.output in driven, "where no lease ended it tells of a change"
                    if action.lease:
                        self.ended[action.output.name, action.cause, action.lease.owner] += 1

    def drive(self, action: Drive) -> None:
        name, value = action.output.name, action.value
        model, rules = self.models[name], self.all_rules[name]
        on = rules.is_on(value)
        if model.latched:
            assert value == rules.safe, f"{name} was driven to {value} while latched"
        if on and not model.on:
            assert self.now >= model.off_s + rules.limits.min_off_s, f"{name}: min_off was not kept"
            for other in self.others(name):
                dead_s = max(rules.limits.dead_time_s, other.rules.limits.dead_time_s)
                assert not other.on, f"{name} and {other.name} are on together"
                assert self.now >= other.off_s + dead_s, f"{name} after {other.name}: no dead time"
        model.observed(self.now, value)

    def settle(self) -> None:
        """Tick what is due, until nothing is."""
        for _ in range(40):
            for model in self.models.values():
                model.pass_time(self.now)
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

    def named(self, which: int, *, moves: bool | None = None) -> str:
        """Pick an output: one of those that move, or do not, where that matters."""
        names = [name for name, model in self.models.items() if moves in (None, model.moves)]
        return names[which % len(names)]

    @rule(
        which=WHICH, on=st.booleans(), ttl=TTLS, owner=OWNERS, priority=st.integers(0, 2), age=st.integers(0, 3)
    )  # fmt: skip
    def command_a_level(self, which: int, *, on: bool, ttl: float | None, **fields: Any) -> None:
        name = self.named(which, moves=False)
        rules = self.all_rules[name]
        value = (40.0 if on else rules.safe) if rules.setting else on
        self.command(name, value, ttl, stop=ttl is None and value == rules.safe and not rules.setting, **fields)

    @rule(
        which=WHICH, value=st.sampled_from([0.0, 30.0, -80.0]),
        ttl=st.one_of(st.none(), st.integers(1, 8).map(lambda n: n * SIXTEENTH)), owner=OWNERS,
        priority=st.integers(0, 2), age=st.integers(0, 3),
    )  # fmt: skip
    def command_motion(self, which: int, value: float, ttl: float | None, **fields: Any) -> None:
        name = self.named(which, moves=True)
        self.command(name, value, ttl, stop=ttl is None and value == self.all_rules[name].safe, **fields)

    def command(
        self, name: str, value: Any, ttl: float | None, *, stop: bool, owner: str, priority: int = 0, age: int = 0,
        token: float | None = None, stale: str = "",
    ) -> None:  # fmt: skip
        self.serial += 1
        command = Command(
            value=value, ttl_s=ttl, stop=stop, owner=owner, priority=priority, at_s=self.now - age * SIXTEENTH,
            token_age_s=token, stale=stale, reply=self.serial,
        )  # fmt: skip
        code = "" if stop else self.models[name].refusal(self.now, command, self.others(name))
        before = self.snapshot()
        actions = self.outputs[name].command(self.now, command)
        mine = [action for action in actions if not isinstance(action, Drive) and self.is_mine(action)]
        assert len(mine) == 1, f"one answer at once, not {mine}"
        (answer,) = mine
        assert (answer.code if isinstance(answer, Rejected) else "") == code
        if code:
            assert actions == mine, "a refused command causes nothing"
            assert self.snapshot() == before, "a refused command changes nothing"
            self.models[name].refused(self.now, command, code)
        else:
            self.take(name, command, waits=isinstance(answer, Waiting))
        self.note(actions)
        self.settle()

    def take(self, name: str, command: Command, *, waits: bool) -> None:
        """Note in the models that a command was taken."""
        model = self.models[name]
        if command.stop:
            model.stop(self.now, command.owner)
            return
        if self.all_rules[name].is_on(command.value) and not model.on:
            for other in self.others(name):
                if other.on or other.wants_on:
                    other.gives_way(self.now, command.owner)
                if other.on:
                    other.off_s = self.now
        assert waits == model.waits_for(self.now, command, self.others(name))
        model.taken(self.now, command, waits=waits)

    def is_mine(self, action: Any) -> bool:
        return isinstance(action, Accepted | Rejected | Waiting) and action.command.reply == self.serial

    @rule(which=WHICH, owner=OWNERS)
    def stop(self, which: int, owner: str) -> None:
        name = self.named(which)
        if not self.all_rules[name].setting:
            self.command(name, self.all_rules[name].safe, None, stop=True, owner=owner)
            assert self.models[name].value == self.all_rules[name].safe

    @rule(which=WHICH)
    def latch(self, which: int) -> None:
        self.latch_one(self.named(which))

    def latch_one(self, name: str) -> None:
        actions = self.outputs[name].latch(self.now)
        self.models[name].latch(self.now)
        self.note(actions)
        assert self.models[name].value == self.all_rules[name].safe or self.all_rules[name].setting
        self.settle()

    @rule()
    def reset(self) -> None:
        self.reset_all()

    def reset_all(self) -> None:
        values = {name: model.value for name, model in self.models.items()}
        for output in self.outputs.values():
            output.reset()
            self.models[output.name].latched = False
        self.settle()
        assert values == {name: model.value for name, model in self.models.items()}, "a reset starts nothing"

    @rule(age=st.integers(0, 8))
    def controller_alive(self, age: int) -> None:
        for name, output in self.outputs.items():
            output.proof(self.now - age * SIXTEENTH)
            self.models[name].proof(self.now - age * SIXTEENTH)
        self.settle()

    @rule(steps=st.integers(1, 40))
    def time_passes(self, steps: int) -> None:
        self.wait(steps)

    def wait(self, steps: int) -> None:
        end_s = self.now + steps * SIXTEENTH
        while True:
            due_s = min(output.deadline_s for output in self.outputs.values())
            if due_s > end_s:
                break
            self.now = max(self.now, due_s)
            self.settle()
            self.what_must_hold()
        self.now = end_s
        self.settle()

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
            lease, held = output.lease, model.lease
            assert (lease and (lease.value, lease.owner, lease.priority, lease.deadline_s)) == (
                held and (held.value, held.owner, held.priority, held.until_s)
            ), name
            assert output.resting == model.resting, f"{name} rests elsewhere"
            assert (output.latched, output.applied) == (model.latched, model.value), name
            assert model.value in ((model.wanted, rules.safe) if model.limited else (model.wanted,)), name
            assert output.memory().resting == model.settled, f"the next keeper of {name} would rest elsewhere"
            assert output.deadline_s > self.now
            assert output.waits == model.waits, name
            if output.wants_on and not output.on:
                others = output.interlock.others(output) if output.interlock else []
                wakes = any(other.on or other.waits for other in others)
                assert wakes or output._retry_s < inf, f"{name} would never go on"
            if rules.limits.max_on_s is not None and model.on:
                assert self.now < model.on_s + rules.limits.max_on_s, f"{name}: max_on was exceeded"
            assert not (model.on and any(other.on for other in self.others(name)))
        ends = {(name, *which): n for name, model in self.models.items() for which, n in model.ended.items()}
        assert self.ended == ends, "each end of a lease is told once, with its cause and owner"

    @invariant()
    def every_command_has_one_answer(self) -> None:
        for serial in range(1, self.serial + 1):
            finals = self.finals[serial]
            assert finals == (0 if serial in self.waiting or serial in self.lost else 1), f"{finals} answers"
        assert sum(output.waits for output in self.outputs.values()) == len(self.waiting)

    def teardown(self) -> None:
        """What waits is answered when the end comes, nothing goes on because of it, `on_stop` is applied."""
        rests = {name: model.settled for name, model in self.models.items()}
        for name, output in self.outputs.items():
            model = self.models[name]
            last = model.last_value
            self.note(output.finish(self.now))
            assert model.value in ((last, model.rules.safe) if model.limited else (last,)), name
        assert {name: output.memory().resting for name, output in self.outputs.items()} == rests
        assert not self.waiting
