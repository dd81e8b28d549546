"""A node's trace as it grows, each row read once."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.safety.judging import Change

#: The spare switch may change ten thousand times a second: of that only the count and the last level are kept.
SPARE = 26


class Trace:
    """The changes of each pin so far."""

    def __init__(self, path: Path) -> None:
        """Take the file, which may still be missing."""
        self._path, self._at = path, 0
        self._seen: dict[int, list[Change]] = {}
        self.spare_changes = 0

    def seen(self) -> dict[int, list[Change]]:
        """Read on; return the changes of each pin in order, without rows that change nothing."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._at)
                whole = file.read().rpartition(b"\n")[0]
            self._at += len(whole) + bool(whole)
            for line in whole.splitlines():
                row = json.loads(line)
                self._take(row["pin"], (row["t_ns"], row["value"]))
        return self._seen

    def levels(self) -> dict[int, float]:
        """Return where the pins are."""
        return {pin: done[-1][1] for pin, done in self.seen().items()}

    def _take(self, pin: int, change: Change) -> None:
        done = self._seen.setdefault(pin, [])
        if done and done[-1][1] == change[1]:
            return
        if pin == SPARE:
            self.spare_changes += 1
            done.clear()
        done.append(change)
