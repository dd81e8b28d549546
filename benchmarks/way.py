"""``python -m benchmarks.way``: where the time of one command goes, from the sender's socket to the pin to its state.

``way.c``, preloaded, notes the calls of the driver, the broker and every process of the node. Commands are sent one at
a time, so between the driver's write and its read each process has its part, and waiting for a wake-up has the rest.
A command during which a process also did something else (a heartbeat, a log line) is left out and counted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median

from benchmarks import environment
from benchmarks.agents import Pimqtt
from benchmarks.driver import Driver
from benchmarks.errors import BenchmarkError
from tests.rig import Mosquitto

SOURCE = Path(__file__).with_name("way.c")
#: As in ``way.c``: begin and end (ns, CLOCK_MONOTONIC), what, descriptor, result.
NOTE = struct.Struct("<QQiiq")
WAIT, READ, WRITE = range(3)
#: Who reads and writes in turn, from the driver's command to the driver's state.
TURNS = ("driver", "broker", "agent", "keeper", "agent", "broker", "driver")
#: What each does between its read and its write.
PARTS = ("broker", "agent: reads, judges, asks", "keeper: lease, limits, pin", "agent: writes the state", "broker")


@dataclass(frozen=True)
class Call:
    """A call that moved bytes: of whom, READ or WRITE, when it began and ended (ns)."""

    who: str
    what: int
    begin_ns: int
    end_ns: int


def legs(calls: Sequence[Call]) -> list[int] | None:
    """Split one command's time into its legs: wake-up, work, wake-up ... (ns); None where somebody did more than that.

    Work is from the end of a read to the begin of the write that follows, a wake-up from there to the end of a read.
    """
    wanted = [("driver", WRITE)]
    for who in TURNS[1:-1]:
        wanted += [(who, READ), (who, WRITE)]
    wanted.append(("driver", READ))
    # a reader may be quicker than the call that woke it: its read ends before the write does
    ordered = sorted(calls, key=_mark)
    turns = [list(run) for _, run in groupby(ordered, key=lambda call: (call.who, call.what))]
    steps = [(run[0].who, run[0].what) for run in turns]
    # Mosquitto reads a packet in three calls; nobody else does anything twice
    more = any(len(run) > 1 for step, run in zip(steps, turns, strict=True) if step != ("broker", READ))
    if more or steps != wanted:
        return None
    marks = [_mark(run[-1]) for run in turns]
    return [later - earlier for earlier, later in pairwise(marks)]


def commands(calls: Sequence[Call]) -> Iterator[list[Call]]:
    """Give the calls of each command: from a write of the driver's to the next."""
    ordered = sorted(calls, key=lambda call: call.begin_ns)
    starts = [n for n, call in enumerate(ordered) if (call.who, call.what) == ("driver", WRITE)]
    for start, end in pairwise(starts):
        part = ordered[start:end]
        last = max((call.end_ns for call in part if call.who == "driver" and call.what == READ), default=0)
        # what comes after the answer belongs to nobody
        yield [call for call in part if call.begin_ns < last]


def notes(path: Path, who: str) -> list[Call]:
    """Read the notes of one process."""
    data = path.read_bytes()
    found = []
    for begin_ns, end_ns, what, _, result in NOTE.iter_unpack(data[: len(data) // NOTE.size * NOTE.size]):
        if not begin_ns:
            break
        if result > 0 and what != WAIT:
            found.append(Call(who, what, begin_ns, end_ns))
    return found


def measure(count: int, outputs: int) -> list[Call]:
    """Send ``count`` commands to a node with ``outputs`` switches; return what all did."""
    shim = _build()
    with tempfile.TemporaryDirectory(prefix="pimqtt-way-") as name:
        folder, noted = Path(name), Path(name) / "notes"
        noted.mkdir()
        noted.chmod(0o777)  # Mosquitto gives up its rights
        folder.chmod(0o755)
        roles: dict[int, str] = {}
        with _preloaded(shim, noted), Mosquitto(folder, "user root\n") as broker:
            assert broker.process
            roles[broker.process.pid] = "broker"
            with Pimqtt(outputs, broker.port, folder / "node", Path(sys.executable)) as node:
                for pid in node.pids:
                    roles[pid] = _role(pid)
                time.sleep(1.5)
                before = set(noted.iterdir())
                Driver(broker.port).latencies_s(node.pairs, 0, count)
                roles |= {int(path.name): "driver" for path in set(noted.iterdir()) - before}
        return [call for pid, who in roles.items() if who and (noted / str(pid)).exists()
                for call in notes(noted / str(pid), who)]  # fmt: skip


def table(calls: Sequence[Call], sent: int) -> str:
    """Write the legs as a Markdown table (medians, µs)."""
    split = [found for part in commands(calls) if (found := legs(part))]
    if len(split) < sent // 2:
        raise BenchmarkError(f"only {len(split)} of {sent} commands went the plain way: is the machine busy?")
    typical = [median(column) / 1e3 for column in zip(*split, strict=True)]
    whole = median(sum(row) for row in split) / 1e3
    names = ["wake-up: broker", *(f"{part}|wake-up: {who}" for part, who in zip(PARTS, TURNS[2:], strict=True))]
    rows = [f"| {name} | {us:.0f} |" for name, us in zip("|".join(names).split("|"), typical, strict=True)]
    foot = f"| **whole** (median; {len(split)} of {sent} commands, nothing else done meanwhile) | **{whole:.0f}** |"
    return "\n".join(["| part | µs |", "| --- | ---: |", *rows, foot])


def main(argv: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.way", description=__doc__)
    parser.add_argument("--commands", type=int, default=3000, help="how many (3000)")
    parser.add_argument("--outputs", type=int, default=20, help="of how many outputs in turns (20)")
    options = parser.parse_args(argv)
    try:
        environment.compile_bytecode()
        print(table(measure(options.commands, options.outputs), options.commands))
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _preloaded(shim: Path, folder: Path) -> Iterator[None]:
    added = {"LD_PRELOAD": str(shim), "WAY_DIR": str(folder)}
    before = {key: os.environ.get(key) for key in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def _mark(call: Call) -> int:
    return call.begin_ns if call.what == WRITE else call.end_ns


def _role(pid: int) -> str:
    title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return {"pimqtt: agent": "agent", "pimqtt: keeper pins": "keeper"}.get(title, "")


def _build() -> Path:
    library = environment.cache() / "bench-way.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    environment.run("gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl")
    return library


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
