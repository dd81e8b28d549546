"""A command in a pseudo terminal: what it shows, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.console.conftest import environment
from tests.rig import wait_for

_CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")
#: Makes the terminal the controlling one, so that Ctrl-C is a signal, and becomes `pimqtt`. What a shell starts in the
#: background ignores that signal, and so would all that it starts.
_START = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "pimqtt_agent", *sys.argv[1:]])
"""


class Terminal:
    """Runs `pimqtt` with these words."""

    def __init__(self, folder: Path, *words: str, columns: int = 80, rows: int = 30, colour: bool = True) -> None:
        """Without ``colour`` the environment asks for none."""
        self._raw = b""
        self._new = 0
        self._file, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, "-c", _START, *words]
        env = environment() if colour else environment(NO_COLOR="1")
        self.process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, cwd=folder, env=env)
        os.close(inside)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Take in what comes: a terminal that is not read blocks whoever writes to it."""
        while True:
            try:
                data = os.read(self._file, 65536)
            except OSError:
                return
            if not data:
                return
            self._raw += data

    @property
    def text(self) -> str:
        """All that it showed."""
        return _CONTROL.sub(b"", self._raw).decode("utf-8", "replace")

    @property
    def colours(self) -> set[bytes]:
        """The colours that it showed, as the terminal's own numbers."""
        asked = b";".join(re.findall(rb"\x1b\[([0-9;]*)m", self._raw)).split(b";")
        return {number for number in asked if re.fullmatch(rb"[349][0-8]|10[0-7]", number)}

    def wait(self, pattern: str, timeout_s: float = 10) -> None:
        """Wait until something new shows."""

        def shown() -> re.Match[str] | None:
            return re.search(pattern, self.text[self._new :])

        try:
            self._new += wait_for(shown, timeout_s).end()
        except AssertionError:
            raise AssertionError(f"{pattern!r} did not show; the end was:\n{self.text[-2500:]}") from None

    def forget(self) -> None:
        """Count as new only what comes from now on."""
        self._new = len(self.text)

    def key(self, key: str) -> None:
        """Press a key."""
        os.write(self._file, key.encode())

    def status(self, timeout_s: float = 8) -> int:
        """Wait for the end; return the exit status."""
        status = self.process.wait(timeout_s)
        self._reader.join(2)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait(5)
        self._reader.join(2)
        os.close(self._file)
