"""A command in a pseudo terminal: what it shows, and keys for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.console.conftest import environment
from tests.rig import wait_for

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
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Take in what comes: a terminal that is not read blocks whoever writes to it."""
        while True:
            try:
                data = os.read(self._file, 65536)
            except OSError:
                return
            self.text += _CONTROL.sub("", data.decode("utf-8", "replace"))

    def wait(self, pattern: str, timeout_s: float = 10) -> None:
        """Wait until something new shows."""

        def shown() -> re.Match[str] | None:
            return re.search(pattern, self.text[self._new :])

        found = wait_for(shown, timeout_s, f"{pattern!r} to show; the end was:\n{self.text[-2500:]}")
        self._new += found.end()

    def forget(self) -> None:
        """Count as new only what comes from now on."""
        self._new = len(self.text)

    def key(self, key: str) -> None:
        """Press a key."""
        os.write(self._file, key.encode())

    def status(self, timeout_s: float = 8) -> int:
        """Wait for the end; return the exit status."""

        def ended() -> bool:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            return pid != 0

        if self._status is None:
            wait_for(ended, timeout_s, f"an end; the end was:\n{self.text[-2500:]}")
            self._reader.join(2)
        assert self._status is not None
        return self._status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._reader.join(2)
        os.close(self._file)
