"""`pimqtt run`: forks the agent and the keepers, watches them, replaces what dies or falls silent; nothing else.

Single-threaded, without MQTT, hardware or event loop. It has imported what its children need, so that a fork is a
restart. A child beats on its control socket; a stopped process still holds its lines, so what falls silent is killed
and reaped before it is replaced.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from pimqtt_agent.children import AgentChild, Child, KeeperChild
from pimqtt_agent.errors import ConfigError, RunningError
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.notify import Notify
from pimqtt_agent.settings import Settings

#: Runs the agent in a forked process: settings, links by keeper (``""`` the pins), control socket.
RunAgent = Callable[[Settings, dict[str, socket.socket], socket.socket], None]

log = logging.getLogger(__name__)

#: How long a stop waits for pins and agent before it kills them (s).
STOP_PINS_S, STOP_AGENT_S = 1.0, 2.5


class Supervisor:
    """One node's processes."""

    def __init__(
        self, settings: Settings, load: Callable[[], Settings], runtime: Path, page: Page,
        run_agent: RunAgent, arguments: list[str],
    ) -> None:  # fmt: skip
        """Prepare; ``load`` reads the configuration again, ``arguments`` let another version do the same."""
        self._load, self.run_agent, self.arguments = load, run_agent, arguments
        self.settings = settings
        self._version = _installed()
        self._terminal = _terminal()
        self.runtime = runtime
        self.notify = Notify()
        self._page = page
        self._wake = _signals()
        self._stopping = False
        self.pins = KeeperChild(self, "", page)
        self.cameras = self._cameras()
        self.agent = AgentChild(self)

    @property
    def children(self) -> list[Child]:
        """All of them, in the order of their start."""
        return [self.pins, *self.cameras.values(), self.agent]

    def run(self) -> int:
        """Go on until a signal ends it; return the exit status."""
        for child in self.children:
            child.start(_now())
        while not self._stopping:
            self._turn()
        self._stop()
        return 0

    def keeper(self, name: str) -> KeeperChild | None:
        """Return the keeper of a camera, of the pins where ``name`` is empty."""
        return self.cameras.get(name) if name else self.pins

    def updated(self) -> bool:
        """Whether another version was installed since we started."""
        return _installed() != self._version

    def _turn(self) -> None:
        now = _now()
        deadline_s = min(child.deadline_s for child in self.children)
        deadline_s = min(deadline_s, self.notify.deadline_s)
        self._wait(max(0.0, deadline_s - now))
        now = _now()
        for child in self.children:
            child.check(now)
        self.notify.pet(now)

    def _wait(self, timeout_s: float) -> None:
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        readers: dict[int, Callable[[], None]] = {self._wake: self._signalled}
        for child in self.children:
            for descriptor, reader in child.descriptors():
                poller.register(descriptor, select.POLLIN)
                readers[descriptor] = reader
        for descriptor, _ in poller.poll(min(timeout_s, 3600.0) * 1000 + 1):
            readers[descriptor]()

    def _signalled(self) -> None:
        numbers = os.read(self._wake, 64)
        if signal.SIGHUP in numbers:
            if self._terminal and not _terminal():
                self._stopping = True  # the terminal that we ran in is closed: nobody watches us any more
            else:
                self._reload()
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._stopping = True

    def _reload(self) -> None:
        """Read the configuration again; the agent is restarted with it and tells the keepers what changed."""
        try:
            settings = self._load()
        except ConfigError as error:
            for line in error.lines:
                log.warning("%s", line)
            log.warning("the configuration has mistakes: going on with the old one")
            return
        if (settings.node.id, settings.state_dir) != (self.settings.node.id, self.settings.state_dir):
            log.warning("node.id and state_dir can't change under a running node: going on with the old configuration")
            log.warning("restart pimqtt for this")
            return
        before, self.settings = self.settings, settings
        if (settings.hardware, settings.linger_s) != (before.hardware, before.linger_s):
            self.pins.stop(STOP_PINS_S)  # it does on_stop; the lines are claimed anew on the other hardware
            self.pins.start(_now())
        wanted = self._cameras()
        for name in set(self.cameras) - set(wanted):
            self.cameras.pop(name).stop(STOP_PINS_S)
        for name in set(wanted) - set(self.cameras):
            self.cameras[name] = wanted[name]
            wanted[name].start(_now())
        self.agent.replace(_now(), "the configuration was read again")

    def _cameras(self) -> dict[str, KeeperChild]:
        return {d.id: KeeperChild(self, d.id, Page()) for d in self.settings.devices if d.keeper == "camera"}

    def _stop(self) -> None:
        """Pins first; then the agent says what ended and `offline`. Nobody waits for the broker for long."""
        self.notify.stopping()
        for child in self.children:
            child.ask_stop()
        self.pins.stop(STOP_PINS_S)
        self.agent.stop(STOP_AGENT_S)
        for camera in self.cameras.values():
            camera.stop(0.5)


def lock(runtime: Path, node: str) -> int:
    """Take the node's lock; raises ``RunningError`` naming who has it. The descriptor keeps it."""
    runtime.mkdir(parents=True, exist_ok=True, mode=0o755)
    descriptor = os.open(runtime / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(descriptor, 32).decode().strip() or "?"
        os.close(descriptor)
        raise RunningError(f"{node} runs already as pid {pid}; stop it first (kill {pid})") from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def main(
    settings: Settings, load: Callable[[], Settings], runtime: Path, page: Page, run_agent: RunAgent,
    arguments: list[str],
) -> int:  # fmt: skip
    """Run a node in this process."""
    supervisor = Supervisor(settings, load, runtime, page, run_agent, arguments)
    gc.freeze()  # what is imported by now stays shared with the children
    return supervisor.run()


def _signals() -> int:
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return read


def _terminal() -> bool:
    """Whether our input is a terminal that still lives."""
    try:
        os.tcgetpgrp(0)
    except OSError:
        return False
    return True


def _installed() -> tuple[int, int]:
    """Tell the installed version apart from another: an installer writes its files anew."""
    try:
        status = Path(__file__).with_name("__init__.py").stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


