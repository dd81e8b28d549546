"""The supervisor's children: how each is forked, when it counts as silent, how it is stopped and reaped."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

from setproctitle import setproctitle

from pimqtt_agent.keeper import link, process
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.kernel_asks import die_with_parent

if TYPE_CHECKING:
    from pimqtt_agent.supervisor import Supervisor

log = logging.getLogger(__name__)

#: A keeper that beats fast, or was asked, is silent after this (s).
KEEPER_SILENT_S = 0.5
#: A keeper at rest beats every 10 s; a camera may be busy opening its sensor (s).
REST_SILENT_S, CAMERA_SILENT_S = 25.0, 40.0
AGENT_SILENT_S = 20.0
#: Seconds until something that keeps dying is started again.
BACKOFF_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
#: The longest wait while lines may be away from safe: they stay so until the next keeper claims them (s).
UNSAFE_S = 0.25
#: After so long a life the count of deaths starts anew (s).
HEALTHY_S = 60.0


class Child:
    """One process. Times are CLOCK_BOOTTIME in seconds."""

    title = ""
    silent_s = inf
    longest_wait_s = inf

    def __init__(self, supervisor: Supervisor) -> None:
        """Not started yet."""
        self.supervisor = supervisor
        self.pid = 0
        self.deadline_s = inf
        self.worked = False
        self._pidfd = -1
        self._control: socket.socket | None = None
        self._started_s = 0.0
        self._deaths = 0

    def start(self, now: float) -> None:
        """Fork it."""
        self.worked = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            setproctitle(self.title)
            die_with_parent(signal.SIGTERM)
            if os.getppid() != parent:  # it died before we could ask to die with it
                os._exit(0)
            self._close_inherited(ours)
            self.main(theirs)
            os._exit(0)
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
        """Start it again, the sooner the longer it lived."""
        if now - self._started_s > HEALTHY_S:
            self._deaths = 0
        # what has worked is replaced at once, however often: pins must not wait for it
        wait_s = 0.0 if self.worked else BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        wait_s = min(wait_s, self.longest_wait_s)
        self._deaths += 1
        log.warning("%s ended (%s); it starts again in %g s", self.title, _why(status), wait_s)
        if wait_s:
            self.deadline_s = now + wait_s
        else:
            self.start(now)

    def descriptors(self) -> Iterator[tuple[int, Callable[[], None]]]:
        """What to watch for it."""
        if self.pid and self._control:
            yield self._control.fileno(), self._read
            yield self._pidfd, self._reap_and_end

    def check(self, now: float) -> None:
        """Act where its time is over."""
        if now < self.deadline_s:
            return
        if not self.pid:
            self.start(now)
            return
        self.replace(now, "it is silent")

    def replace(self, now: float, why: str) -> None:
        """Kill and reap it, then start it again."""
        log.warning("%s is replaced: %s", self.title, why)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()
        self.start(now)

    def say(self, word: bytes) -> None:
        """Tell it something; one that does not listen is found by its silence."""
        if self._control:
            try:
                self._control.send(word)
            except OSError:
                log.debug("%s does not listen", self.title)

    def ask_stop(self) -> None:
        """Ask it to end."""
        if self.pid:
            self.say(process.STOP)

    def stop(self, timeout_s: float) -> None:
        """Wait for its end; kill it after ``timeout_s``."""
        if not self.pid:
            return
        self.ask_stop()
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        if not poller.poll(timeout_s * 1000):
            log.warning("%s did not end within %g s and is killed", self.title, timeout_s)
            os.kill(self.pid, signal.SIGKILL)
        self._reap()

    def _read(self) -> None:
        try:
            word = self._control.recv(4096) if self._control else b""
        except OSError:
            return
        if word:
            self.heard(word)

    def _reap_and_end(self) -> None:
        status = self._reap()
        self.ended(time.clock_gettime(time.CLOCK_BOOTTIME), status)

    def _reap(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self._pidfd)
        if self._control:
            self._control.close()
        self.pid, self._pidfd, self._control, self.deadline_s = 0, -1, None, inf
        return status

    def _close_inherited(self, ours: socket.socket) -> None:
        """Give up what belongs to the supervisor's talk with the others."""
        ours.close()
        for child in self.supervisor.children:
            if child is not self and child._control:  # noqa: SLF001 - one family
                child._control.close()  # noqa: SLF001


