"""What the wheels of the simulated car did, from its trace alone: times are CLOCK_MONOTONIC (ns)."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

#: The lines of the car's motors: any of them above 0 turns a wheel.
LINES = (5, 6, 13, 19)
CAR = "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}"
DEADMAN_S = 0.5


class Wheels:
    """Follows a trace."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace
        self._offset = 0
        self._levels: dict[int, float] = {}
        self._changes: list[tuple[int, bool]] = []

    @property
    def changes(self) -> list[tuple[int, bool]]:
        """When wheels began or ceased to turn, up to now."""
        self._read()
        return self._changes

    @property
    def turning(self) -> bool:
        """Whether a wheel turns now."""
        changes = self.changes
        return bool(changes) and changes[-1][1]

    def _read(self) -> None:
        if not self._trace.exists():
            return
        with self._trace.open("rb") as file:
            file.seek(self._offset)
            *lines, rest = file.read().split(b"\n")
            self._offset = file.tell() - len(rest)
        for line in lines:
            row = json.loads(line)
            if row["pin"] in LINES:
                before = any(self._levels.values())
                self._levels[row["pin"]] = row["value"]
                if (now := any(self._levels.values())) != before:
                    self._changes.append((row["t_ns"], now))

    async def wait(self, *, turning: bool, timeout_s: float) -> None:
        """Wait until they turn or stand."""
        end = time.monotonic() + timeout_s
        while self.turning != turning:
            assert time.monotonic() < end, f"the wheels {'stand' if turning else 'turn'} still after {timeout_s} s"
            await asyncio.sleep(0.01)

    async def began(self, pressed_ns: int, timeout_s: float = 3) -> float:
        """Give how long after a press they began to turn (s)."""
        await self.wait(turning=True, timeout_s=timeout_s)
        return next(t_ns - pressed_ns for t_ns, turns in self.changes if turns and t_ns >= pressed_ns) / 1e9

    async def ceased(self, ended_ns: int, timeout_s: float = 3, watch_s: float = 0.3) -> float:
        """Give how long after an end they turned for the last time (s); what turns them again later counts too."""
        await self.wait(turning=False, timeout_s=timeout_s)
        await asyncio.sleep(watch_s)
        await self.wait(turning=False, timeout_s=timeout_s)
        return max(0, self.changes[-1][0] - ended_ns) / 1e9


async def some_time(least_s: float, most_s: float) -> None:
    """Let a while pass, of no rhythm that a timer of theirs may have."""
    await asyncio.sleep(random.uniform(least_s, most_s))


def in_words(times_s: Iterable[float]) -> str:
    """Sum up, in milliseconds."""
    rows = sorted(1000 * each for each in times_s)
    return f"{len(rows)} times, median {statistics.median(rows):.0f} ms, longest {rows[-1]:.0f} ms"
