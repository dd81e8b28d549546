"""Whether the machine itself stood still: the host of a virtual one may take its processors away for a while."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.plan import Row
from benchmarks.safety.pins import class_of
from benchmarks.safety.promises import Expected

#: One for each core, above all else that runs there: it wakes every 2 ms, and tells when it could not.
BEAT = """
import gc, os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
except PermissionError:
    sys.exit()
gc.disable()
parent = os.getppid()
last = time.monotonic_ns()
while os.getppid() == parent:
    time.sleep(0.002)
    now = time.monotonic_ns()
    if now - last > 4_000_000:
        print(last + 2_000_000, now, flush=True)
    last = now
"""


class Pulse:
    """Beats while it is entered. Where no real-time priority is granted it knows nothing, and excuses nothing."""

    def __init__(self) -> None:
        """Take every core that we may run on."""
        self._cores = sorted(os.sched_getaffinity(0))
        self._beating: list[subprocess.Popen[bytes]] = []

    def stood_still_s(self, from_ns: int, to_ns: int) -> float:
        """Return for how long any core stood still between two moments (ns, CLOCK_MONOTONIC), all in all."""
        total_ns, reached_ns = 0, from_ns
        for begin_ns, end_ns in sorted(self._gaps()):
            until_ns = min(end_ns, to_ns)
            total_ns += max(0, until_ns - max(begin_ns, reached_ns))
            reached_ns = max(reached_ns, until_ns)
        return total_ns / 1e9

    def _gaps(self) -> list[tuple[int, int]]:
        lines = [line for core in self._cores for line in self._said(core).read_text().splitlines()]
        return [(int(begin), int(end)) for begin, _, end in (line.partition(" ") for line in lines)]

    def _said(self, core: int) -> Path:
        return Path(self._folder.name) / f"core{core}"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="pimqtt-pulse-")
        try:
            for core in self._cores:
                self._start(core)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start(self, core: int) -> None:
        with self._said(core).open("w") as told:
            command = [sys.executable, "-c", BEAT, str(core)]
            self._beating.append(subprocess.Popen(command, stdout=told, start_new_session=True))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for process in self._beating:
            process.kill()
            process.wait()
        self._beating.clear()
        self._folder.cleanup()


def excused(row: Row, pulse: Pulse, expected: Expected) -> Row:
    """Leave out a trial in which a promise was broken only because the machine stood still.

    That counts while a deadline began to run, for as long as the pin was late, and from the deadline until it was safe.
    """
    if row["void"] or "never" in row["late_s"].values():
        return row
    over_s = {pin: late_s - _limit_s(expected, pin) for pin, late_s in row["late_s"].items()}
    stood_s = {
        pin: _stood_s(pulse, row["deadlines_ns"][pin], row["late_s"][pin]) for pin, over in over_s.items() if over > 0
    }
    if not stood_s or any(over_s[pin] > still_s for pin, still_s in stood_s.items()):
        return row
    return {**row, "void": f"the machine stood still for {1000 * max(stood_s.values()):.0f} ms"}


def _limit_s(expected: Expected, pin: str) -> float:
    due = expected[class_of(int(pin))]
    assert due, "what must not change has no deadline"
    return due.limit_s


def _stood_s(pulse: Pulse, deadline_ns: Sequence[int], late_s: float) -> float:
    (from_ns, until_ns), late_ns = deadline_ns, round(late_s * 1e9)
    begun_ns, end_ns = from_ns + late_ns, until_ns + late_ns
    return pulse.stood_still_s(from_ns, begun_ns) + pulse.stood_still_s(max(until_ns, begun_ns), end_ns)
