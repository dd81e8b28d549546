"""``python -m benchmarks``: prepare, measure, write and print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import commands, driver, environment, rest, still
from benchmarks.agents import AGENTS, CANDIDATES, another
from benchmarks.candidates import Candidate
from benchmarks.errors import BenchmarkError
from benchmarks.plan import QUICK, Plan, Row
from benchmarks.report import Report

Benchmark = Callable[[Plan, Sequence[type[Candidate]], Path], list[Row]]

#: In the order in which they run, each with those that it measures.
BENCHMARKS: dict[str, tuple[Benchmark, Sequence[type[Candidate]]]] = {
    "latency": (commands.latency, CANDIDATES),
    "pipelined": (commands.pipelined, CANDIDATES),
    "start": (rest.start, AGENTS),
    "memory": (rest.memory, AGENTS),
    "idle": (rest.idle, AGENTS),
    "still": (still.still, ()),
}


def main(argv: Sequence[str]) -> int:
    """Run; return the exit status: 0 measured (whatever the figures), 1 something failed."""
    options = _parser().parse_args(argv)
    plan = QUICK if options.quick else Plan()
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    chosen = options.only or list(BENCHMARKS)
    try:
        report = run(plan, chosen, against=options.against)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    paths = report.write(options.out)
    print(report.as_table())
    print("written:", *paths)
    return 0


def run(
    plan: Plan,
    chosen: Sequence[str],
    only: Sequence[type[Candidate]] = CANDIDATES,
    against: Path | None = None,
) -> Report:
    """Measure what was chosen; ``only`` leaves candidates out, ``against`` adds another checkout of pimqtt."""
    more = [another(against)] if against else []
    peers = environment.prepare_peers() if {kind for kind in only if kind.python_is_theirs} else None
    environment.compile_bytecode(*(kind.source for kind in more))
    driver.build()
    machine, rows = environment.machine(), []
    for name in chosen:
        measure, kinds = BENCHMARKS[name]
        print(f"{name} ...", file=sys.stderr, flush=True)
        measured = [kind for kind in kinds if kind in only]
        rows += measure(plan, [*measured, *more] if measured else [], peers or Path(sys.executable))
    machine["load_after"] = os.getloadavg()[0]
    return Report(plan, rows, machine, environment.versions(peers), environment.commit(), datetime.now(UTC))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny counts: shows that everything works, not how fast")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHMARKS, help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help=f"interleaved rounds ({Plan().rounds})")
    parser.add_argument("--against", type=Path, metavar="DIR", help="measure this checkout of pimqtt beside ours")
    results = Path(__file__).with_name("results")
    parser.add_argument("--out", type=Path, default=results, help="where the results go (benchmarks/results)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