class KeeperChild(Child):
    """A keeper. The link's two ends outlive it, so that its successor goes on where it ended."""

    def __init__(self, supervisor: Supervisor, camera: str, page: Page) -> None:
        """``camera`` is empty for the pins."""
        super().__init__(supervisor)
        self.camera = camera
        self.title = f"pimqtt: keeper camera {camera}" if camera else "pimqtt: keeper pins"
        self.silent_s = CAMERA_SILENT_S if camera else REST_SILENT_S
        self.generation = 0
        self.keeper_end, self.agent_end = link.pair()
        self._page = page
        self._lingered = False

    def start(self, now: float) -> None:
        """Fork the next generation."""
        self.generation += 1
        self._lingered = False
        super().start(now)

    def main(self, control: socket.socket) -> None:
        """Be a keeper."""
        settings = self.supervisor.settings
        kind = "camera" if self.camera else "pins"
        devices = [d for d in settings.devices if d.keeper == kind and self.camera in ("", d.id)]
        process.main(
            process.Task(
                settings=settings,
                devices=devices,
                generation=self.generation,
                page=self._page,
                link=self.keeper_end,
                control=control,
                runtime=self.supervisor.runtime,
                camera=self.camera,
            )
        )

    def heard(self, word: bytes) -> None:
        """Note a beat."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.worked = not self.camera
        fast = word == process.BEAT_FAST and not self.camera
        self.deadline_s = now + (KEEPER_SILENT_S if fast else self.silent_s)
        self.longest_wait_s = UNSAFE_S if fast else inf

    def ask_beat(self, now: float) -> None:
        """Somebody got no answer: it must beat at once."""
        if self.pid:
            self.say(process.ASK)
            silent_s = 10.0 if self.camera else KEEPER_SILENT_S
            self.deadline_s = min(self.deadline_s, now + silent_s)

    def ended(self, now: float, status: int) -> None:
        """A keeper that ended by itself found no agent: the next agent brings the next one."""
        if status == 0 and not self.supervisor.agent.alive(now):
            self._lingered = True
            return
        super().ended(now, status)

    def wanted(self, now: float) -> None:
        """An agent starts."""
        if self._lingered:
            self.start(now)


class AgentChild(Child):
    """The agent."""

    title = "pimqtt: agent"
    silent_s = AGENT_SILENT_S

    def start(self, now: float) -> None:
        """See that it finds its keepers."""
        for keeper in (self.supervisor.pins, *self.supervisor.cameras.values()):
            keeper.wanted(now)
        super().start(now)

    def alive(self, now: float) -> bool:
        """Whether it gave a sign lately."""
        return bool(self.pid) and now < self.deadline_s - AGENT_SILENT_S / 2

    def main(self, control: socket.socket) -> None:
        """Be the agent."""
        supervisor = self.supervisor
        ends = {"": supervisor.pins.agent_end, **{n: keeper.agent_end for n, keeper in supervisor.cameras.items()}}
        if supervisor.updated():
            self._execute(control, ends)
        supervisor.run_agent(supervisor.settings, ends, control)

    def _execute(self, control: socket.socket, ends: dict[str, socket.socket]) -> None:
        """Start the agent of the version that was installed meanwhile; it gets the living keepers' links."""
        command = [sys.executable, "-m", "pimqtt_agent", "agent", *self.supervisor.arguments]
        command += ["--control", str(control.fileno())]
        for name, end in ends.items():
            command += ["--link", f"{name}={end.fileno()}"]
        for end in (control, *ends.values()):
            os.set_inheritable(end.fileno(), True)
        log.info("another version is installed: the agent is started from it")
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell

    def heard(self, word: bytes) -> None:
        """Note a beat, or pass on what it asks for: ``? KEEPER``, ``ready TEXT``, ``restart``."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.deadline_s = now + AGENT_SILENT_S
        text = word.decode()
        if text.startswith("?"):
            keeper = self.supervisor.keeper(text[1:].strip())
            if keeper:
                keeper.ask_beat(now)
        elif text.startswith("ready"):
            self.supervisor.notify.ready(text[6:])
        elif text == "restart":
            os.kill(os.getpid(), signal.SIGHUP)


def _why(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
