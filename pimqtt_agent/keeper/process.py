"""A keeper's process: one loop over link, supervisor, edges and deadlines. It never waits for anything else."""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

from pimqtt_agent import safe_list
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices import Device
from pimqtt_agent.errors import HardwareError, LinkError
from pimqtt_agent.hardware import open_board, recorded
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.keeper.link import Link
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.shell import ALONE, Shell
from pimqtt_agent.kernel_asks import real_time
from pimqtt_agent.settings import Settings

log = logging.getLogger(__name__)

#: Seconds between beats to the supervisor: while something is on or leased, and at rest.
FAST_S, SLOW_S = 0.2, 10.0
#: What crosses to the supervisor.
BEAT_FAST, BEAT_SLOW, OPENING, ASK, STOP = b"f", b"s", b"o", b"?", b"x"
#: To an agent: end, for another is to take over; the pins go on.
GO = b"g"
#: To an agent: the keeper named behind it (a camera, or nothing) is gone, and none follows at once.
GONE = b"-"
#: To a keeper: the devices named behind it (commas between) will leave or change.
LEAVE = b"l"
#: The exit status of a keeper to which no agent came back.
LINGERED = 3


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a keeper is started with. ``owner`` is the supervisor's pid; ``camera`` is empty for the pin keeper."""

    settings: Settings
    devices: Sequence[Device]
    generation: int
    page: Page
    link: socket.socket
    control: socket.socket
    runtime: Path
    owner: int
    camera: str = ""


class Keeper:
    """The loop of one keeper."""

    def __init__(self, task: Task, wake: int) -> None:
        """Open board and devices; ``wake`` is readable after a signal."""
        self._control = task.control
        self._link = Link(task.link, task.generation)
        self._wake = wake
        self._poller = select.epoll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._beat_s, self._was_busy = 0.0, False
        self._waits_to_write = False
        board = cast("Board", NoBoard()) if task.camera else open_board(task.settings, task.runtime)
        self._board, self._task = board, task
        self._opening()
        self.shell = Shell(board, task.page, self._link, linger_s=task.settings.linger_s, clock=boottime_s)
        self.shell.open(task.devices, self._opening)
        self._list_outputs()

    def run(self) -> None:
        """Go on until told to stop."""
        self._watch(self._link.fileno(), self._read_link)
        self._watch(self._control.fileno(), self._read_control)
        self._watch(self._wake, lambda: self.shell.finish(boottime_s(), "stopped"))
        if self._board.fileno() >= 0:
            self._watch(self._board.fileno(), self._board.dispatch)
        while not self.shell.done:
            self._turn()
        self._link.flush()
        if not self._task.camera:
            self._board.end_pulses()
            with told(f"{self._task.runtime}: can't be written"):
                safe_list.mark_stopped(self._task.runtime)

    def _opening(self) -> None:
        """Show that we get on: on a slow machine the claims take long, and whoever has claimed must not be killed."""
        if not self._task.camera:
            with suppress(OSError):  # full or gone, as with a beat
                self._control.send(OPENING)

    def _list_outputs(self) -> None:
        """Leave the list from which ``pimqtt safe`` works without us (in the runtime folder, which is memory)."""
        task, self.shell.remounted = self._task, False
        if task.camera:
            return
        mounted = self.shell.bench.mounted.values()
        rows = self._rows([m.device for m in mounted if m.driver])
        # what failed and could not be claimed again is still ours to make safe
        failed = {(m.device.id, str(line)) for m in mounted if not m.driver for _, line in m.device.lines()}
        before = (safe_list.read(task.runtime) or {"rows": []})["rows"] if failed else []
        rows += [row for row in before if (row["device"], str(row["name"])) in failed]
        with told(f"{task.runtime}: the list for `pimqtt safe` can't be written"):
            safe_list.write(task.runtime, task.settings.node.id, rows, owner=task.owner)

    def _rows(self, devices: list[Device]) -> list[dict[str, object]]:
        try:
            return recorded.safe_rows(self._board, devices)
        except HardwareError as error:  # a kind that opens more than the board's lines
            if len(devices) > 1:
                return [row for device in devices for row in self._rows([device])]
            log.error("%s: `pimqtt safe` will not know its outputs (%s)", devices[0].id, error)  # noqa: TRY400
            return []

    def _turn(self) -> None:
        now = boottime_s()
        self._beat(now)
        wait_s = min(self.shell.deadline_s(), self._beat_s + (FAST_S if self.shell.busy else SLOW_S)) - now
        self._want_write()
        events = self._poller.poll(min(max(0.0, wait_s), 3600.0))
        for descriptor, event in events:
            if event & ~select.EPOLLOUT:
                self._watched[descriptor]()
            if event & select.EPOLLOUT:
                self._link.flush()
            if self.shell.done:
                return
        self.shell.tick(boottime_s())
        if self.shell.remounted:
            self._list_outputs()

    def _watch(self, descriptor: int, handler: Callable[[], None]) -> None:
        self._watched[descriptor] = handler
        self._poller.register(descriptor, select.EPOLLIN)

    def _want_write(self) -> None:
        if self._link.blocked != self._waits_to_write:
            self._waits_to_write = self._link.blocked
            mask = select.EPOLLIN | (select.EPOLLOUT if self._waits_to_write else 0)
            self._poller.modify(self._link.fileno(), mask)

    def _read_link(self) -> None:
        self._link.hold()
        try:
            messages = self._link.receive()
        except LinkError as error:
            log.warning("%s", error)
            self.shell.finish(boottime_s(), "another version of the link")
            messages = []
        for generation, message in messages:
            if generation in (0, self._link.generation):  # 0: a Hello of an agent that does not know us yet
                self.shell.handle(message, boottime_s())
            if self.shell.done:
                break
        self._beat(boottime_s())  # before the answers: who is told that it is on must know that we are watched for it
        self._link.release()

    def _read_control(self) -> None:
        word = hear(self._control)
        if word is None:
            return
        if word == ASK:
            self._beat_s = 0.0
        elif word.startswith(LEAVE):
            self.shell.leave(word[1:].decode(errors="replace").split(","), boottime_s())
        elif word in (STOP, b""):
            self.shell.finish(boottime_s(), "stopped")

    def _beat(self, now: float) -> None:
        busy = self.shell.busy
        if now - self._beat_s < (FAST_S if busy else SLOW_S) and busy == self._was_busy:
            return
        self._beat_s, self._was_busy = now, busy
        try:
            self._control.send(BEAT_FAST if busy else BEAT_SLOW)
        except OSError:
            self._beat_s = now - SLOW_S + FAST_S  # full or gone: try again soon


