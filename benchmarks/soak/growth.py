"""What processes hold at a moment, and whether that grew."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.rig import Node

#: Chance: holes in the heap, a page that a process touches late (KiB).
CHANCE_KIB = 1024
CALM = ("supervisor", "agent", "keeper pins", "keeper camera eye")


@dataclass(frozen=True)
class Sample:
    """One process at one moment. Memory is what it has for itself."""

    at_s: float
    process: str
    pid: int
    private_kib: int
    descriptors: int
    threads: int


@dataclass(frozen=True)
class Growth:
    """From the second quarter of the run (the first one warms up) to the last."""

    process: str
    before: dict[str, float]
    after: dict[str, float]
    replaced: int

    @property
    def problems(self) -> list[str]:
        """Say what grew."""
        grown = [key for key in self.before if self._grew(key)]
        told = [f"{self.process}: {key} {self.before[key]:g} -> {self.after[key]:g}" for key in grown]
        return told + [f"{self.process} was replaced {self.replaced} times"] * bool(self.replaced)

    def _grew(self, key: str) -> bool:
        return self.after[key] - self.before[key] > (CHANCE_KIB if key == "private_kib" else 0)


def samples(at_s: float, calm: Node, troubled: Node) -> list[Sample]:
    """Look at all processes that are to live through; of the troubled node that is the supervisor."""
    assert calm.process
    assert troubled.process
    pids = {role: calm.process.pid if role == "supervisor" else calm.pid(role) for role in CALM}
    pids["troubled supervisor"] = troubled.process.pid
    return [_sample(at_s, name, pid) for name, pid in pids.items() if pid]


def growth(taken: Sequence[Sample], minutes: float) -> list[Growth]:
    """Compare the medians of quarters."""
    quarter_s = minutes * 15
    found = []
    for name in dict.fromkeys(sample.process for sample in taken):
        rows = [sample for sample in taken if sample.process == name]
        before = _medians([row for row in rows if quarter_s <= row.at_s < 2 * quarter_s])
        after = _medians([row for row in rows if row.at_s >= 3 * quarter_s])
        found.append(Growth(name, before, after, len({row.pid for row in rows}) - 1))
    return found


def rows(taken: Sequence[Sample]) -> list[dict[str, Any]]:
    """Return what goes into the file of raw rows."""
    return [asdict(sample) for sample in taken]


def _medians(rows: Sequence[Sample]) -> dict[str, float]:
    return {
        key: float(statistics.median(getattr(row, key) for row in rows))
        for key in ("private_kib", "descriptors", "threads")
    }


def _sample(at_s: float, name: str, pid: int) -> Sample:
    process = Path(f"/proc/{pid}")
    lines = (process / "smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Private_Clean")))
    counts = (sum(1 for _ in (process / part).iterdir()) for part in ("fd", "task"))
    return Sample(round(at_s, 1), name, pid, private, *counts)
