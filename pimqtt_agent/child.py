"""One process of the supervisor's: how it is forked, when it counts as silent, how it is ended and reaped.

    absent --start--> running --end, silence--> ending --reaped--> absent, or started again

The supervisor never waits: what has ended is reaped when its pidfd says so. A stopped process still holds its lines, so
what falls silent is killed and reaped before it is replaced.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING, NoReturn

from setproctitle import setproctitle

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import process
from pimqtt_agent.kernel_asks import die_with_parent

if TYPE_CHECKING:
    from pimqtt_agent.supervisor import Supervisor

log = logging.getLogger(__name__)

#: Seconds until something that keeps dying is started again.
BACKOFF_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
#: After so long a life the count of deaths starts anew; without memory or process numbers we try again after that (s).
HEALTHY_S, NO_ROOM_S = 60.0, 1.0


class Child:
    """One process. Times are CLOCK_BOOTTIME in seconds; ``deadline_s`` is when ``check`` is wanted."""

    title = ""
    silent_s = inf
    grace_s = 1.0

    def __init__(self, supervisor: Supervisor) -> None:
        """Not started yet."""
        self.supervisor = supervisor
        self.pid = 0
        self.deadline_s = inf
        self.worked = False
        self.ending = False
        self._again = False
        self._pidfd = -1
        self._control: socket.socket | None = None
        self._started_s = 0.0
        self._deaths = 0
        self.parent = 0  # who forked it; the child can't ask, if that one has died

    def start(self, now: float) -> None:
        """Fork it."""
        self.worked = self.ending = self._again = False
        self.parent = parent = os.getpid()
        ends: tuple[socket.socket, ...] = ()
        try:
            ends = ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            pid = os.fork()
        except OSError as error:
            log.error("%s can't be started (%s): trying again in %g s", self.title, error.strerror, NO_ROOM_S)  # noqa: TRY400
            for end in ends:
                end.close()
            self.deadline_s = now + NO_ROOM_S
            return
        ours.setblocking(False)
        theirs.setblocking(False)
        if pid == 0:
            self._be(ours, theirs, parent)
        theirs.close()
        self.pid, self._control, self._started_s = pid, ours, now
        self._pidfd = os.pidfd_open(pid)
        self.deadline_s = now + self.silent_s

    def main(self, control: socket.socket) -> None:
        """Run in the child."""
        raise NotImplementedError

    def heard(self, word: bytes) -> None:
        """Take a word of the child."""
        raise NotImplementedError

    def ended(self, now: float, status: int) -> None:
        """It died, or was killed for its silence: start it again, the sooner the longer it lived."""
        if now - self._started_s > HEALTHY_S:
            self._deaths = 0
        wait_s = min(BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)], self.longest_wait_s())
        self._deaths += 1
        log.warning("%s ended (%s); it starts again in %g s", self.title, why(status), wait_s)
        self.deadline_s = now + wait_s

    def longest_wait_s(self) -> float:
        """How long it may be missing at most."""
        return inf

    def released(self, now: float, status: int) -> None:
        """It ended because we wanted it to."""

    def descriptors(self) -> Iterator[tuple[int, Callable[[], object]]]:
        """What to watch for it."""
        if self.pid and self._control:
            yield self._control.fileno(), self._read
            yield self._pidfd, self._gone

    def check(self, now: float) -> None:
        """Act where its time is over."""
        if now < self.deadline_s:
            return
        if not self.pid:
            self.start(now)
            return
        while now >= self.deadline_s:
            if not self._read():  # what it has said by now counts: we may be late ourselves
                self._kill()
                log.warning("%s %s: it is killed", self.title, "does not end" if self.ending else "is silent")

    def end(self, now: float, *, again: bool = False, word: bytes = process.STOP) -> None:
        """Ask it to end, and kill it after ``grace_s``; ``again``: then start it anew."""
        if self.pid:
            self.say(word)
            self.ending, self._again, self.deadline_s = True, again, now + self.grace_s
        elif again:
            self.start(now)
        else:
            self.deadline_s = inf

    def lives(self, silent_s: float) -> None:
        """It gave a sign; the next one is wanted within ``silent_s``."""
        if not self.ending:
            self.deadline_s = boottime_s() + silent_s

    def say(self, word: bytes) -> None:
        """Tell it something; one that does not listen is found by its silence."""
        if self._control:
            try:
                self._control.send(word)
            except OSError:
                log.debug("%s does not listen", self.title)

    def close_control(self) -> None:
        """Give up our end of a talk that is not ours: in another child."""
        if self._control:
            self._control.close()

    def _be(self, ours: socket.socket, theirs: socket.socket, parent: int) -> NoReturn:
        status = 70
        try:
            signal.set_wakeup_fd(-1)  # a signal of ours must not end the supervisor
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            setproctitle(self.title)
            die_with_parent(signal.SIGTERM)
            if os.getppid() == parent:  # else it died before we could ask to die with it
                ours.close()
                self.supervisor.leave_to(self)
                self.main(theirs)
            status = 0
        except Exception:
            log.exception("%s failed", self.title)
        finally:
            os._exit(status)

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.deadline_s = inf  # it is reaped when it is dead, however long its driver holds on to it

    def _read(self) -> bool:
        word = process.hear(self._control) if self._control else None
        if word:
            self.heard(word)
        return bool(word)

    def _gone(self) -> None:
        """Its pidfd is readable. A successor may have taken its place since we looked."""
        pid, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
        if not pid:
            return
        while self._read():
            """Its last words count."""
        os.close(self._pidfd)
        self.close_control()
        ending, again = self.ending, self._again
        self.pid, self._pidfd, self._control, self.deadline_s = 0, -1, None, inf
        self.ending = self._again = False
        now = boottime_s()
        if not ending:
            self.ended(now, status)
            return
        self.released(now, status)
        if again:
            self.start(now)


def why(status: int) -> str:
    """Say how a process ended."""
    code = os.waitstatus_to_exitcode(status)
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
