"""One output as the contract has it, in lines of its own: who may command it, where it rests, until when.

What it does with its pin is only observed (``value``, ``on_s``, ``off_s``); everything else follows from what was asked
of it, and when. Nothing here looks into the machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pimqtt_agent.rules import KEEP, LAST, Command, Rules


@dataclass(frozen=True)
class Held:
    """A lease."""

    value: Any
    owner: str
    priority: int
    until_s: float


@dataclass
class Model:
    """What was asked of one output, and what follows.

    ``rested`` is where it rested before the command that waits for a dead time; ``ended`` counts by cause and owner.
    """

    name: str
    rules: Rules
    value: Any
    on_s: float
    off_s: float
    proof_s: float
    resting: Any = None
    lease: Held | None = None
    latched: bool = False
    lost: bool = False
    waits: bool = False
    rested: Any = None
    barred: dict[str, float] = field(default_factory=dict)
    beats: dict[str, list[float]] = field(default_factory=dict)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Rest at the initial value; of motion that is safe."""
        initial = self.rules.initial
        self.resting = self.rules.safe if self.moves or initial == LAST else initial

    @property
    def moves(self) -> bool:
        return self.rules.motion != "level"

    @property
    def limited(self) -> bool:
        limits = self.rules.limits
        return bool(limits.interlock or limits.min_off_s or limits.max_on_s)

    @property
    def on(self) -> bool:
        return bool(self.value not in (self.rules.off, None))

    @property
    def wanted(self) -> Any:
        if self.latched:
            return self.rules.safe
        return self.lease.value if self.lease else self.resting

    @property
    def wants_on(self) -> bool:
        return bool(self.wanted not in (self.rules.off, None))

    def lasts_s(self, command: Command) -> float | None:
        """How long it is to hold; None for a resting value, which motion never has."""
        return self.rules.deadman_s if command.ttl_s is None and self.moves else command.ttl_s

    # what time does

    def observed(self, now: float, value: Any) -> None:
        """Its pin was driven."""
        was_on, self.value = self.on, value
        if self.on and not was_on:
            self.on_s = now
            self.waits = False
        if was_on and not self.on:
            self.off_s = now

    def pass_time(self, now: float) -> None:
        """End what is over: the lease, the longest time on, the patience with a lost controller."""
        if self.lease and self.lease.until_s <= now:
            self.end("expired", self.settled)
        max_on_s = self.rules.limits.max_on_s
        if max_on_s is not None and self.on and now >= self.on_s + max_on_s:
            self.end("max_on", self.rules.safe)
        lost = self.rules.on_disconnect
        if lost and not self.lost and now >= self.proof_s + lost.after_s:
            self.lost = True
            self.resting = self.rules.safe if self.moves or self.latched else lost.value
            self.waits = self.waits and self.lease is not None

    @property
    def settled(self) -> Any:
        """Where it rests by what was accepted: a command that waits has not happened yet."""
        return self.rested if self.waits and self.lease is None else self.resting

    def end(self, cause: str, resting: Any) -> None:
        """End the lease, if any."""
        if self.lease and not (cause == "expired" and self.rules.motion == "bounded"):
            self.ended[cause, self.lease.owner] += 1
        self.lease, self.resting, self.waits = None, resting, False

    # what is asked

    def holder(self, command: Command) -> str:
        """Who holds it against a command."""
        lease = self.lease
        if lease is None or self.rules.shared or lease.owner == command.owner or command.priority > lease.priority:
            return ""
        return lease.owner

    def refusal(self, now: float, command: Command, others: Sequence[Model]) -> str:
        """The code with which a command that is no stop is refused; empty where it is taken."""
        rules, age_s, lasts_s = self.rules, command.token_age_s, self.lasts_s(command)
        moving = command.value != rules.safe
        beats = self.beats.get(command.owner, [])
        armed = rules.arming_s is None or (len(beats) > 1 and now - beats[-1] <= rules.arming_s)
        turns_on = command.value not in (rules.off, None)
        obstacles = [other for other in others if other.holder(command) and (other.on or other.wants_on)]
        tests = {
            "latched": self.latched,
            "token": rules.token_required if age_s is None else age_s < 0,
            "stale": (lasts_s is not None and now - command.at_s >= lasts_s)
            or (bool(command.stale) if age_s is None else age_s > rules.deadman_s),
            "held": bool(self.holder(command)),
            "let_go": moving and self.must_let_go(now, command.owner),
            "not_armed": moving and not armed,
            "interlock": turns_on and bool(obstacles),
            "min_off": turns_on and not self.on and now < self.off_s + rules.limits.min_off_s,
        }
        return next((code for code, applies in tests.items() if applies), "")

    def must_let_go(self, now: float, owner: str) -> bool:
        """Whether it has not been quiet for one dead-man since it was barred."""
        return owner in self.barred and now - self.barred[owner] < self.rules.deadman_s

    def refused(self, now: float, command: Command, code: str) -> None:
        """Whoever moved it against a holder or a latch lets go first; whoever goes on meanwhile has not let go."""
        owner = command.owner
        if command.value == self.rules.safe:
            self.barred.pop(owner, None)
        elif code in ("held", "latched") or self.must_let_go(now, owner):
            self.bar(now, owner)

    def taken(self, now: float, command: Command, *, waits: bool) -> None:
        """A command that is no stop was taken, if only to wait for a dead time."""
        if command.value == self.rules.safe:
            self.barred.pop(command.owner, None)
        if self.lease and self.lease.owner != command.owner and not self.rules.shared:
            self.bar(now, self.lease.owner)
        before, lasts_s = self.settled, self.lasts_s(command)
        if lasts_s is None:
            self.lease, self.resting = None, command.value
        else:
            self.lease = Held(command.value, command.owner, command.priority, command.at_s + lasts_s)
            self.resting = before
        self.waits, self.rested = waits, before

    def waits_for(self, now: float, command: Command, others: Sequence[Model]) -> bool:
        """Whether a dead time is not over; the others are off by now, if only just."""
        if self.on or command.value in (self.rules.off, None):
            return False
        dead_s = self.rules.limits.dead_time_s
        return any(now < other.off_s + max(dead_s, other.rules.limits.dead_time_s) for other in others)

    def gives_way(self, now: float, owner: str) -> None:
        """Another member of the interlock goes on."""
        if self.lease and self.lease.owner != owner:
            self.bar(now, self.lease.owner)
        self.end("stopped", self.rules.safe)

    def stop(self, now: float, owner: str) -> None:
        if self.lease and self.lease.owner != owner:
            self.bar(now, self.lease.owner)
        self.barred.pop(owner, None)
        self.end("stopped", self.rules.safe)

    def latch(self, now: float) -> None:
        if self.rules.setting:
            return
        if self.lease:
            self.bar(now, self.lease.owner)
        self.latched = True
        self.end("emergency", self.rules.safe)

    def bar(self, now: float, owner: str) -> None:
        if self.moves:
            self.barred[owner] = now

    def proof(self, at_s: float) -> None:
        """Its controller was alive: being back earlier cancels, later restores nothing."""
        if at_s > self.proof_s:
            self.proof_s, self.lost = at_s, False

    def dies(self) -> None:
        """Its keeper is gone, and with it the lease, what waits, and who was known."""
        self.resting, self.lease, self.waits = self.settled, None, False
        self.barred, self.beats = {}, {}

    @property
    def last_value(self) -> Any:
        """Where the end of the run leaves it."""
        if self.latched or self.moves:
            return self.rules.safe
        return self.settled if self.rules.on_stop == KEEP else self.rules.on_stop
