"""Starts and ends whoever drives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from benchmarks.errors import BenchmarkError
from benchmarks.safety.sender import Orders
from benchmarks.safety.stage import Stage
from tests.rig import ROOT


@dataclass
class Driving:
    """A sender's process."""

    process: subprocess.Popen[str]

    def ready(self) -> None:
        """Wait until it is connected."""
        assert self.process.stdout
        if self.process.stdout.readline() != "ready\n":
            raise BenchmarkError("who drives could not connect to the broker; what it said stands above")

    def begin(self, start_ns: int) -> None:
        """Have it drive from then on."""
        assert self.process.stdin
        self.process.stdin.write(f"{start_ns}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()


@contextmanager
def driving(stage: Stage, orders: Orders) -> Iterator[Driving]:
    """Start a sender beside the broker; it ends with this."""
    command = [*stage.beside_broker, sys.executable, "-m", "benchmarks.safety.sender", json.dumps(asdict(orders))]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Driving(process)
    finally:
        process.kill()
        process.communicate()
