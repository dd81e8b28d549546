"""What a keeper knows of its outputs without asking each: who is due when, who is busy, who is under a lease."""

from __future__ import annotations

from math import inf

from pimqtt_agent.lease import Output


class Ledger:
    """Looks only at what was ``touched`` since it was last renewed."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.busy: set[Output] = set()
        self.leased: set[Output] = set()
        self.touched: set[Output] = set()
        self._due: dict[Output, float] = {}

    @property
    def deadline_s(self) -> float:
        """When the first output is due (s, CLOCK_BOOTTIME); inf for none."""
        return min(self._due.values(), default=inf)

    def due(self, now: float) -> list[Output]:
        """Take the outputs that are due: each is touched by that."""
        due = [output for output, due_s in self._due.items() if due_s <= now]
        self.touched.update(due)
        return due

    def forget(self, output: Output) -> None:
        """Leave an output out for good."""
        self._due.pop(output, None)
        for known in (self.busy, self.leased, self.touched):
            known.discard(output)

    def renew(self) -> set[Output]:
        """Look at what was touched, and at the others of its interlock; return all that was looked at."""
        touched, self.touched = self.touched, set()
        for output in tuple(touched):
            if output.interlock:
                touched.update(output.interlock.members)
        for output in touched:
            if (due_s := output.deadline_s) < inf:
                self._due[output] = due_s
            else:
                self._due.pop(output, None)
            (self.leased.add if output.lease else self.leased.discard)(output)
            (self.busy.add if output.busy else self.busy.discard)(output)
        return touched
