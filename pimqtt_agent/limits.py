"""The limits that stand above leases: the longest on, the shortest off, outputs that are never on together. Pure."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from pimqtt_agent.rules import Action, Command, Rejected

if TYPE_CHECKING:
    from pimqtt_agent.lease import Output


class Interlock:
    """A group of outputs of which at most one is on; between two of them lies the longer dead time."""

    def __init__(self) -> None:
        """Start without members; outputs join at their own start."""
        self.members: list[Output] = []

    def others(self, output: Output) -> list[Output]:
        """Name the other members."""
        return [member for member in self.members if member is not output]

    def ready_s(self, output: Output) -> float:
        """From when on ``output`` may be on: ``inf`` while another is, or is about to be by a newer command."""
        ready = -inf
        for other in self.others(output):
            if other.on or (other.waits and not output.waits):
                return inf
            dead_time = max(output.rules.limits.dead_time_s, other.rules.limits.dead_time_s)
            ready = max(ready, other.off_since_s + dead_time)
        return ready

    def obstacle(self, output: Output, command: Command) -> tuple[Output, str] | None:
        """The member that is on, or waits to be, and who holds it so that this command could not turn it off itself."""
        for other in self.others(output):
            holder = other.access.holder_against(other.lease, command)
            if holder and (other.on or other.wants_on):
                return other, holder
        return None

    def clear(self, output: Output, now: float, owner: str) -> list[Action]:
        """Turn every other member off, for good."""
        actions: list[Action] = []
        for other in self.others(output):
            if other.on or other.wants_on:
                actions += other.give_way(now, owner)
        return actions

    def wake(self, output: Output, now: float) -> None:
        """Let the other members ask again: ``output`` went off, or waits no more."""
        for other in self.others(output):
            other.wake(now)


def refusal(output: Output, now: float, command: Command) -> Rejected | None:
    """Tell which limit forbids that this command switches on."""
    if not output.rules.is_on(command.value):
        return None
    obstacle = output.interlock.obstacle(output, command) if output.interlock else None
    if obstacle:
        other, holder = obstacle
        reason = f"{output.name!r} must not be on with {other.name!r} of the same interlock, which {holder!r} holds"
        return Rejected(output, command, "interlock", reason, {"holder": holder})
    wait_s = output.off_since_s + output.rules.limits.min_off_s - now
    if wait_s > 0 and not output.on:
        reason = f"{output.name!r} must stay off for {output.rules.limits.min_off_s:g} s; retry in {wait_s:.1f} s"
        return Rejected(output, command, "min_off", reason, {"retry_after_s": ceil(wait_s * 1000) / 1000})
    return None


def ready_s(output: Output) -> float:
    """From when on an output that is off may be on; ``inf`` while another of its interlock is."""
    rested_s = output.off_since_s + output.rules.limits.min_off_s
    return max(rested_s, output.interlock.ready_s(output)) if output.interlock else rested_s


def max_on_end_s(output: Output) -> float:
    """Until when it may be on at most; ``inf`` where nothing limits it, or it is off."""
    max_on_s = output.rules.limits.max_on_s
    return output.on_since_s + max_on_s if max_on_s is not None and output.on else inf
