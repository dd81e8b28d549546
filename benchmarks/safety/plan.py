"""How many trials there are, in which order, and how long that takes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from benchmarks.safety.fault import Fault, Group
from benchmarks.safety.pins import Rule
from benchmarks.safety.stages import confined

#: What a stage, and then a round beside what it watches, takes (s).
STAGE_S, ROUND_S = 6.0, 2.2


@dataclass(frozen=True)
class Plan:
    """The trials of each group, and for how long a node works under confinement (s)."""

    sender: int = 200
    lone: int = 100
    process: int = 50
    slow: int = 10
    work_s: float = 600.0
    home: int = 10
    quick: bool = False

    def trials(self, group: Group) -> int:
        """Return how often a fault of this group is tried under each rule."""
        groups: dict[Group, int] = {
            "sender": self.sender, "lone": self.lone, "process": self.process, "slow": self.slow,
            "home": self.home, "work": 1,
        }  # fmt: skip
        return groups[group]


#: Shows that everything works.
QUICK = Plan(sender=2, lone=1, process=2, slow=1, work_s=10.0, home=0, quick=True)


@dataclass(frozen=True)
class Part:
    """The rounds of a fault under a rule, on one stage. ``work_s``: how long ordinary work takes, where that is it."""

    fault: Fault
    rule: Rule
    rounds: int
    nodes: int
    work_s: float = 0.0
    quick: bool = False

    @property
    def takes_s(self) -> float:
        """Estimate how long it takes."""
        fault = self.fault
        round_s = ROUND_S + fault.watch_s + fault.settle_s + fault.slow_s
        return fault.slow_s + self.work_s + self.rounds * round_s


def parts(plan: Plan, faults: Iterable[Fault], rules: Iterable[Rule]) -> Iterator[Part]:
    """Cut the matrix into parts; in a quick run nobody is confined under both rules."""
    for fault in faults:
        for rule in rules:
            trials = plan.trials(fault.group)
            if rule not in fault.rules or not trials or (plan.quick and rule == "pull" and fault.make is confined):
                continue
            nodes = min(fault.side, trials)
            work_s = plan.work_s if fault.group == "work" else 0.0
            yield Part(fault, rule, ceil(trials / nodes), nodes, work_s, quick=plan.quick)


def estimate_s(order: Sequence[Part], *, together: bool) -> float:
    """Estimate how long all parts take; where they share stages, those are made once."""
    stages = len({(part.fault.make, part.rule) for part in order}) if together else len(order)
    return stages * STAGE_S + sum(part.takes_s for part in order)


def shuffled(all_parts: Iterable[Part], seed: int) -> list[Part]:
    """Put the parts into an order of chance."""
    order = list(all_parts)
    random.Random(seed).shuffle(order)
    return order