def hear(control: socket.socket) -> bytes | None:
    """Read a word between supervisor and child. Empty: the other one is gone; ``None``: it has said nothing."""
    try:
        return control.recv(1 << 16)
    except BlockingIOError:
        return None
    except ConnectionResetError:  # it died with words of ours unread; what it said itself comes behind that
        return hear(control)
    except OSError:
        return b""


class NoBoard:
    """Camera keepers have no pins."""

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse."""
        raise HardwareError(f"a camera keeper has no pins ({name})")

    def fileno(self) -> int:
        """Nothing to watch."""
        return -1


def main(task: Task) -> None:
    """Run a keeper in a process that was just forked; does not return."""
    status = 70
    try:
        wake = _signals()
        if not task.camera:
            for problem in real_time():
                log.warning("pins: %s", problem)
        keeper = Keeper(task, wake)
        gc.freeze()
        if not task.camera:
            gc.disable()
        keeper.run()
        status = LINGERED if keeper.shell.done == ALONE else 0
    except HardwareError as error:
        log.error("%s", error)  # noqa: TRY400 - a user's mistake gets no traceback
        status = 1
    except Exception:
        log.exception("the keeper failed")
    finally:
        logging.shutdown()
        os._exit(status)  # no exit hook may touch a pin now


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell a failing file, and go on: pins do not depend on it."""
    try:
        yield
    except OSError as error:
        log.error("%s (%s)", what, error.strerror)  # noqa: TRY400


def _signals() -> int:
    """Route SIGTERM to a descriptor; Ctrl-C is the supervisor's business."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    return read
