"""A share of one core for some processes and no more, by the kernel's processor bandwidth (cgroup), as CPUQuota= does.

The quota is dealt out ten times a second: with a tenth of a core a busy group runs 10 ms and then stands for 90 ms.
Root only.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.errors import BenchmarkError
from benchmarks.processes import lives, tree

PERIOD_US = 100_000
GIVE_UP_S = 5.0
_NUMBERS = itertools.count()


class Confined:
    """A group of processes with a share of one core, while it is entered; then they go free."""

    def __init__(self, share: float = 0.1) -> None:
        """Take the share of one core."""
        self._quota_us = round(share * PERIOD_US)
        self._parent, self._new = _hierarchy()
        self.folder = self._parent / f"pimqtt-{os.getpid()}-{next(_NUMBERS)}"

    @property
    def before(self) -> tuple[str, ...]:
        """The words to put before a command so that it starts inside, and with it all that it starts."""
        return ("sh", "-c", f'echo 0 >"{self._processes}" && exec "$@"', "sh")

    def take(self, pids: Sequence[int]) -> None:
        """Put running processes and all that descend from them inside."""
        while True:
            outside = {pid for root in pids for pid in tree(root) if _lives(pid)} - set(self.pids())
            if not outside:
                return
            for pid in outside:
                _move(pid, self._processes)

    def pids(self) -> list[int]:
        """List who is inside."""
        return [int(line) for line in self._processes.read_text().split()]

    def throttled(self) -> int:
        """Say in how many periods the group had used up its share and had to stand."""
        rows = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(rows["nr_throttled"])

    @property
    def _processes(self) -> Path:
        return self.folder / "cgroup.procs"

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir()
        except OSError as error:
            raise BenchmarkError(f"{self.folder}: {error.strerror}; a share of a core needs root") from None
        try:
            if self._new:
                (self.folder / "cpu.max").write_text(f"{self._quota_us} {PERIOD_US}")
            else:
                (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (self.folder / "cpu.cfs_quota_us").write_text(str(self._quota_us))
        except BaseException:
            self.folder.rmdir()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        end = time.monotonic() + GIVE_UP_S
        while True:
            for pid in self.pids():
                _move(pid, self._parent / "cgroup.procs")
            try:
                self.folder.rmdir()
            except OSError:  # one that is ending still counts
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return


def _hierarchy() -> tuple[Path, bool]:
    """Return the folder in which to make a group, and whether it is of version 2."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, folder, system, options = line.split()[:4]
        if system == "cgroup" and "cpu" in options.split(","):
            return Path(folder), False
    for line in Path("/proc/mounts").read_text().splitlines():
        _, folder, system, _ = line.split()[:4]
        top = Path(folder)
        if system == "cgroup2" and "cpu" in (top / "cgroup.controllers").read_text().split():
            if "cpu" not in (top / "cgroup.subtree_control").read_text().split():
                (top / "cgroup.subtree_control").write_text("+cpu")
            return top, True
    raise BenchmarkError("no cgroup with a processor controller is mounted: nobody can be given a share of a core here")


def _lives(pid: int) -> bool:
    try:
        return lives(pid)
    except OSError:
        return False


def _move(pid: int, processes: Path) -> None:
    try:
        processes.write_text(str(pid))
    except ProcessLookupError:
        return  # it ended meanwhile
