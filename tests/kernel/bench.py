"""A node on real lines, and the world outside them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import gpiod
import pytest
from gpiod.line import Direction, Value

from tests.broker.steps import kill_all, told
from tests.lines import simulated
from tests.rig import ROOT, Mosquitto, Node, Observer, wait_for

EMULATED = "QEMU TCG" in Path("/proc/cpuinfo").read_text()
#: What a change may be late (s): the meter looks every 3 ms; an emulated processor is some twenty times as slow.
LATE_S = 0.5 if EMULATED else 0.06
#: Within what outputs are safe after a keeper's death or freezing (s); the promise is 1 s on a board of its own.
LOST_S = 4.0 if EMULATED else 1.0
#: An emulated agent stands still now and then, for longer than half a dead-man; then it refuses motion, as it must.
STALE = {"stale"} if EMULATED else set()
START_S = 60 if EMULATED else 15
PUMP, LAMP, RELAY, FORWARD, BACKWARD, GLOW, DOOR, BELL = 17, 27, 24, 5, 6, 18, 22, 23
#: The lines whose every change is noted.
METERED = (PUMP, LAMP, RELAY, FORWARD, BACKWARD)
#: The relay is on when its input is low, and pulled up outside.
DEVICES = f"""
  - {{id: pump, kind: switch, pin: {PUMP}, ttl: {{max: 60}}}}
  - {{id: lamp, kind: switch, pin: {LAMP}, on_stop: keep}}
  - {{id: relay, kind: switch, pin: {RELAY}, active_low: true, ttl: {{max: 60}}}}
  - {{id: fan, kind: motor, forward: {FORWARD}, backward: {BACKWARD}, deadman: 0.5, frequency: 50}}
  - {{id: glow, kind: light, pin: {GLOW}, frequency: 50}}
  - {{id: door, kind: binary_sensor, pin: {DOOR}, debounce: 0.2}}
  - {{id: bell, kind: button, pin: {BELL}, long: 1.5, double: 0.8}}
"""
#: Each start costs an emulated machine ten seconds: the second backend and the second rule of some are for `--full`.
KERNEL_FIRST = pytest.mark.parametrize(
    "running",
    [
        pytest.param("kernel", marks=pytest.mark.gpiochip("kernel")),
        pytest.param("pi", marks=[pytest.mark.gpiochip("pi"), pytest.mark.full]),
    ],
    indirect=True,
)
PULL_FIRST = pytest.mark.parametrize("rule", ["pull", pytest.param("latch", marks=pytest.mark.full)], indirect=True)
#: A Pi's kernel keeps what is released, others let it fall: these two pairs come first.
PAIRS = pytest.mark.parametrize(
    ("running", "rule"),
    [
        pytest.param("kernel", "pull", marks=pytest.mark.gpiochip("kernel")),
        pytest.param("pi", "latch", marks=pytest.mark.gpiochip("pi")),
        pytest.param("kernel", "latch", marks=[pytest.mark.gpiochip("kernel"), pytest.mark.full]),
        pytest.param("pi", "pull", marks=[pytest.mark.gpiochip("pi"), pytest.mark.full]),
    ],
    indirect=True,
)
SAFE = {PUMP: 0, LAMP: 0, RELAY: 1, FORWARD: 0, BACKWARD: 0}
#: Pump, lamp, relay on, the motor at full speed.
DRIVEN = {PUMP: 1, LAMP: 1, RELAY: 0, FORWARD: 1, BACKWARD: 0}


def hardware(backend: str, chip: str) -> str:
    """Name a backend on this chip as a configuration does."""
    return "backend: pi" if backend == "pi" else f"backend: kernel, chip: {chip}"


def configuration(port: int, backend: str, devices: str = DEVICES) -> str:
    """Write a configuration; ``backend`` as ``hardware`` gives it."""
    return f"node: car1\nmqtt: {{host: 127.0.0.1, port: {port}}}\nhardware: {{{backend}}}\ndevices:{devices}"

#: `pimqtt safe` holds a line for less than a millisecond; whoever plays a kernel that keeps its level must see it.
SLOW_CLOSE = """
import os, time
close = os.close
def slow_close(fd):
    if "gpio-line" in os.readlink(f"/proc/self/fd/{fd}"):
        time.sleep(0.05)
    close(fd)
