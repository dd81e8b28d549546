"""``python -m benchmarks.safety``: fail everything that can fail, and measure how long pins take to be safe."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import driver, environment
from benchmarks.errors import BenchmarkError
from benchmarks.plan import Row
from benchmarks.safety import earlier
from benchmarks.safety.earlier import Earlier
from benchmarks.safety.faults import FAULTS
from benchmarks.safety.figures import Line, line
from benchmarks.safety.matrix import run
from benchmarks.safety.pins import Rule
from benchmarks.safety.plan import QUICK, Part, Plan, estimate_s, parts, shuffled
from benchmarks.safety.report import Report
from benchmarks.safety.sender import PRIORITY
from tests.rights import granted

NAMES = [fault.name for fault in FAULTS]
RULES: tuple[Rule, ...] = ("latch", "pull")
HELD, BROKEN, FAILED = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Run; return the exit status: 0 every promise held, 1 one did not, 2 something could not run."""
    parser = _parser()
    options = parser.parse_args(argv)
    less = options.rule or options.trials or options.quick
    if options.docs and (less or bool(options.only) != bool(options.earlier)):
        parser.error("--docs wants every fault, as often as planned: all, or --only some with --earlier all others")
    plan = QUICK if options.quick else Plan()
    if options.trials:
        plan = replace(plan, **dict.fromkeys(("sender", "lone", "process", "slow", "home"), options.trials))
    seed = random.randrange(10**6) if options.seed is None else options.seed
    try:
        names = options.only or NAMES
        past = earlier.read(options.earlier, names, environment.machine()) if options.earlier else None
        report = measure(plan, names, options.rule or RULES, seed, past)
        path = report.write(options.out)
        if options.docs:
            report.write_documents()
    except BenchmarkError as error:
        print(f"benchmarks.safety: {error}", file=sys.stderr)
        return FAILED
    print(report.as_text())
    print("written:", path)
    return BROKEN if report.broken else HELD


def measure(
    plan: Plan, names: Sequence[str], rules: Sequence[Rule], seed: int, past: Earlier | None = None
) -> Report:
    """Run what was chosen, in an order of chance; what was measured earlier stands beside it."""
    environment.compile_bytecode()
    driver.build()
    _be_punctual()
    faults = [fault for fault in FAULTS if fault.name in names]
    order = shuffled(parts(plan, faults, rules), seed)
    machine, real_time, begin_s = environment.machine(), granted(), time.monotonic()
    minutes = estimate_s(order, together=plan.quick) / 60
    print(f"{len(order)} parts, about {minutes:.0f} minutes; seed {seed}", file=sys.stderr, flush=True)
    rows = run(order, seed, together=plan.quick)
    lines = _lines(plan, names, rules, rows, granted=real_time)
    if plan.quick and any(one.late for one in lines):
        lines, more = _second_try(lines, order, seed, real_time=real_time)
        rows += more
    if past:
        others = [name for name in NAMES if name not in names]
        lines += _lines(plan, others, rules, past.rows, granted=past.granted)
        lines.sort(key=lambda one: NAMES.index(one.fault.name))
        rows += past.rows
    machine["load_after"] = os.getloadavg()[0]
    now, took_s = datetime.now(UTC), time.monotonic() - begin_s
    versions = environment.versions(None)
    return Report(plan, lines, rows, machine, versions, environment.commit(), now, seed, took_s, real_time, past)


def _lines(
    plan: Plan, names: Sequence[str], rules: Sequence[Rule], rows: Sequence[Row], *, granted: bool
) -> list[Line]:
    """Sum up the trials of these faults."""
    chosen = parts(plan, [fault for fault in FAULTS if fault.name in names], rules)
    return [
        line(one.fault, one.rule, rows, granted=granted, wanted=0 if plan.quick else plan.trials(one.fault.group))
        for one in chosen
    ]


def _second_try(
    lines: Sequence[Line], order: Sequence[Part], seed: int, *, real_time: bool
) -> tuple[list[Line], list[Row]]:
    """On a machine that others use too, what was late is tried once more; what moved never is.

    A drive that had lapsed before the fault was late: what ended early is told otherwise.
    """
    late = {(one.fault.name, one.rule) for one in lines if one.late}
    rows = run([part for part in order if (part.fault.name, part.rule) in late], seed + 1, together=True)
    tried = [
        line(one.fault, one.rule, rows, granted=real_time, again=True)
        if (one.fault.name, one.rule) in late else one
        for one in lines
    ]  # fmt: skip
    return tried, [{**row, "second_try": True} for row in rows]


def _be_punctual() -> None:
    """Have faults come when they should; nothing that we start inherits that."""
    with contextlib.suppress(PermissionError):  # the report tells what was granted
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.safety", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few trials each, without Home Assistant: 5 minutes")
    parser.add_argument("--only", nargs="+", metavar="FAULT", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--earlier", type=Path, metavar="FILE", help="with --only: the result that has all the others")
    parser.add_argument("--rule", nargs="+", choices=RULES, help="what released lines do (both)")
    parser.add_argument("--trials", type=int, help="so many of each fault")
    parser.add_argument("--seed", type=int, help="of the order and the moments (another one each time)")
    results = Path(__file__).parents[1] / "results"
    parser.add_argument("--out", type=Path, default=results, help="where the trials go (benchmarks/results)")
    parser.add_argument("--docs", action="store_true", help="renew the table and the picture in docs/")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
