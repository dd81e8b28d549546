"""What the kernel knows of processes: children, CPU, wake-ups, memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Used:
    """What some processes used since they were started."""

    cpu_s: float
    wakeups: int

    def __sub__(self, earlier: Used) -> Used:
        return Used(self.cpu_s - earlier.cpu_s, self.wakeups - earlier.wakeups)


@dataclass(frozen=True)
class Memory:
    """``alone_mib``: as ``pss_mib``, but with no process outside to share files with (other Pythons lower the PSS)."""

    pss_mib: float
    alone_mib: float
    rss_mib: float


def tree(root: int) -> list[int]:
    """List a process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def lives(pid: int) -> bool:
    """Tell whether a child runs; it is not reaped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"


def used(pids: Iterable[int]) -> Used:
    """Sum run time (the scheduler's, which is utime + stime before rounding to ticks) and voluntary switches."""
    cpu_ns = wakeups = 0
    for task in _tasks(pids):
        cpu_ns += int((task / "schedstat").read_text().split()[0])
        status = (task / "status").read_text()
        wakeups += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return Used(cpu_ns / 1e9, wakeups)


def threads(pids: Iterable[int]) -> int:
    """Count threads."""
    return sum(1 for _ in _tasks(pids))


def memory(pids: Iterable[int]) -> Memory:
    """Sum memory. Alone, a file counts once, as much of it as the process has that uses most of it."""
    pss = own = rss = 0
    largest: dict[str, int] = {}
    for pid in pids:
        rollup = _numbers(Path(f"/proc/{pid}/smaps_rollup").read_text())
        pss, rss = pss + rollup["Pss"], rss + rollup["Rss"]
        own += rollup["Pss_Anon"] + rollup["Pss_Shmem"]
        files: dict[str, int] = {}
        for path, kib in _file_pages(pid):
            files[path] = files.get(path, 0) + kib
        largest |= {path: max(kib, largest.get(path, 0)) for path, kib in files.items()}
    return Memory(pss / KIB_PER_MIB, (own + sum(largest.values())) / KIB_PER_MIB, rss / KIB_PER_MIB)


def _tasks(pids: Iterable[int]) -> Iterator[Path]:
    for pid in pids:
        yield from Path(f"/proc/{pid}/task").iterdir()


def _numbers(text: str) -> dict[str, int]:
    rows = (line.split() for line in text.splitlines())
    return {row[0][:-1]: int(row[1]) for row in rows if row[0].endswith(":") and row[1].isdigit()}


def _file_pages(pid: int) -> Iterator[tuple[str, int]]:
    """Give the file of each mapping, and how much of the file itself is in memory (KiB)."""
    path, lines = "", ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            path, lines = words[5] if len(words) > 5 else "", ""
        elif words[0] != "VmFlags:":
            lines += line + "\n"
        elif path.startswith("/") and not path.startswith(("/dev/", "/memfd:")):
            numbers = _numbers(lines)
            yield path, numbers["Rss"] - numbers["Anonymous"]
