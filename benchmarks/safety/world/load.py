"""Other work on the machine: one busy process for each core, at normal priority."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from benchmarks.errors import BenchmarkError
from benchmarks.processes import Used, used

#: Works on one core until its parent is gone.
WORK = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
parent = os.getppid()
print(os.getpriority(os.PRIO_PROCESS, 0), flush=True)
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


class Load:
    """The busy processes, while it is entered."""

    def __init__(self) -> None:
        """Take every core that we may run on."""
        self._cores = sorted(os.sched_getaffinity(0))
        self._workers: list[subprocess.Popen[bytes]] = []

    def share(self) -> float:
        """Return how much of the cores they had since they were started (0..1); what others left to them."""
        now = self._used()
        return (now.cpu_s - self._used_before.cpu_s) / (time.monotonic() - self._since_s) / len(self._cores)

    def _start(self, core: int) -> None:
        command = [sys.executable, "-c", WORK, str(core)]
        # a session of its own: Ctrl-C is for the bench, which ends it
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        self._workers.append(worker)
        assert worker.stdout
        nice = worker.stdout.readline().strip().decode()
        if nice != "0":
            raise BenchmarkError(f"the load would run at nice {nice}, not at normal priority: run it without nice")

    def _used(self) -> Used:
        return used(worker.pid for worker in self._workers)

    def __enter__(self) -> Self:
        try:
            for core in self._cores:
                self._start(core)
            self._used_before, self._since_s = self._used(), time.monotonic()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.communicate()
        self._workers.clear()
