"""Figures from trials, and whether each promise held. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Literal

from benchmarks.plan import Row
from benchmarks.safety.fault import FLOOD_HZ, Fault
from benchmarks.safety.judging import OFF
from benchmarks.safety.pins import NAMES, PINS, PinClass, Rule
from benchmarks.safety.promises import Due

#: A motor that was not on at the fault, though nothing ended its lease early.
_LAPSED = tuple(f"{NAMES[pin]} (pin {pin}) {OFF}" for pin in PINS["motion"])
#: From so many trials on the 99th percentile is told; below it is the greatest of all.
PERCENTILE_TRIALS = 100
Verdict = Literal["held", "broken", "not checked"]
UNCHECKED = "not checked: no real-time priority"


@dataclass(frozen=True)
class Figure:
    """Lateness of a class of pins under one fault (s); ``judged_s`` is what the promise is about."""

    of: PinClass
    due: Due
    late_s: Sequence[float]
    verdict: Verdict

    @property
    def p50_s(self) -> float:
        """Half were no later."""
        return percentile(self.late_s, 0.5)

    @property
    def p99_s(self) -> float | None:
        """99 of 100 were no later; None where there are too few."""
        return percentile(self.late_s, 0.99) if len(self.late_s) >= PERCENTILE_TRIALS else None

    @property
    def max_s(self) -> float:
        """None was later."""
        return max(self.late_s)

    @property
    def judged_s(self) -> float:
        """The 99th percentile, the greatest where there are too few."""
        return self.max_s if self.p99_s is None else self.p99_s


@dataclass(frozen=True)
class Line:
    """A fault under a rule: its figures, what moved, and what its trials were like."""

    fault: Fault
    rule: Rule
    trials: int
    void: int
    figures: Sequence[Figure]
    moved: Sequence[str]
    again: bool = False
    notes: Row = field(default_factory=dict)
    wanted: int = 0

    @property
    def broken(self) -> list[str]:
        """Tell each promise that did not hold."""
        name = f"{self.fault.name} ({self.rule})"
        late = [
            f"{name}: {f.of} {1000 * f.judged_s:+.1f} ms, promised {1000 * f.due.limit_s:+.0f} ms"
            for f in self.figures
            if f.verdict == "broken"
        ]
        few = []
        sent_hz = self.notes.get("flood_hz", 0)
        if self.wanted and self.fault.name == "flood" and sent_hz < 0.99 * FLOOD_HZ:
            few = [f"{name}: only {sent_hz} commands/s were sent"]
        if not self.trials:
            few = [f"{name}: no trial of {self.void} showed anything"]
        elif self.trials < self.wanted:
            few = [f"{name}: only {self.trials} trials of {self.wanted} showed anything"]
        return [*late, *(f"{name}: {what}" for what in self.moved), *few]

    @property
    def late(self) -> bool:
        """Whether it is only late: what moved, or was never safe, is no matter of the machine.

        A drive that had lapsed before the fault is: its renewals were late.
        """
        broken = [figure for figure in self.figures if figure.verdict == "broken"]
        lapsed = [what for what in self.moved if what.endswith(_LAPSED)]
        return bool(broken or lapsed) and len(lapsed) == len(self.moved) and all(one.max_s < inf for one in broken)

    @property
    def verdict(self) -> Verdict:
        """All of it."""
        if self.broken:
            return "broken"
        return "not checked" if any(figure.verdict == "not checked" for figure in self.figures) else "held"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all do not exceed."""
    return sorted(values)[ceil(share * len(values)) - 1]


def line(fault: Fault, rule: Rule, rows: Sequence[Row], *, granted: bool, again: bool = False, wanted: int = 0) -> Line:
    """Sum up the trials of a fault under a rule, ``wanted`` at least. ``granted``: keepers had real-time priority."""
    mine = [row for row in rows if row["fault"] == fault.name and row["rule"] == rule]
    good = [row for row in mine if not row["void"]]
    found = []
    for name in PINS:
        due = fault.expected(rule).get(name)
        told = [row["classes"][name] for row in good if name in row["classes"]]
        late_s = [inf if value == "never" else float(value) for value in told]
        if due and late_s:
            found.append(_figure(name, due, late_s, granted=granted))
    moved = [f"round {row['round']}, {row['node']}: {what}" for row in mine for what in row["moved"]]
    notes = {key: value for row in mine for key, value in row.items() if key in NOTED}
    return Line(fault, rule, len(good), len(mine) - len(good), found, moved, again, notes, wanted)


#: What a stage has to say about its trials.
NOTED = (
    "load_share", "periods_stood_still", "flood_hz", "done_hz", "replaced", "work_s", "commands", "refused",
    "put_back",
)


def _figure(name: PinClass, due: Due, late_s: list[float], *, granted: bool) -> Figure:
    figure = Figure(name, due, late_s, "held")
    if figure.judged_s <= due.limit_s:
        return figure
    unpromised = due.real_time and not granted and figure.max_s < inf
    return Figure(name, due, late_s, "not checked" if unpromised else "broken")
