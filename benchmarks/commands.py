"""Command to state: one at a time (latency), and with many in flight (pipelined)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.candidates import Candidate, rotated
from benchmarks.driver import Driver
from benchmarks.plan import Plan, Row, broker
from benchmarks.processes import used


def latency(plan: Plan, kinds: Sequence[type[Candidate]], python: Path) -> list[Row]:
    """Measure every candidate at both QoS and both numbers of outputs, interleaved."""
    return [row for outputs in plan.outputs for row in _fleet(plan, kinds, python, outputs, pipelined=False)]


def pipelined(plan: Plan, kinds: Sequence[type[Candidate]], python: Path) -> list[Row]:
    """Measure every candidate with many commands in flight, QoS 0, the small number of outputs."""
    return _fleet(plan, kinds, python, plan.outputs[0], pipelined=True)


def _fleet(plan: Plan, kinds: Sequence[type[Candidate]], python: Path, outputs: int, *, pipelined: bool) -> list[Row]:
    """Run all candidates side by side on one broker and ask one after the other."""
    rows: list[Row] = []
    with contextlib.ExitStack() as stack:
        port, folder = stack.enter_context(broker())
        running = {kind: stack.enter_context(kind(outputs, port, folder / kind.__name__, python)) for kind in kinds}
        time.sleep(plan.calm_s)
        driver = Driver(port)
        for candidate in running.values():
            driver.latencies_s(candidate.pairs, 0, plan.warm_up)
        for number in range(plan.rounds):
            for kind in rotated(kinds, number):
                head = {"candidate": kind.name, "outputs": outputs, "round": number}
                if pipelined:
                    rows.append({"benchmark": "pipelined", **head, **_burst(driver, running[kind], plan)})
                    continue
                head = {"benchmark": "latency", **head}
                rows += [{**head, "qos": qos, **_one(driver, running[kind], qos, plan)} for qos in (0, 1)]
    return rows


def _one(driver: Driver, candidate: Candidate, qos: int, plan: Plan) -> Row:
    pids = candidate.pids
    before = used(pids)
    took = sorted(driver.latencies_s(candidate.pairs, qos, plan.commands, plan.limit_s))
    cpu_s = (used(pids) - before).cpu_s
    return {
        "commands": len(took),
        "p50_us": round(1e6 * took[len(took) // 2], 1),
        "p99_us": round(1e6 * took[min(len(took) - 1, len(took) * 99 // 100)], 1),
        "max_us": round(1e6 * took[-1], 1),
        "cpu_us": round(1e6 * cpu_s / len(took), 1),
    }


def _burst(driver: Driver, candidate: Candidate, plan: Plan) -> Row:
    pids = candidate.pids
    before = used(pids)
    burst = driver.burst(candidate.pairs, 0, plan.pipelined, plan.window)
    cpu_s = (used(pids) - before).cpu_s
    return {
        "commands": plan.pipelined,
        "per_s": round(burst.received / burst.seconds) if burst.seconds else 0,
        "missing": plan.pipelined - burst.received,
        "disorder": burst.disorder,
        "last_wrong": burst.last_wrong,
        "cpu_us": round(1e6 * cpu_s / plan.pipelined, 1),
    }
