"""The real parts that tests use: Mosquitto, `pimqtt run` with its children, what topics and pins showed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.observer import Observer, Seen, observer

__all__ = [
    "CONFIG", "ROOT", "Mosquitto", "Node", "Observer", "Seen", "as_root", "config", "free_port", "iterate", "observer",
    "wait_for",
]  # fmt: skip
ROOT = Path(__file__).parents[1]
CONFIG = "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], timeout_s: float = 10.0, what: str = "") -> Any:
    """Wait until a condition holds; return what it gave."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {timeout_s} s: {what or condition}"
        time.sleep(0.005)


class Mosquitto:
    """A broker of one's own on loopback."""

    def __init__(self, folder: Path, extra: str = "", port: int = 0) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        assert program, "mosquitto is missing: apt-get install mosquitto"
        self.program, self.port, self.folder = program, port or free_port(), folder
        self.config = folder / f"mosquitto-{self.port}.conf"
        self.config.write_text(CONFIG.format(port=self.port) + extra)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it listens."""
        log = (self.folder / "mosquitto.log").open("ab")
        self.process = subprocess.Popen([self.program, "-c", str(self.config)], stdout=log, stderr=log)
        log.close()
        wait_for(self._listens, what="mosquitto listens")
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(15)
            self.process = None

    def freeze(self) -> None:
        """Stop it without closing its connections."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
            return True
        return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


def kill_together(pids: Iterable[int]) -> None:
    """Kill processes at once, as a power cut does: who survived another by a moment would act on its death."""
    for number, pid in product((signal.SIGSTOP, signal.SIGKILL), tuple(pids)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class Node:
    """`pimqtt run` on a configuration text; ``before`` comes before the command and executes it."""

    def __init__(self, folder: Path, text: str, env: dict[str, str] | None = None, name: str = "car1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, name
        self.config = folder / "config.yaml"
        self.config.write_text(text)
        self.trace = folder / "trace.jsonl"
        self.log = folder / "run.log"
        self.env = {
            **os.environ, "XDG_RUNTIME_DIR": str(folder / "run"), "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": str(ROOT), "PIMQTT_CLOCK": "sync", **(env or {}),
        }  # fmt: skip
        self.before: tuple[str, ...] = ()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Self:
        """Start it; wait until agent and pins are there."""
        with self.log.open("ab") as log:
            command = [*self.before, sys.executable, "-m", "pimqtt_agent", "run", "-c", str(self.config)]
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, cwd=self.folder)
        if wait:
            wait_for(lambda: self.pid("agent") and self.pid("keeper pins"), 30, f"children; see {self.log}")
        return self

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 15) -> int:
        """End it; return the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout_s)
        self.process = None
        return status

    def pid(self, role: str) -> int:
        """Return the pid of a living child by its process title (``agent``, ``keeper pins``); 0 for none."""
        assert self.process
        for pid in self.descendants():
            with contextlib.suppress(OSError):
                title = Path(f"/proc/{pid}/cmdline").read_bytes().strip(b"\0 ").decode()
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                if title == f"pimqtt: {role}" and state != "Z":
                    return pid
        return 0

    def descendants(self) -> list[int]:
        """List the pids that descend from ours."""
        assert self.process
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found[1:]

    def signal(self, role: str, number: int) -> int:
        """Send a signal to a child; return its pid."""
        pid = self.pid(role)
        assert pid, f"no {role}"
        os.kill(pid, number)
        return pid

    def levels(self, pin: int) -> list[float]:
        """Return the levels that a pin saw, in order."""
        return [row["value"] for row in self.rows() if row["pin"] == pin]

    def rows(self) -> list[dict[str, Any]]:
        """Read the trace, but for a row that is just being written."""
        *rows, _ = self.trace.read_text().split("\n") if self.trace.exists() else [""]
        return [json.loads(row) for row in rows]

    def wait_level(self, pin: int, level: float, timeout_s: float = 10) -> int:
        """Wait until a pin is at a level; return when it got there (ns, CLOCK_MONOTONIC)."""

        def there() -> int:
            rows = [row for row in self.rows() if row["pin"] == pin]
            return rows[-1]["t_ns"] if rows and rows[-1]["value"] == level else 0

        return int(wait_for(there, timeout_s, f"pin {pin} at {level}; saw {self.levels(pin)}"))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.process and self.process.poll() is None:
            left = self.descendants()
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(6)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
            for pid in left:
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"pimqtt: "):
                        os.kill(pid, signal.SIGKILL)


def config(port: int, *devices: str, extra: str = "", hardware: str = "") -> str:
    """Write a configuration of the smallest form."""
    lines = "".join(f"  - {device}\n" for device in devices)
    return (
        f"node: car1\nmqtt: {{host: 127.0.0.1, port: {port}}}\n"
        f"hardware: {{backend: simulated, trace: trace.jsonl{hardware}}}\n{extra}devices:\n{lines}"
    )


def iterate(rows: list[dict[str, Any]], pins: set[int]) -> Iterator[dict[int, float]]:
    """Go through the trace: the levels of these pins after each change."""
    now: dict[int, float] = {}
    for row in rows:
        if row["pin"] in pins:
            now[row["pin"]] = row["value"]
            yield dict(now)


def as_root(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run something as root, the only one who can make files for another account; who may not fails the test."""
    words = [*([] if os.geteuid() == 0 else ["sudo", "-n"]), *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "sudo:" not in done.stderr, f"this test wants root: {done.stderr}"
    return done