os.close = slow_close
"""


class Outside:
    """What a meter, a resistor and a hand do with the lines, by a process of its own."""

    def __init__(self, chip: str, folder: Path) -> None:
        self.trace = folder / "lines.jsonl"
        words = [chip, str(self.trace), *map(str, METERED)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kernel.meter", *words],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._since = 0
        for line in (*METERED, GLOW):
            self.pull(line, int(line == RELAY))
        #: The rules that can be had: gpio-sim's lines fall, and the process can play the other; a board has its own.
        self.rules = {"latch", "pull"}
        if not simulated(chip):
            self.rules = {"latch" if keeps_released(chip, self) else "pull"}

    def ask(self, word: str, *numbers: int) -> str:
        """Give the process a command."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{word} {' '.join(map(str, numbers))}\n")
        answer = self._process.stdout.readline().strip()
        assert answer, "the meter has ended"
        return answer

    def level(self, line: int) -> int:
        """Read a line."""
        return int(self.ask("level", line))

    def levels(self) -> dict[int, int]:
        """Read all metered lines."""
        return {line: self.level(line) for line in METERED}

    def share(self, line: int, ms: int = 800) -> float:
        """Measure the share of the time that a line is high."""
        return float(self.ask("share", line, ms))

    def pull(self, line: int, level: int) -> None:
        """Hang a resistor on a line."""
        assert self.ask("pull", line, level) == "done"

    def drive(self, line: int, level: int) -> None:
        """Set an input."""
        assert self.ask("drive", line, level) == "done"

    def play(self, rule: str) -> None:
        """Play a kernel's rule for what is released: `latch` or `pull`."""
        self.ask("keep", int(rule == "latch"))
        if rule == "pull":
            for line in METERED:
                self.pull(line, int(line == RELAY))

    def forget(self) -> None:
        """Count changes from now on."""
        time.sleep(0.02)
        self._since = self.trace.stat().st_size

    def rows(self) -> list[dict[str, Any]]:
        """List the changes since then."""
        with self.trace.open("rb") as file:
            file.seek(self._since)
            return [json.loads(row) for row in file.read().splitlines()]

    def seen(self, line: int) -> list[int]:
        """List the levels of a line since then."""
        return [row["value"] for row in self.rows() if row["pin"] == line]

    async def until(self, want: dict[int, int], within_s: float) -> None:
        """Wait until lines are as wanted."""
        end = time.monotonic() + within_s
        while (now := {line: self.level(line) for line in want}) != want:
            assert time.monotonic() < end, f"{now} after {within_s} s, not {want}"
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=10)


def keeps_released(chip: str, outside: Outside) -> bool:
    """Try what this kernel does with an output that is released high."""
    high = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.ACTIVE)
    gpiod.request_lines(chip, {PUMP: high}, consumer="tests").release()
    kept = bool(outside.level(PUMP))
    low = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
    gpiod.request_lines(chip, {PUMP: low}, consumer="tests").release()
    return kept


class Bench:
    """A node with its lines; one that was killed is started again."""

    def __init__(self, folder: Path, broker: Mosquitto, outside: Outside, backend: str, chip: str) -> None:
        self.outside = outside
        self.backend = backend
        self.broker = broker
        self.node = Node(folder / backend, configuration(broker.port, hardware(backend, chip)))

    def start(self) -> None:
        """Have it running."""
        if not (self.node.process and self.node.process.poll() is None):
            begin(self.node)

    def stop(self) -> int:
        """Stop it in order."""
        return self.node.stop(timeout_s=START_S)

    def freeze_and_kill_all(self) -> None:
        """Kill all at once; frozen before, since pins that see their supervisor die do `on_stop` first."""
        assert self.node.process
        self.node.process.send_signal(signal.SIGSTOP)  # it would replace them
        for role in ("keeper pins", "agent"):
            self.node.signal(role, signal.SIGSTOP)
        kill_all(self.node)

    def safe(self) -> subprocess.CompletedProcess[str]:
        """Run `pimqtt safe` as the unit does after a crash."""
        site = self.node.folder / "site"
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text(SLOW_CLOSE)
        path = f"{ROOT}{os.pathsep}{site}"
        return pimqtt(self.node, "safe", "-c", str(self.node.config), SERVICE_RESULT="signal", PYTHONPATH=path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.node.__exit__(kind, error, tb)


def begin(node: Node) -> None:
    """Start a node and wait for its children."""
    node.start(wait=False)
    wait_for(lambda: node.pid("agent") and node.pid("keeper pins"), START_S, f"children; see {node.log}")


def pimqtt(node: Node, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of pimqtt beside a node."""
    command = [*node.before, sys.executable, "-m", "pimqtt_agent", *words]
    given = {**node.env, **env}
    return subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@contextlib.contextmanager
def other_program(chip: str, line: int) -> Iterator[None]:
    """Hold a line high as another program would, named `intruder`."""
    script = (
        "import gpiod, sys, time\n"
        "high = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT, output_value=gpiod.line.Value.ACTIVE)\n"
        "held = gpiod.request_lines(sys.argv[1], {int(sys.argv[2]): high}, consumer='intruder')\n"
        "print('held', flush=True)\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, chip, str(line)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.kill()


async def moved(watch: Observer, value: int | str) -> None:
    """Turn the fan."""
    for _ in range(20):
        result = await told(watch, "fan", {"value": value, "owner": "me"})
        if result["code"] not in STALE:
            break
    assert result["outcome"] == "accepted", result
