"""The log of a node: lines on standard error that nobody ever waits for.

Whoever reads them may stand still (a pager, Ctrl-S, a journal that hangs). A process that drives or watches pins must
not stand still with him: what can't be written at once is dropped, and counted in the next line that comes through.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import stat
import sys
from collections.abc import Callable

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Lossy(logging.Handler):
    """Writes to a descriptor without waiting; its flags, which other processes share, stay as they are."""

    def __init__(self, descriptor: int) -> None:
        """Find a way to write to ``descriptor`` that does not wait."""
        super().__init__()
        self._write, self._release = _writer(descriptor)
        self._rest = b""
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        try:
            line = self.format(record)
        except (TypeError, ValueError, KeyError) as error:  # the wrong arguments: still better than no line
            line = f"{record.levelname} {record.name}: {record.msg} ({error})"
        if self._dropped:
            line = f"({self._dropped} lines of the log were dropped: nobody read them)\n{line}"
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        self._rest = self._left(self._rest)  # a line that was begun is ended first
        left = data if self._rest else self._left(data)
        if left == data:
            self._dropped += 1
            return
        self._rest, self._dropped = left, 0

    def close(self) -> None:
        """Give back what was opened for it."""
        self._release()
        super().close()

    def _left(self, data: bytes) -> bytes:
        """Write what can be written now; return the rest."""
        try:
            return data[self._write(data) :] if data else data
        except BlockingIOError:
            return data
        except OSError:
            return b""  # the terminal is closed: nobody can ever read it


def _writer(descriptor: int) -> tuple[Callable[[bytes], int], Callable[[], None]]:
    """Return a write that raises ``BlockingIOError`` instead of waiting, and what ends it."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):  # systemd's journal
        end = socket.socket(fileno=os.dup(descriptor))
        return lambda data: end.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL), end.close
    if stat.S_ISREG(mode):
        return lambda data: os.write(descriptor, data), lambda: None
    try:  # a pipe or a terminal has flags of its own when it is opened once more
        own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # the terminal of another account
        return lambda data: _if_ready(descriptor, data), lambda: None
    return lambda data: os.write(own, data), lambda: os.close(own)


def _if_ready(descriptor: int, data: bytes) -> int:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    if not poller.poll(0):
        raise BlockingIOError
    return os.write(descriptor, data[: select.PIPE_BUF])


def begin(*, verbose: bool) -> None:
    """Log to standard error from here on, in this process and in those that it forks."""
    handler = Lossy(sys.stderr.fileno())
    handler.setFormatter(logging.Formatter(_FORMAT))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])
