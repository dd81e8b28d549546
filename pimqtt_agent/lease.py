"""The lease of one output: who may drive it, until when, and what it goes back to.

Pure: no clock, no I/O. Times are seconds of CLOCK_BOOTTIME, handed in. An input returns the actions that it causes,
in order; ``deadline_s`` says when ``tick`` is wanted next.

    resting  --command with a TTL-->  leased  --deadline, stop, emergency-->  resting
    any      --latch-->  latched (at safe)  --reset-->  resting (at safe)

What is *wanted* is the lease's value or the resting value; what is *applied* is what the driver was last told. Limits
(``limits.py``) stand between the two and are asked at every change, also at a revert and at the start. Who may command
is decided in ``access.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from msgspec import structs

from pimqtt_agent import limits
from pimqtt_agent.access import Access
from pimqtt_agent.entities import quoted
from pimqtt_agent.limits import Interlock
from pimqtt_agent.rules import (
    KEEP,
    LAST,
    Accepted,
    Action,
    Command,
    Drive,
    Lease,
    Memory,
    Motion,
    Rejected,
    Reverted,
    Rules,
    Value,
    Waiting,
)


class Output:
    """The state machine of one output."""

    def __init__(
        self, name: str, rules: Rules, interlock: Interlock | None = None, quoted: Callable[[Value], str] = quoted
    ) -> None:
        """Name it as in topics (``pump``, ``car/limit``); ``quoted`` writes a value as a user does."""
        self.name, self.rules, self.interlock, self.quoted = name, rules, interlock, quoted
        self.access = Access(rules)
        self.lease: Lease | None = None
        self.resting: Value = rules.safe
        self.applied: Value = rules.safe
        self.latched = False
        self.off_since_s = -inf
        self.on_since_s = inf
        self.proof_s = 0.0
        self.disconnected = False
        self._shaped = False
        self._retry_s = inf
        self._waiting: Command | None = None
        self._rested: Value = rules.safe  # before the command that waits

    @property
    def on(self) -> bool:
        """Whether limits count it as on."""
        return self.rules.is_on(self.applied)

    @property
    def busy(self) -> bool:
        """Whether a lease runs or it is away from safe; a setting may be that for ever."""
        return self.lease is not None or (self.applied != self.rules.safe and not self.rules.setting)

    @property
    def wants_on(self) -> bool:
        """Whether it would be on if no limit forbade it."""
        return self.rules.is_on(self._wanted())

    @property
    def waits(self) -> bool:
        """Whether a command waits for a dead time."""
        return self._waiting is not None

    @property
    def deadline_s(self) -> float:
        """When ``tick`` is wanted, ``inf`` for never. A change of one output can change it for its whole interlock."""
        deadline = min(self._retry_s, self.lease.deadline_s if self.lease else inf, limits.max_on_end_s(self))
        if self.rules.on_disconnect and not self.disconnected:
            deadline = min(deadline, self.proof_s + self.rules.on_disconnect.after_s)
        return deadline

    def start(self, now: float, memory: Memory | None = None, *, latched: bool = False) -> Value:
        """Begin; return the first level. ``memory`` is what an earlier keeper left.

        With ``min_off`` or an interlock it is the safe value: the line may have fallen. ``tick`` goes on from there.
        """
        rules = self.rules
        self.resting = rules.safe if rules.initial == LAST else rules.initial
        if memory is not None:
            self.resting = memory.resting
        self.latched = latched and not rules.setting
        if rules.motion is not Motion.LEVEL or self.latched:
            self.resting = rules.safe
        remembered = memory.off_since_s if memory else None
        self.off_since_s = now if remembered is None else min(now, remembered)
        self.proof_s = now
        if memory and memory.proof_s is not None:  # the delay goes on
            self.proof_s, self.disconnected = min(now, memory.proof_s), memory.disconnected
        limited = rules.limits.min_off_s > 0 or self.interlock is not None
        self.applied = rules.safe if limited else self.resting
        if self.on:
            remembered = memory.on_since_s if memory else None
            self.on_since_s = now if remembered is None else min(now, remembered)
        if self.interlock:
            self.interlock.members.append(self)
        if self._wanted() != self.applied:
            self._retry_s = now
        return self.applied

    def command(self, now: float, command: Command) -> list[Action]:
        """Do or refuse a command."""
        actions = self.tick(now)
        if command.stop:
            return actions + self._stop(now, command)
        if command.ttl_s is None and self.rules.motion is not Motion.LEVEL:
            command = structs.replace(command, ttl_s=self.rules.deadman_s)  # motion is never a resting value
        refusal = self.access.refusal(self, now, command) or limits.refusal(self, now, command)
        if refusal:
            self.access.refused(now, command, refusal.code)
            return [*actions, refusal]
        if self.lease and self.lease.owner != command.owner and not self.rules.shared:
            self.access.bar(now, self.lease.owner)
        rested = self._accepted_resting()
        actions += self._supersede(now, "a newer command came")
        if self.interlock and self.rules.is_on(command.value) and not self.on:
            actions += self.interlock.clear(self, now, command.owner)
        if command.ttl_s is None:
            self.lease, self.resting = None, command.value
        else:
            deadline_s = command.at_s + command.ttl_s
            self.lease = Lease(command.value, command.owner, command.priority, command.id, deadline_s)
            self.resting = rested
        actions += self._settle(now, command)
        if self.rules.is_on(command.value) and not self.on:
            self._waiting, self._rested = command, rested
            return [*actions, Waiting(self, command)]
        return [*actions, Accepted(self, command)]

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        if now < self.deadline_s:
            return []
        actions: list[Action] = []
        if self.lease and self.lease.deadline_s <= min(now, limits.max_on_end_s(self)):
            actions += self._rest(now, self.resting, "expired")
        if limits.max_on_end_s(self) <= now:
            actions += self._rest(now, self.rules.safe, "max_on", tell=True)
        lost = self.rules.on_disconnect
        if lost and not self.disconnected and now >= self.proof_s + lost.after_s:
            actions += self._disconnect(now, lost.value)
        return actions + self._settle(now)

    def latch(self, now: float) -> list[Action]:
        """Emergency stop: safe, and nothing else until ``reset``; a setting is left as it is."""
        if self.rules.setting:
            return []
        if self.lease:
            self.access.bar(now, self.lease.owner)
        self.latched = True
        return self._rest(now, self.rules.safe, "emergency", tell=True)

    def reset(self) -> None:
        """Leave the latch; nothing starts by that."""
        self.latched = False

    def proof(self, at_s: float) -> None:
        """Its controller was alive at that time. Being back later restores nothing."""
        if at_s > self.proof_s:
            self.proof_s = at_s
            self.disconnected = False

    def finish(self, now: float) -> list[Action]:
        """``pimqtt run`` ends: apply ``on_stop``; a lease ends with it."""
        on_stop = self.rules.on_stop
        if self.rules.motion is not Motion.LEVEL:
            on_stop = self.rules.safe
        resting = self._accepted_resting()
        actions = self._rest(now, resting if on_stop == KEEP else on_stop, "stopped")
        self.resting = resting
        return actions

    def fail(self, now: float) -> list[Action]:
        """Its hardware failed: the lease is over; it rests where it would at a start."""
        resting = self._accepted_resting() if self.rules.motion is Motion.LEVEL else self.rules.safe
        return self._rest(now, resting, "stopped")

    def give_way(self, now: float, owner: str) -> list[Action]:
        """Another member of the interlock goes on, by a command of ``owner``."""
        if self.lease and self.lease.owner != owner:
            self.access.bar(now, self.lease.owner)
        return self._rest(now, self.rules.safe, "stopped", tell=True)

    def wake(self, now: float) -> None:
        """Want a tick at once if it is kept from going on: another member went off."""
        if self.wants_on and not self.on:
            self._retry_s = now

    def memory(self) -> Memory:
        """What must outlive this keeper."""
        return Memory(
            resting=self._accepted_resting(),
            off_since_s=None if self.on else self.off_since_s,
            on_since_s=self.on_since_s if self.on else None,
            proof_s=self.proof_s if self.rules.on_disconnect else None,
            disconnected=self.disconnected,
        )

    def _accepted_resting(self) -> Value:
        """The resting value without a command that still waits: what was not accepted has not happened."""
        return self._rested if self._waiting and self._waiting.ttl_s is None else self.resting

    def _wanted(self) -> Value:
        if self.latched:
            return self.rules.safe
        return self.lease.value if self.lease else self.resting

    def _stop(self, now: float, command: Command) -> list[Action]:
        if self.lease and self.lease.owner != command.owner:
            self.access.bar(now, self.lease.owner)
        self.access.let_go(command.owner)
        return [*self._rest(now, command.value, "stopped"), Accepted(self, command)]

    def _disconnect(self, now: float, value: Value) -> list[Action]:
        self.disconnected = True
        self.resting = self.rules.safe if self.latched or self.rules.motion is not Motion.LEVEL else value
        if self.lease:
            return []
        before = self.applied
        actions = self._supersede(now, "its controller was lost before")
        actions += self._settle(now, cut=True)
        return [*actions, Reverted(self, None, "disconnected")] if self.applied != before else actions

    def _rest(self, now: float, resting: Value, cause: str, *, tell: bool = False) -> list[Action]:
        """End the lease, if any, and go to the resting value, unshaped; ``tell`` also where there was no lease."""
        ended, self.lease = self.lease, None
        self.resting = resting
        before = self.applied
        actions = self._supersede(now, f"it was ended before ({cause})")
        actions += self._settle(now, cut=True)
        bounded_end = cause == "expired" and self.rules.motion is Motion.BOUNDED
        if (ended and not bounded_end) or (tell and self.applied != before):
            actions.append(Reverted(self, ended, cause))
        return actions

    def _supersede(self, now: float, reason: str) -> list[Action]:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return []
        if self.interlock:
            self.interlock.wake(self, now)
        what = f"{self.quoted(waiting.value)} waited until {self.name!r} may be on: {reason}"
        return [Rejected(self, waiting, "interlock", what)]

    def _permitted(self, now: float) -> Value:
        wanted = self._wanted()
        self._retry_s = inf
        if not self.rules.is_on(wanted) or self.on:
            return wanted
        ready_s = limits.ready_s(self)
        if ready_s <= now:
            return wanted
        self._retry_s = ready_s  # inf while another member is on: it wakes us when it goes off
        return self.rules.safe

    def _settle(self, now: float, command: Command | None = None, *, cut: bool = False) -> list[Action]:
        """Bring what is applied to what is permitted. Only a command may take its time; ``cut`` ends a ramp under way.

        With an interlock going off takes no time: from then on the dead time counts.
        """
        value, was_on, source = self._permitted(now), self.on, command or self._waiting
        shaped = source is not None and (self.interlock is None or self.rules.is_on(value))
        actions: list[Action] = []
        if value != self.applied or (cut and self._shaped):
            self.applied, self._shaped = value, shaped
            actions.append(Drive(self, value, shaped, source.transition_s if source and shaped else None))
        if self.on and not was_on:
            self.on_since_s = now
            if self._waiting:
                waiting, self._waiting = self._waiting, None
                actions.append(Accepted(self, waiting))
        if was_on and not self.on:
            self.off_since_s = now
            if self.interlock:
                self.interlock.wake(self, now)
        return actions
