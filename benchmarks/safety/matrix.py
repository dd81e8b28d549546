"""Runs the parts of the matrix one after the other."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.plan import Row
from benchmarks.safety.plan import Part
from benchmarks.safety.stage import Stage
from benchmarks.safety.trial import run_round
from benchmarks.safety.world.confine import Confined
from benchmarks.safety.world.load import Load
from benchmarks.safety.world.pulse import Pulse, excused

#: Nodes that have just started still announce themselves (s).
CALM_S = 2.0
#: In a quick run a trial is spoilt where a command was on its way for longer (s): a machine under load of its own.
WAY_S = 0.01
#: A trial that the machine spoilt is done again, in so many more rounds of a part, or this share of them.
SPOILT_ROUNDS, SPOILT_SHARE = 5, 0.25


def run(order: Sequence[Part], seed: int, *, together: bool = False) -> list[Row]:
    """Run all parts; return a row for each trial. ``together``: those that can share a stage do, which saves time."""
    rows: list[Row] = []
    begin_s, number = time.monotonic(), 0
    with Pulse() as pulse:
        for group in grouped(order) if together else [[part] for part in order]:
            with _opened(group) as stage:
                for part in group:
                    number += 1
                    at_s = time.monotonic() - begin_s
                    said = f"[{at_s:5.0f} s] {number}/{len(order)} {part.fault.name}, {part.rule}"
                    print(said, file=sys.stderr, flush=True)
                    chance = random.Random(f"{seed} {number}")
                    if part.fault.run:
                        rows += part.fault.run(part, chance, pulse, len(rows))
                    elif stage:
                        rows += rounds(stage.part(part.nodes), part, chance, pulse, len(rows))
    return rows


def grouped(order: Sequence[Part]) -> list[list[Part]]:
    """Put parts together that want the same stage, in the order of the first of each."""
    groups: dict[object, list[Part]] = {}
    for part in order:
        own = part.fault.name if part.fault.run else ""
        groups.setdefault((part.fault.make, part.rule, own), []).append(part)
    return list(groups.values())


def rounds(stage: Stage, part: Part, chance: random.Random, pulse: Pulse, first: int = 0) -> list[Row]:
    """Run the rounds of a part; those in which a trial was spoilt are made up for."""
    rows: list[Row] = []
    wanted, spoilt, most = part.rounds * part.nodes, 0, max(SPOILT_ROUNDS, SPOILT_SHARE * part.rounds)
    while sum(not row["void"] for row in rows) < wanted and spoilt <= most:
        found = run_round(stage, part.fault, part.rule, first + len(rows), chance)
        found = [excused(row, pulse, part.fault.expected(part.rule)) for row in found]
        found = [_spoilt(row) for row in found] if part.quick else found
        spoilt += any(row["void"] for row in found)
        rows += found
    notes = {**stage.notes, **_about(stage)}
    return [{**row, **notes} for row in rows]


def _spoilt(row: Row) -> Row:
    """In a quick run a trial is spoilt where commands were long on their way: others use this machine, too."""
    way_s = max(row["way_s"].values(), default=0.0)
    if row["moved"] or row["void"] or "never" in row["late_s"].values() or way_s <= WAY_S:
        return row
    return {**row, "void": f"a command was {1000 * way_s:.0f} ms on its way to the pin"}


def _about(stage: Stage) -> Row:
    """Tell what the world around the nodes did."""
    shares = [part.share() for part in stage.world if isinstance(part, Load)]
    stood = [part.throttled() for part in stage.world if isinstance(part, Confined)]
    about: Row = {"load_share": round(shares[0], 3)} if shares else {}
    return {**about, "periods_stood_still": sum(stood)} if stood else about


@contextmanager
def _opened(group: Sequence[Part]) -> Iterator[Stage | None]:
    """Make the stage that the parts share; none for those that have their own way of running."""
    first = group[0]
    if first.fault.run:
        yield None
        return
    with first.fault.make(max(part.nodes for part in group), first.rule) as stage:
        stage.prepare()
        time.sleep(CALM_S)
        yield stage
