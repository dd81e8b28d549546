"""Starting, and what an agent takes while nothing happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.candidates import Candidate, rotated
from benchmarks.plan import Plan, Row, broker
from benchmarks.processes import memory as memory_of
from benchmarks.processes import threads, used


def start(plan: Plan, kinds: Sequence[type[Candidate]], python: Path) -> list[Row]:
    """Measure from exec to everything announced, each time on a new broker; the first of each is not counted."""
    rows: list[Row] = []
    for number in range(-1, plan.rounds):
        for kind in rotated(kinds, number):
            for outputs in plan.outputs:
                with broker() as (port, folder), kind(outputs, port, folder / "agent", python) as candidate:
                    row = {"benchmark": "start", "candidate": kind.name, "outputs": outputs, "round": number}
                    cpu_s = used(candidate.pids).cpu_s
                    rows.append({**row, "seconds": round(candidate.started_s, 4), "cpu_s": round(cpu_s, 4)})
    return [row for row in rows if row["round"] >= 0]


def memory(plan: Plan, kinds: Sequence[type[Candidate]], python: Path) -> list[Row]:
    """Measure memory at rest, each alone."""
    rows: list[Row] = []
    for kind in kinds:
        for outputs in plan.outputs:
            with broker() as (port, folder), kind(outputs, port, folder / "agent", python) as candidate:
                time.sleep(plan.settle_s)
                pids = candidate.pids
                found = memory_of(pids)
                rows.append({
                    "benchmark": "memory", "candidate": kind.name, "outputs": outputs, "round": 0,
                    "pss_mib": round(found.pss_mib, 2), "alone_mib": round(found.alone_mib, 2),
                    "rss_mib": round(found.rss_mib, 2), "processes": len(pids), "threads": threads(pids),
                })  # fmt: skip
    return rows


def idle(plan: Plan, kinds: Sequence[type[Candidate]], python: Path) -> list[Row]:
    """Measure CPU and wake-ups at rest, side by side, with the small number of outputs."""
    outputs = plan.outputs[0]
    with contextlib.ExitStack() as stack:
        port, folder = stack.enter_context(broker())
        running = [stack.enter_context(kind(outputs, port, folder / kind.__name__, python)) for kind in kinds]
        time.sleep(plan.settle_s)
        pids = {candidate.name: candidate.pids for candidate in running}
        begin_s, before = time.monotonic(), {name: used(found) for name, found in pids.items()}
        time.sleep(plan.idle_s)
        seconds = time.monotonic() - begin_s
        spent = {name: used(found) - before[name] for name, found in pids.items()}
    return [
        {
            "benchmark": "idle", "candidate": name, "outputs": outputs, "round": 0, "seconds": round(seconds, 1),
            "cpu_pct": round(100 * use.cpu_s / seconds, 4), "wakeups_per_s": round(use.wakeups / seconds, 3),
        }
        for name, use in spent.items()
    ]  # fmt: skip
