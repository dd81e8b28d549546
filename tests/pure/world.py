"""Outputs on a bench without pins: the test turns the clock, every tick comes exactly when it is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pimqtt_agent.lease import Output
from pimqtt_agent.limits import Interlock
from pimqtt_agent.rules import (
    Accepted,
    Action,
    Command,
    Drive,
    Limits,
    Memory,
    Motion,
    Rejected,
    Reverted,
    Rules,
    Ttl,
    Waiting,
)

#: Every code of a rejection.
CODES = {
    "invalid", "out_of_range", "ttl_range", "ttl_required", "stale", "retained", "held", "let_go", "latched",
    "not_armed", "token", "interlock", "min_off", "unavailable", "unknown", "forbidden", "too_large",
}  # fmt: skip
START_S = 64.0
SWITCH = Rules()
MOTOR = Rules(
    motion=Motion.CONTINUOUS, safe=0.0, off=0.0, initial=0.0, on_stop=0.0, ttl=Ttl(default=0.5, max=0.5), deadman_s=0.5
)
SERVO = Rules(motion=Motion.BOUNDED, safe=None, off=None, initial=None, on_stop=None, ttl=Ttl(default=2.0, max=2.0))


def word(action: Action) -> str:
    """Say an action in words: ``pump = True``, ``pump accepted``, ``pump rejected held``, ``pump reverted expired``."""
    name = action.output.name
    match action:
        case Drive():
            return f"{name} = {action.value}"
        case Accepted():
            return f"{name} accepted"
        case Waiting():
            return f"{name} waits"
        case Rejected():
            return f"{name} rejected {action.code}"
        case Reverted():
            return f"{name} reverted {action.cause}"


class World:
    """Outputs by name, and what they did."""

    def __init__(
        self,
        all_rules: dict[str, Rules] | None = None,
        *,
        memory: dict[str, Memory] | None = None,
        latched: bool = False,
        now: float = START_S,
        **rules: Rules,
    ) -> None:
        self.now = now
        self.outputs: dict[str, Output] = {}
        self.seen: list[Action] = []
        groups: dict[str, Interlock] = {}
        for name, rule in {**(all_rules or {}), **rules}.items():
            group = rule.limits.interlock
            interlock = groups.setdefault(group, Interlock()) if group else None
            self.outputs[name] = Output(name, rule, interlock)
        first = {
            name: output.start(now, (memory or {}).get(name), latched=latched) for name, output in self.outputs.items()
        }
        self.first = first

    def __getitem__(self, name: str) -> Output:
        return self.outputs[name]

    @property
    def deadline_s(self) -> float:
        return min(output.deadline_s for output in self.outputs.values())

    def note(self, actions: Iterable[Action]) -> list[str]:
        actions = list(actions)
        self.seen += actions
        return [word(action) for action in actions]

    def send(self, name: str, value: Any, ttl: float | None = None, owner: str = "ann", **fields: Any) -> list[str]:
        """Give a command that was received now, or ``age`` before."""
        at_s = self.now - fields.pop("age", 0.0)
        command = Command(value=value, ttl_s=ttl, owner=owner, at_s=at_s, **fields)
        return self.note(self[name].command(self.now, command))

    def stop(self, name: str, owner: str = "anonymous") -> list[str]:
        return self.send(name, self[name].rules.safe, owner=owner, stop=True)

    def latch(self, *names: str) -> list[str]:
        return [told for name in names or self.outputs for told in self.note(self[name].latch(self.now))]

    def reset(self) -> None:
        for output in self.outputs.values():
            output.reset()

    def settle(self) -> list[str]:
        """Do all that is due now; afterwards nothing may be."""
        told: list[str] = []
        for _ in range(4 * len(self.outputs) + 4):
            due = [output for output in self.outputs.values() if output.deadline_s <= self.now]
            if not due:
                return told
            told += [text for output in due for text in self.note(output.tick(self.now))]
        raise AssertionError(f"still due at {self.now}: {[output.name for output in due]}")

    def to(self, then_s: float) -> list[str]:
        """Let time pass until ``then_s`` after the start, ticking at every deadline."""
        end_s = START_S + then_s
        assert end_s >= self.now, "time goes forward"
        told = self.settle()
        while self.deadline_s <= end_s:
            self.now = self.deadline_s
            told += self.settle()
        self.now = end_s
        return told

    def value(self, name: str) -> Any:
        return self[name].applied

    def last(self, kind: type[Any]) -> Any:
        return next(action for action in reversed(self.seen) if isinstance(action, kind))


def limited(**limits: Any) -> Rules:
    """A switch with limits."""
    return Rules(limits=Limits(**limits))


def heat(dead_time_s: float = 0.5, **rules: Any) -> Rules:
    """A member of the interlock ``heat``."""
    return Rules(limits=Limits(interlock="heat", dead_time_s=dead_time_s), **rules)
