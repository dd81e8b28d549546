"""``scripts/fuzz``: every target under atheris, then the branches reached.

Exit status 1: something was found, or too few branches were reached.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz import branches, corpus, figures
from tests.fuzz.libfuzzer import Row, fuzz, python
from tests.fuzz.plants import PLANTS
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import SHM

MILLION = 1_000_000


def main() -> int:
    """Run."""
    options = _options()
    names = options.targets or ([PLANTS[options.plant][0]] if options.plant else list(TARGETS))
    names.sort(key=_seconds, reverse=True)  # the longest first, so that all processors end together
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pimqtt-fuzz-", dir=SHM) as folder:
        place = Path(folder)
        with ThreadPoolExecutor(options.jobs) as pool:
            rows = list(pool.map(lambda name: _fuzzed(name, names, place, options), names))
            if not options.plant:
                for name in names if options.keep else ():
                    python(place, "-m", "tests.fuzz.replay", name, str(place / name), "--keep")
                branches.measure(rows, place, pool)
    rows.sort(key=lambda row: list(TARGETS).index(row["target"]))
    told = [figures.table(rows), figures.summary(rows, options.seed, time.monotonic() - begun)]
    print("", *told, sep="\n")  # noqa: T201
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if options.figures:
        figures.write(told)
    return 1 if any(row["found"] for row in rows) or (not options.plant and branches.too_few(rows)) else 0


def _fuzzed(name: str, names: list[str], place: Path, options: argparse.Namespace) -> Row:
    """Fuzz one target, by its share of inputs, or of time."""
    corpus.begin(name, place / name)
    inputs = options.inputs * TARGETS[name].share // sum(TARGETS[other].share for other in names) + 1
    part = _seconds(name) / sum(map(_seconds, names))
    row = fuzz(name, place, inputs, options.minutes * 60 * part * options.jobs, options)
    print(f"{name}: {row['inputs']:,} inputs in {row['seconds']:g} s {row['found']}", flush=True)  # noqa: T201
    return row


def _seconds(name: str) -> float:
    return TARGETS[name].share * TARGETS[name].takes_ms


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Fuzz every parser that the network or a file can reach."
    )
    cache = os.environ.get("PIMQTT_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'}/pimqtt"
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[*TARGETS, []], help=", ".join(TARGETS))
    parser.add_argument("--inputs", type=int, default=MILLION, help="in all (default a million)")
    parser.add_argument("--minutes", type=float, default=0, help="at most about so long in all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time (default: processors)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="put what reaches something new into tests/fuzz/corpus")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="plant a bug, to see it found")
    parser.add_argument("--found", type=Path, default=Path(cache) / "fuzz", help="where inputs that found something go")
    parser.add_argument("--figures", action="store_true", help="write the table into docs/fuzzing.md")
    parser.add_argument("--json", default="", help="write the figures there, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
