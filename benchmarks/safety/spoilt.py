"""A trial that shows nothing: why, and what is wrong in it all the same. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from benchmarks.safety.judging import GRAIN_NS, NS, Change, Facts, Finding, told
from benchmarks.safety.pins import DEADMAN_S, PINS, PinClass, speed

#: By when a renewal comes, if it does (s).
WAY_S = 1.0


@dataclass(frozen=True)
class Spoilt:
    """Why; and of which classes that explains what moved, and what was never safe."""

    why: str
    explains: frozenset[PinClass] = frozenset()


#: Whatever was driven may have lapsed, and gone on later than the fault.
LATE = Spoilt("who drives was late", frozenset(("motion", "pump", "heater")))
LAPSED = Spoilt("the last renewal before the fault had not reached the pin", frozenset(("motion",)))
ON_ITS_WAY = Spoilt(LAPSED.why)


def wrong(findings: Iterable[Finding], excused: Collection[PinClass] = ()) -> list[Finding]:
    """Return what moved or was never safe, of all that is not ``excused``."""
    never = ("was never safe",)
    found = [replace(f, moved=f.moved + never) if f.late_s == inf else f for f in findings if f.of not in excused]
    return [replace(f, late_s=None) for f in found if f.moved]


def ended_early(seen: Mapping[int, list[Change]], sent_ns: Sequence[int], facts: Facts) -> list[Finding]:
    """Find motion that ended before the fault and before its lease did: no slow machine explains that.

    ``sent_ns``: when each renewal was sent; however late it comes, its lease holds for one dead-man from then on.
    """
    found = []
    for pin in PINS["motion"]:
        for (on_ns, level), (off_ns, off) in pairwise(seen.get(pin, [])):
            if off or not level or not facts.armed_ns < off_ns <= facts.fault_ns:
                continue
            last_ns = max((at_ns for n, at_ns in enumerate(sent_ns) if at_ns < on_ns and speed(n) == level), default=0)
            if off_ns < last_ns + DEADMAN_S * NS - GRAIN_NS:
                found.append(Finding(pin, "motion", None, (f"{told((off_ns, off), facts)}, under its lease",)))
    return found


def came_ns(wheel: Iterable[Change], sent_ns: int, level: float) -> int | None:
    """Return when a pin took a level that was sent; None where it did not."""
    end_ns = sent_ns + round(WAY_S * NS)
    return next((t_ns for t_ns, value in wheel if sent_ns < t_ns <= end_ns and value == level), None)


def last_taken(wheel: Sequence[Change], sent_ns: Sequence[int]) -> tuple[int, int]:
    """Return of the last renewal that the pin took when it was sent, and when it came; (0, 0) where it took none."""
    came = ((at_ns, came_ns(wheel, at_ns, speed(n))) for n, at_ns in reversed(list(enumerate(sent_ns))))
    return next(((at_ns, t_ns) for at_ns, t_ns in came if t_ns), (0, 0))
