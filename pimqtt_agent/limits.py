"""The limits that stand above leases: a rest after switching off, and outputs that must never be on together. Pure."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pimqtt_agent.lease import Output
    from pimqtt_agent.rules import Action, Command


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

    def obstacle(self, output: Output, command: Command) -> Output | None:
        """The member that is on, or waits to be, and that this command could not have turned off itself."""
        for other in self.others(output):
            if (other.on or other.wants_on) and not other.yields_to(command):
                return other
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


def refuse_min_off(output: Output, now: float) -> float:
    """How long ``output`` must still stay off (s); 0 where it may be on."""
    if output.on:
        return 0.0
    return max(0.0, output.off_since_s + output.rules.limits.min_off_s - now)
