"""A command in a pseudo terminal: what it shows, and keys for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.console.conftest import environment

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")


class Terminal:
    """Runs `pimqtt` with these words."""

    def __init__(self, folder: Path, *words: str, columns: int = 80, rows: int = 30) -> None:
        self.text = ""
        self._new = 0
        self._status: int | None = None
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", "pimqtt_agent", *words], environment())
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float = 0.05) -> None:
        """Take in what came."""
        end = time.monotonic() + seconds
        while (left_s := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self._file], [], [], left_s)
            if not ready:
                return
            try:
                data = os.read(self._file, 65536)
            except OSError:
                return
            self.text += _CONTROL.sub("", data.decode("utf-8", "replace"))

    def wait(self, pattern: str, timeout_s: float = 10) -> None:
        """Wait until something new shows."""
        end = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.text[self._new :])):
            assert time.monotonic() < end, f"{pattern!r} did not show; the end was:\n{self.text[-2500:]}"
            self.read()
        self._new += found.end()

    def key(self, key: str) -> None:
        """Press a key."""
        os.write(self._file, key.encode())

    def status(self, timeout_s: float = 8) -> int:
        """Wait for the end; return the exit status."""
        end = time.monotonic() + timeout_s
        while self._status is None:
            assert time.monotonic() < end, f"it does not end; the end was:\n{self.text[-2500:]}"
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._file)
