"""What a candidate is: something with N outputs that is started, announces itself, and answers commands."""

from __future__ import annotations

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from benchmarks import processes
from benchmarks.driver import Driver, Pair, seen_at_ns
from benchmarks.errors import BenchmarkError

#: Longer than this nothing may take to start (s).
START_S = 90.0
#: So often it is looked whether it still runs; the driver itself notes when everything was seen (s).
LOOK_S = 0.05


@dataclass
class Candidate(ABC):
    """One agent on the broker at ``port``. ``started_s`` tells, after ``with``, how long it took to be announced."""

    outputs: int
    port: int
    folder: Path
    python: Path
    started_s: float = field(init=False, default=0.0)

    name: ClassVar[str]
    python_is_theirs: ClassVar[bool] = False

    @property
    @abstractmethod
    def pairs(self) -> list[Pair]:
        """Command and state topic of every output."""

    @property
    @abstractmethod
    def announced(self) -> list[str]:
        """What an outside subscriber must have seen: discovery, availability and state of every output."""

    @abstractmethod
    def launch(self) -> int:
        """Start it; return its pid."""

    @abstractmethod
    def end(self) -> None:
        """End it."""

    @property
    def pids(self) -> list[int]:
        """Its processes."""
        return processes.tree(self._pid)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        topics = self.announced
        with Driver(self.port).announced(topics, START_S) as watcher:
            begin_ns = time.monotonic_ns()
            self._pid = self.launch()
            try:
                self.started_s = (self._announced_ns(watcher, len(topics)) - begin_ns) / 1e9
            except BenchmarkError as error:
                self.end()
                raise BenchmarkError(f"{self.name} did not start: {error}\n{self._log()}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.end()

    def _announced_ns(self, watcher: subprocess.Popen[str], topics: int) -> int:
        while watcher.poll() is None:
            if not processes.lives(self._pid):
                raise BenchmarkError("it ended")
            time.sleep(LOOK_S)
        return seen_at_ns(watcher, topics)

    def _log(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in sorted(self.folder.glob("*.log")))


def rotated(kinds: Sequence[type[Candidate]], number: int) -> Iterator[type[Candidate]]:
    """Begin each round with another candidate."""
    start = number % len(kinds)
    yield from (*kinds[start:], *kinds[:start])
