"""``python -m benchmarks.soak``: live through a compressed day, and tell what grew."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.soak.core import LEFT_BYTES, core_day
from benchmarks.soak.day import House, house
from benchmarks.soak.growth import Sample, growth, rows, samples
from benchmarks.soak.table import table
from tests.rig import ROOT, Mosquitto

DOCUMENT, RAW = ROOT / "docs" / "soak.md", ROOT / "benchmarks" / "results" / "soak.json"
#: Samples in a run, and seconds until both nodes are ready for it.
SAMPLES, READY_S = 240, 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run; exit status 1 where something grew."""
    options = _parser().parse_args(argv)
    print(f"this takes {options.minutes:g} minutes and about half a minute around them", file=sys.stderr, flush=True)
    environment.compile_bytecode()
    content = asyncio.run(soak(options.minutes))
    text = table(content)
    print(text)
    if options.write:
        DOCUMENT.write_text(text)
        RAW.write_text(json.dumps(content, indent=1) + "\n")
    for problem in content["problems"]:
        print(problem, file=sys.stderr)
    return 1 if content["problems"] else 0


async def soak(minutes: float) -> dict[str, Any]:
    """Live through it; return all figures."""
    machine = environment.machine()
    core = await asyncio.to_thread(core_day, min(24.0, minutes * 1.2))
    taken: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="pimqtt-soak-") as name, Mosquitto(Path(name)) as broker:
        home = house(Path(name), broker)
        with home.calm, home.troubled:
            await asyncio.sleep(READY_S)
            watching = asyncio.create_task(_watch(home, minutes, taken))
            await home.live(minutes * 60)
            await watching
            problems = await _aftermath(home)
    grown = growth(taken, minutes)
    problems += [problem for row in grown for problem in row.problems]
    if core.left_bytes > LEFT_BYTES:
        problems.append(f"the core: {core.left_bytes} bytes are left")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": environment.commit(), "machine": machine,
        "versions": environment.versions(None), "minutes": minutes, "core": asdict(core), "done": dict(home.done),
        "growth": [asdict(row) for row in grown], "problems": problems, "rows": rows(taken),
    }  # fmt: skip


async def _watch(home: House, minutes: float, taken: list[Sample]) -> None:
    every_s, started_s = minutes * 60 / SAMPLES, time.monotonic()
    while (at_s := time.monotonic() - started_s) < minutes * 60:
        taken += await asyncio.to_thread(samples, at_s, home.calm, home.troubled)
        await asyncio.sleep(every_s)


async def _aftermath(home: House) -> list[str]:
    """See that all is as it was before: five processes a node, nothing that nobody reaps, no traceback."""
    await asyncio.sleep(3)
    problems = []
    for node in (home.calm, home.troubled):
        left = await asyncio.to_thread(node.descendants)
        if len(left) != 3:
            problems.append(f"{node.name} has {len(left)} children instead of 3")
        if "Traceback" in node.log.read_text():
            problems.append(f"{node.name} has logged a traceback")
    return problems


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how much of the day: 20 minutes are all of it (20)")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.relative_to(ROOT)} and the raw rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
