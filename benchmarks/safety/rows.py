"""A trial as it is written down."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from benchmarks.plan import Row
from benchmarks.safety.judging import Finding
from benchmarks.safety.pins import NAMES, Rule


def row_of(fault: str, rule: Rule, node: str, findings: Sequence[Finding], void: str = "") -> Row:
    """Make the row of a trial. ``late_s``: of each pin that had a deadline; "never" where it was not kept at all.

    ``deadlines_ns``: of the same pins, from when to when each ran (CLOCK_MONOTONIC).
    """
    late = {str(f.pin): "never" if isinf(f.late_s) else round(f.late_s, 6) for f in findings if f.late_s is not None}
    classes: dict[str, float | str] = {}
    for finding in findings:
        if finding.late_s is not None:
            worst = max(finding.late_s, _number(classes.get(finding.of)))
            classes[finding.of] = "never" if isinf(worst) else round(worst, 6)
    ran = {str(f.pin): [f.from_ns, f.until_ns] for f in findings if f.late_s is not None}
    row: Row = {"fault": fault, "rule": rule, "node": node, "late_s": late, "deadlines_ns": ran, "classes": classes}
    return {**row, "moved": moved(findings), "void": void}


def moved(findings: Sequence[Finding]) -> list[str]:
    """Write down what moved."""
    return [f"{NAMES[f.pin]} (pin {f.pin}) {what}" for f in findings for what in f.moved]


def _number(value: float | str | None) -> float:
    if value is None:
        return float("-inf")
    return float("inf") if value == "never" else float(value)
