"""The simulated chip itself: levels and holders in a mapped file, which outlives every process. Standard library only.

It plays the kernel's part: it knows which process holds a line, tells who is busy, and applies the rule of release.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pimqtt_agent.errors import HardwareError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LINES = 1024
INPUT, OUTPUT = 1, 2
# Columns: level (double), start time of the holder (u64), its pid (i32), what was set outside (u8: 0 nothing, 1 low,
# 2 high), direction (u8). A file of zeros is a chip that nobody has touched.
_SIZE = LINES * (8 + 8 + 4 + 1 + 1)


def started(pid: int) -> int:
    """Tell when a process started (clock ticks since boot); 0 where it is dead or only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib would double the start of `safe`
            # The name in brackets may hold spaces and brackets itself.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


class Release:
    """What a released line does: ``latch`` or ``pull``, and which lines are pulled up outside."""

    def __init__(self, rule: str = "latch", up: Iterable[int] = ()) -> None:
        """Keep both; importing dataclasses would slow the start of ``safe``."""
        self.rule = rule
        self.up = frozenset(up)


class _Locked:
    """Other processes wait with their claims meanwhile."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)


class Levels:
    """The mapped file, and the trace of what happens to its outputs."""

    def __init__(self, path: Path | str, release: Release, trace: Path | str | None = None) -> None:
        """Map the file (made where it is missing) and settle the lines whose holders are dead."""
        self.path = str(path)
        self.release = release
        self.trace = str(trace) if trace else None
        self._me = (os.getpid(), started(os.getpid()))
        self.trace_fd = -1
        self.trace_lost = False
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self.trace:
                self.trace_fd = os.open(self.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise HardwareError(f"{error.filename} can't be opened: {error.strerror}") from None
        with _Locked(self._file):
            if os.fstat(self._file).st_size != _SIZE:
                os.ftruncate(self._file, 0)
                os.ftruncate(self._file, _SIZE)
            self._map = mmap.mmap(self._file, _SIZE)
            whole = memoryview(self._map)
            self.level = whole[: 8 * LINES].cast("d")
            self._started = whole[8 * LINES : 16 * LINES].cast("Q")
            self._pid = whole[16 * LINES : 20 * LINES].cast("i")
            self.outside = whole[20 * LINES : 21 * LINES]
            self._direction = whole[21 * LINES :]
            self._views = (self.level, self._started, self._pid, self.outside, self._direction, whole)
            for line in range(LINES):
                if self._pid[line] and not self.holder(line):
                    self._free(line)

    def holder(self, line: int) -> int:
        """Tell the living process that holds a line, 0 if there is none."""
        pid = self._pid[line]
        return pid if pid and started(pid) == self._started[line] else 0

    def claim(self, line: int, direction: int, level: float = 0) -> None:
        """Take a line, an output together with its first level, which is traced also where it is no change."""
        with _Locked(self._file):
            holder = self.holder(line)
            if holder:
                raise HardwareError(f"line {line} is held by process {holder}")
            if self._pid[line]:
                self._free(line)
            self._started[line], self._pid[line], self._direction[line] = self._me[1], self._me[0], direction
            if direction == OUTPUT:
                self.put(line, level)

    def free(self, line: int) -> None:
        """Give a line back; an output does what the rule of release says."""
        with _Locked(self._file):
            self._free(line)

    def _free(self, line: int) -> None:
        was_output = self._direction[line] == OUTPUT
        self._pid[line] = self._started[line] = self._direction[line] = 0
        pulled = self.pulled(line)
        if was_output and self.release.rule == "pull" and self.level[line] != pulled:
            self.put(line, pulled)

    def pulled(self, line: int) -> int:
        """Tell the level that the pull outside gives."""
        return int(line in self.release.up)

    def seen(self, line: int, pull: str) -> int:
        """Read a line as an input with a pull of its own: what was set outside, else what the pulls make of it."""
        outside = self.outside[line]
        return outside - 1 if outside else int(pull == "up" or line in self.release.up)

    def put(self, line: int, level: float) -> None:
        """Set an output's level and trace it, at once."""
        self.level[line] = level
        if self.trace_fd >= 0:
            self.note(b'{"t_ns": %d, "pin": %d, "value": %.5g}\n' % (time.monotonic_ns(), line, level))

    def note(self, row: bytes) -> None:
        """Append a row to the trace; a full disk costs the row, never the level."""
        try:
            os.write(self.trace_fd, row)
        except OSError as error:
            if not self.trace_lost:
                self.trace_lost = True
                sys.stderr.write(f"the trace has gaps: {self.trace}: {error.strerror}\n")

    def close(self) -> None:
        """Unmap the file; lines that are still claimed count as a dead process's once this one has ended."""
        for view in self._views:
            view.release()
        self._map.close()
        os.close(self._file)
        if self.trace_fd >= 0:
            os.close(self.trace_fd)
            self.trace_fd = -1
        self.trace_lost = False
