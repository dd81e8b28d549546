"""Was a pin safe in time, and did it move when it should not have? From the trace of one trial alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from benchmarks.safety.pins import PINS, PinClass
from benchmarks.safety.promises import Anchor, Due, Expected

#: What clocks that are read one after the other may disagree (ns).
GRAIN_NS = 1_000_000
NS = 1e9
#: Of what is driven.
OFF = "was not on at the fault"
#: When a pin changed to which level (ns, CLOCK_MONOTONIC).
Change = tuple[int, float]


@dataclass(frozen=True)
class Facts:
    """When things happened (ns, CLOCK_MONOTONIC). ``anchors`` always has ``fault``; what is judged ends at ``end_ns``.

    Before ``armed_ns`` the trial was being prepared. ``steady``: until the fault all was surely heard.
    """

    armed_ns: int
    end_ns: int
    anchors: Mapping[Anchor, int]
    steady: bool = True

    @property
    def fault_ns(self) -> int:
        """The fault."""
        return self.anchors["fault"]


@dataclass(frozen=True)
class Finding:
    """One pin in one trial. ``late_s``: None where it had nothing to do; inf where it was never safe.

    ``from_ns``, ``until_ns``: when its deadline began to run, and ended (CLOCK_MONOTONIC).
    """

    pin: int
    of: PinClass
    late_s: float | None
    moved: tuple[str, ...] = ()
    from_ns: int = 0
    until_ns: int = 0


def level_at(seen: list[Change], t_ns: int) -> float | None:
    """Return the level of a pin at a time; None before its claim."""
    return next((value for at_ns, value in reversed(seen) if at_ns <= t_ns), None)


def judge(seen: Mapping[int, list[Change]], expected: Expected, facts: Facts) -> list[Finding]:
    """Judge every pin that something is expected of."""
    return [
        _dated(_pin(pin, name, seen.get(pin, []), due, facts), due, facts)
        for name, due in expected.items()
        for pin in PINS[name]
    ]  # fmt: skip


def _pin(pin: int, name: PinClass, seen: list[Change], due: Due | None, facts: Facts) -> Finding:
    begin_ns = facts.fault_ns if facts.steady else facts.armed_ns
    before = [c for c in seen if facts.armed_ns < c[0] <= begin_ns]
    after = [c for c in seen if begin_ns < c[0] <= facts.end_ns]
    if due is None:
        return Finding(pin, name, None, tuple(told(c, facts) for c in [*before, *after]))
    was = level_at(seen, begin_ns)
    if not facts.steady and was == due.level:
        return _last_fall(pin, name, after, due, facts)
    moved = _too_soon(name, before, was, facts)
    if was == due.level:
        return _back(Finding(pin, name, None, tuple(moved)), after, due, facts)
    reached_ns = next((t_ns for t_ns, value in after if value == due.level), None)
    if reached_ns is None:
        return Finding(pin, name, None if due.may_stay and not after else inf, tuple(moved))
    moved += [told(c, facts) for c in after if c[0] > reached_ns and c[1] != due.level]
    deadline_ns = _deadline_ns(due, facts)
    late_s = (reached_ns - deadline_ns) / NS
    if reached_ns < deadline_ns - GRAIN_NS - due.early_s * NS:
        moved.append(f"fell {-late_s:.3f} s too early")
    return Finding(pin, name, late_s, tuple(moved))


def _dated(found: Finding, due: Due | None, facts: Facts) -> Finding:
    if due is None:
        return found
    return replace(found, from_ns=facts.anchors[due.since], until_ns=_deadline_ns(due, facts))


def _deadline_ns(due: Due, facts: Facts) -> int:
    return facts.anchors[due.since] + round(due.after_s * NS)


def _too_soon(name: PinClass, before: list[Change], was: float | None, facts: Facts) -> list[str]:
    """Tell what a pin did before the fault that it should not have done."""
    if name in ("motion", "pump"):
        if not was:
            return [OFF]
        driven = [at for at, (_, value) in enumerate(before) if value]
        return [told(c, facts) for c in before[driven[0] :] if not c[1]] if driven else []
    return [told(c, facts) for c in before]


def _back(found: Finding, after: list[Change], due: Due, facts: Facts) -> Finding:
    """Judge a pin that is where it should be."""
    if not after:
        return found
    if not due.may_dip:
        return Finding(found.pin, found.of, None, (*found.moved, *(told(c, facts) for c in after)))
    if after[-1][1] != due.level:
        more = tuple(told(c, facts) for c in after[3:]) if due.may_lapse else ()  # a fall, a return, a lapse
        return Finding(found.pin, found.of, None if due.may_lapse else inf, (*found.moved, *more))
    more = tuple(told(c, facts) for c in after[2:])
    return Finding(found.pin, found.of, (after[-1][0] - _deadline_ns(due, facts)) / NS, (*found.moved, *more))


def _last_fall(pin: int, name: PinClass, after: list[Change], due: Due, facts: Facts) -> Finding:
    """Judge where it ended: on a bad link it may have lapsed and gone on again before."""
    if not after:
        return Finding(pin, name, None, ("was never on",))
    if after[-1][1] != due.level:
        return Finding(pin, name, inf)
    late_s = (after[-1][0] - _deadline_ns(due, facts)) / NS
    too_early = late_s * NS < -GRAIN_NS
    return Finding(pin, name, late_s, (f"fell {-late_s:.3f} s too early",) if too_early else ())


def told(change: Change, facts: Facts) -> str:
    """Write down a change."""
    return f"went to {change[1]:g} at {(change[0] - facts.fault_ns) / NS:+.3f} s"
