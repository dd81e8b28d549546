"""A running `pimqtt demo`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.console.conftest import environment
from tests.rig import wait_for

#: Where the tester's Pythons and Home Assistants lie.
WHERE = {key: value for key, value in os.environ.items() if key.startswith(("PIMQTT_CACHE", "PIMQTT_PYTHON"))}


class Demo:
    """A running `pimqtt demo --plain`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        # whoever runs the tests in the background of a script has us ignore Ctrl-C, and so would the demo
        command = ["env", "--default-signal=INT", sys.executable, "-m", "pimqtt_agent", "demo", "--plain", *words]
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            env = environment(TMPDIR=str(folder / "tmp"), **WHERE)
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=folder)

    @property
    def text(self) -> str:
        return self._out.read_text()

    @property
    def complaints(self) -> str:
        return self._err.read_text()

    def pasted(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("mosquitto_pub")]

    def paste(self, part: str) -> int:
        """Do what the demo says, in a shell; return where its output was."""
        (line,) = [line for line in self.pasted() if part in line]
        since = len(self.text)
        subprocess.run(["bash", "-c", line], check=True, timeout=10)
        return since

    def wait(self, pattern: str, since: int = 0, timeout_s: float = 5) -> None:
        wait_for(lambda: re.search(pattern, self.text[since:]), timeout_s, f"{pattern} in {self.text[-1500:]}")

    def end(self, number: int = signal.SIGINT, timeout_s: float = 10) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def left(self) -> list[Path]:
        return list((self.folder / "tmp").iterdir())

    def children(self) -> dict[int, str]:
        """Name the processes that descend from it."""
        parents, titles = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    titles[int(entry.name)] = (entry / "cmdline").read_text().strip("\0 ")
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return {pid: titles.get(pid, "") for pid in found[1:]}


def gone(pids: Iterable[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    running: list[Demo] = []

    def start(*words: str) -> Demo:
        running.append(Demo(tmp_path, *words))
        wait_for(lambda: "Ctrl-C ends" in running[0].text or running[0].process.poll() is not None, 20)
        return running[0]

    yield start
    for one in running:
        one.process.terminate()
        one.process.wait(10)
