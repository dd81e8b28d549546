"""A relay in front of the broker, a process of its own: passes bytes on at once, late, or holds them; it loses none."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.errors import BenchmarkError
from benchmarks.safety.world import relay_server
from benchmarks.safety.world.direction import BOTH, Direction
from benchmarks.safety.world.lane import Passed
from tests.rig import ROOT


class Relay:
    """The relay before a broker's port. An agent that is to suffer connects to ``port``."""

    def __init__(self, broker_port: int, seed: int = 0) -> None:
        """Take the port of a broker on loopback, and a seed for what is lost."""
        self._broker_port, self._seed, self.port = broker_port, seed, 0
        self._process: subprocess.Popen[str] | None = None

    def release(self, *directions: Direction) -> None:
        """Pass all that waits, and everything from now on, at once (default: both directions). So it begins."""
        self._set(directions)

    def hold(self, *directions: Direction) -> None:
        """Let nothing pass; it is kept in order, the end of a connection too. New connections are accepted."""
        self._set(directions, held=True)

    def delay(self, seconds: float = 0.1, loss: float = 0.0, *directions: Direction) -> None:
        """Delay each way; a share of segments is lost and stalls as TCP does until it is sent again."""
        self._set(directions, delay_s=seconds, loss=loss)

    def passed(self, direction: Direction | None = None) -> list[Passed]:
        """List what was passed on so far, in order."""
        whole = self._log.read_text().rpartition("\n")[0]
        rows = (Passed(**json.loads(line)) for line in whole.splitlines())
        return [row for row in rows if direction in (None, row.direction)]

    def _set(self, directions: Sequence[Direction], **pace: Any) -> None:
        assert self._process
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"directions": directions or BOTH, "pace": pace}), file=self._process.stdin, flush=True)
        self._answer()

    def _answer(self) -> int:
        assert self._process
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"the relay before port {self._broker_port} died; what it said stands above")
        return int(line)

    def __enter__(self) -> Self:
        handle, name = tempfile.mkstemp(prefix=f"pimqtt-relay-{os.getpid()}-", suffix=".jsonl")
        os.close(handle)
        self._log = Path(name)
        command = [sys.executable, "-m", relay_server.__name__, str(self._broker_port), name, str(self._seed)]
        # a session of its own: Ctrl-C is for the bench, which ends it
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )
        try:
            self.port = self._answer()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
        self._log.unlink(missing_ok=True)
