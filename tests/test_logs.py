"""The log that nobody waits for."""

from __future__ import annotations

import fcntl
import logging
import os
import pty
import socket
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimqtt_agent.logs import Lossy


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log = logging.Logger("test", logging.DEBUG)  # noqa: LOG001 - one of our own, without the root's handlers
    yield log
    for handler in log.handlers:
        handler.close()


def _read(end: int) -> str:
    os.set_blocking(end, False)
    text = b""
    try:
        while piece := os.read(end, 65536):
            text += piece
    except BlockingIOError:
        pass
    return text.decode()


def _fill(log: logging.Logger, lines: int) -> None:
    for number in range(lines):
        log.info("line %d %s", number, "x" * 90)


def test_lines_come_through_a_pipe(log: logging.Logger) -> None:
    read, write = os.pipe()
    log.addHandler(Lossy(write))
    log.warning("pump %s: %d", "on", 3)
    log.warning("wrong %d arguments", "x")
    assert _read(read).splitlines() == [
        "pump on: 3", "WARNING test: wrong %d arguments (%d format: a real number is required, not str)",
    ]
    assert os.get_blocking(write), "flags are shared with whoever else writes there"


def test_nobody_waits_for_a_reader_that_stands_still(log: logging.Logger) -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    log.addHandler(Lossy(write))
    _fill(log, 500)
    before = _read(read).splitlines()
    assert before[0].startswith("line 0 ")
    log.info("back")
    after = _read(read).splitlines()
    begun = [line for line in after if line.startswith("line")]
    assert len(begun) <= 1
    assert after[-2:] == [f"({500 - len(before)} lines of the log were dropped: nobody read them)", "back"]
    log.info("and on")
    assert _read(read) == "and on\n"


def test_a_line_that_was_begun_is_ended(log: logging.Logger) -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    log.addHandler(Lossy(write))
    log.info("a" * 6000)
    text = _read(read)
    log.info("b")
    assert text + _read(read) == "a" * 6000 + "\nb\n"


def test_nobody_waits_for_a_terminal_that_is_halted(log: logging.Logger) -> None:
    leader, follower = pty.openpty()
    log.addHandler(Lossy(follower))
    termios.tcflow(follower, termios.TCOOFF)  # what Ctrl-S does
    _fill(log, 5000)
    termios.tcflow(follower, termios.TCOON)
    log.info("back")
    assert "were dropped" in _read(leader)


def test_nobody_waits_for_a_journal_that_hangs(log: logging.Logger) -> None:
    ours, theirs = socket.socketpair()
    log.addHandler(Lossy(ours.fileno()))
    _fill(log, 5000)
    _read(theirs.fileno())
    log.info("back")
    assert "were dropped" in _read(theirs.fileno())
    ours.close()
    theirs.close()


def test_a_file_gets_every_line_beside_others(log: logging.Logger, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        log.addHandler(Lossy(file.fileno()))
        _fill(log, 1000)
        os.write(file.fileno(), b"another\n")
        log.info("last")
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 1002
    assert lines[-2:] == ["another", "last"]


def test_a_closed_terminal_is_no_error(log: logging.Logger) -> None:
    read, write = os.pipe()
    log.addHandler(Lossy(write))
    os.close(read)
    _fill(log, 10)
