"""The driver: ``driver.c``, compiled when it is needed, as functions."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import cache, run
from benchmarks.errors import BenchmarkError

SOURCE = Path(__file__).with_name("driver.c")
#: What it prints when everything is subscribed.
READY = b"ready\n"
#: A command topic and its state topic.
Pair = tuple[str, str]


@dataclass(frozen=True)
class Burst:
    """A pipelined run. ``disorder``: states that were not the next of their output; ``last_wrong``: outputs."""

    seconds: float
    received: int
    disorder: int
    last_wrong: int


@dataclass
class Flood:
    """Commands at a rate that nobody's answers hold back."""

    sent_hz: float = 0.0


class Driver:
    """The compiled driver on one broker."""

    def __init__(self, port: int) -> None:
        """Compile it where that was not done."""
        self._port = port
        self._program = build()

    def latencies_s(self, pairs: Sequence[Pair], qos: int, count: int, limit_s: float = 60) -> list[float]:
        """Publish a command and wait for its state, again and again; return how long each took."""
        lines = self._run(pairs, "seq", qos, count, limit_s)
        return [int(line) / 1e9 for line in lines]

    def burst(self, pairs: Sequence[Pair], qos: int, count: int, window: int) -> Burst:
        """Keep ``window`` commands in flight."""
        ns, received, disorder, last_wrong = map(int, self._run(pairs, "pipe", qos, count, window)[0].split())
        return Burst(ns / 1e9, received, disorder, last_wrong)

    @contextlib.contextmanager
    def announced(self, topics: Sequence[str], timeout_s: float) -> Iterator[subprocess.Popen[str]]:
        """Watch from outside until every topic was seen; ``seen_at_ns`` takes the answer."""
        with self._start([(topic,) for topic in topics], "await", timeout_s) as process:
            yield process

    @contextlib.contextmanager
    def echo(self, pairs: Sequence[Pair]) -> Iterator[int]:
        """Answer commands as the cheapest agent would; gives its pid."""
        with self._start(pairs, "echo") as process:
            yield process.pid

    @contextlib.contextmanager
    def flood(self, pairs: Sequence[Pair], rate_hz: float) -> Iterator[Flood]:
        """Send so many commands a second (QoS 0), whatever comes of them; in the end the flood knows what was sent."""
        flood = Flood()
        with self._start(pairs, "pace", 0, rate_hz) as process:
            yield flood
            process.terminate()
            printed, complaint = process.communicate()
            if process.returncode:
                raise BenchmarkError(complaint.strip())
            ns, sent = map(int, printed.split())
            flood.sent_hz = sent * 1e9 / ns

    @contextlib.contextmanager
    def _start(self, rows: Sequence[Sequence[str]], *words: object) -> Iterator[subprocess.Popen[str]]:
        with tempfile.NamedTemporaryFile("w", prefix="pimqtt-topics-") as file:
            file.writelines(" ".join(row) + "\n" for row in rows)
            file.flush()
            command = [str(self._program), str(self._port), file.name, *map(str, words)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                assert process.stdout
                try:
                    # past the buffer of `stdout`: what is read ahead into that `communicate` does not give
                    if os.read(process.stdout.fileno(), len(READY)) != READY:
                        raise BenchmarkError(process.communicate()[1].strip())
                    yield process
                finally:
                    process.kill()

    def _run(self, pairs: Sequence[Pair], *words: object) -> list[str]:
        with self._start(pairs, *words) as process:
            printed, complaint = process.communicate()
            if process.returncode:
                raise BenchmarkError(complaint.strip())
            return printed.split("\n")[:-1]


def seen_at_ns(watcher: subprocess.Popen[str], topics: int) -> int:
    """Wait for a watcher; return when the last topic was seen (CLOCK_MONOTONIC)."""
    printed, missing = watcher.communicate()
    if watcher.returncode:
        raise BenchmarkError(missing.strip())
    at_ns, seen = map(int, printed.split())
    if seen < topics:
        raise BenchmarkError(f"{topics - seen} of {topics} topics were not seen: {', '.join(missing.splitlines()[:5])}")
    return at_ns


def build() -> Path:
    """Compile the driver; return the program."""
    mark = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    program = cache() / f"bench-driver-{mark}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(".new")
        run("gcc", "-O2", "-std=gnu11", "-Wall", "-o", fresh, SOURCE)
        fresh.rename(program)
    return program
