"""`pimqtt run`: forks the agent and the keepers, watches them, replaces what dies or falls silent; nothing else.

Single-threaded, without MQTT, hardware or event loop. It has imported what its children need, so that a fork is a
restart. A child beats on its control socket. Nothing here waits for one: while a camera takes its time to end, the pins
are watched.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
from collections.abc import Callable
from math import inf
from pathlib import Path

from pimqtt_agent.child import Child
from pimqtt_agent.child_agent import AgentChild
from pimqtt_agent.child_keepers import KeeperChild, PinKeeperChild
from pimqtt_agent.child_reload import ReloadChild
from pimqtt_agent.child_safe import SafeChild
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import process
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.notify import Notify
from pimqtt_agent.settings import Settings

#: Runs the agent in a forked process: settings, links by keeper (``""`` the pins), control socket.
RunAgent = Callable[[Settings, dict[str, socket.socket], socket.socket], None]

log = logging.getLogger(__name__)

#: How long the agent may tell what a reload ends, before the next one takes over (s).
TELL_S = 0.1


class Supervisor:
    """One node's processes."""

    def __init__(
        self, settings: Settings, load: Callable[[], Settings], runtime: Path, page: Page,
        run_agent: RunAgent, arguments: list[str], held: int,
    ) -> None:  # fmt: skip
        """Prepare; ``load`` reads the configuration again, ``arguments`` let another version do the same."""
        self.load, self.run_agent, self.arguments = load, run_agent, arguments
        self.settings = settings
        self._version = _installed()
        self._terminal = _terminal()
        self.runtime = runtime
        self.notify = Notify()
        self._held = held
        self._wake = _signals()
        self._stopping = False
        self._renew_s = inf
        self._problems: dict[str, str] = {}
        self.reload = ReloadChild(self)
        self.safe = SafeChild(self)
        self.pins = PinKeeperChild(self, page)
        self.cameras = self._cameras()
        self._leaving: list[KeeperChild] = []
        self.agent = AgentChild(self)

    @property
    def keepers(self) -> list[KeeperChild]:
        """The pins' first."""
        return [self.pins, *self.cameras.values()]

    @property
    def children(self) -> list[Child]:
        """All of them, in the order of their start."""
        return [self.reload, self.safe, *self.keepers, *self._leaving, self.agent]

    @property
    def problems(self) -> str:
        """What the user should know, a line each."""
        return "\n".join(self._problems.values())

    def run(self) -> int:
        """Go on until a signal ends it; return the exit status."""
        for child in (*self.keepers, self.agent):
            child.start(boottime_s())
        while not self._stopping:
            self._turn()
            if boottime_s() >= self._renew_s and not self.pins.ending:  # a hello must not meet the keeper that goes
                self._renew_s = inf
                self.agent.renew(boottime_s())
        self._stop()
        return 0

    def keeper(self, name: str) -> KeeperChild | None:
        """Return the keeper of a camera, of the pins where ``name`` is empty."""
        return self.cameras.get(name) if name else self.pins

    def other_version(self) -> tuple[int, int] | None:
        """Tell which other version was installed since we started."""
        version = _installed()
        return version if version != self._version else None

    def problem(self, source: str, text: str) -> None:
        """Have the agent tell what is wrong, or no longer is (no text)."""
        if self._problems.get(source, "") != text:
            self._problems.pop(source, None)
            if text:
                self._problems[source] = text
            self.agent.tell_problems()

    def leave_to(self, child: Child) -> None:
        """Give up, in a child that was just forked, what is ours; the pins' keeper holds on to the node's lock."""
        for other in self.children:
            if other is not child:
                other.close_control()
        if child is not self.pins:
            os.close(self._held)

    def _turn(self) -> None:
        deadline_s = min(child.deadline_s for child in self.children)
        deadline_s = min(deadline_s, self.notify.deadline_s, inf if self.pins.ending else self._renew_s)
        self._wait(max(0.0, deadline_s - boottime_s()))
        now = boottime_s()
        for child in self.children:
            child.check(now)
        self._leaving = [child for child in self._leaving if child.pid]
        self.notify.pet(now)

    def _wait(self, timeout_s: float) -> None:
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        readers: dict[int, Callable[[], object]] = {self._wake: self._signalled}
        for child in self.children:
            for descriptor, reader in child.descriptors():
                poller.register(descriptor, select.POLLIN)
                readers[descriptor] = reader
        for descriptor, _ in poller.poll(min(timeout_s, 3600.0) * 1000 + 1):
            readers[descriptor]()

    def _signalled(self) -> None:
        numbers = os.read(self._wake, 64)
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._stopping = True
        if signal.SIGHUP in numbers and not self._stopping:
            if self._terminal and not _terminal():
                self._stopping = True  # the terminal that we ran in is closed: nobody watches us any more
            else:
                self.reload.start(boottime_s())

    def loaded(self, found: Settings | list[str], now: float) -> None:
        """Take the configuration that was read again; the agent is started anew and tells the keepers what changed."""
        here = self.settings
        if isinstance(found, list) and self.other_version():  # it may know more than we do: its agent tells
            self.problem("configuration", "")
            self._renew_s = now
        elif isinstance(found, list):
            self.refuse("the configuration has mistakes: going on with the old one", found)
        elif (found.node.id, found.state_dir) != (here.node.id, here.state_dir):
            reason = "node.id and state_dir can't change under a running node: going on with the old configuration"
            self.refuse(f"{reason}; restart pimqtt for this", [])
        else:
            self.problem("configuration", "")
            self._apply(found, now)

    def refuse(self, reason: str, mistakes: list[str]) -> None:
        """Tell why we go on with the old configuration."""
        for line in (*mistakes, reason):
            log.warning("%s", line)
        self.problem("configuration", "\n".join((reason, *mistakes)))

    def _apply(self, settings: Settings, now: float) -> None:
        """Have the children that the configuration wants; what goes, goes in its own time."""
        before, self.settings = self.settings, settings
        if (settings.hardware, settings.linger_s) != (before.hardware, before.linger_s):
            self.pins.end(now, again=True)  # it does on_stop; the lines are claimed anew on the other hardware
        else:
            left = _specs(before).items() - _specs(settings).items()
            self.pins.say(process.LEAVE + ",".join(device for device, _ in left).encode())
        wanted = self._cameras()
        for name in set(self.cameras) - set(wanted):
            self.cameras[name].end(now)
            self._leaving.append(self.cameras.pop(name))
        for name in set(wanted) - set(self.cameras):
            self.cameras[name] = wanted[name]
            wanted[name].start(now)
        self._renew_s = now + TELL_S

    def _cameras(self) -> dict[str, KeeperChild]:
        return {d.id: KeeperChild(self, d.id, Page()) for d in self.settings.devices if d.keeper == "camera"}

    def _stop(self) -> None:
        """Pins first; then the agent says what ended and `offline`. Nobody waits for the broker for long."""
        self.notify.stopping()
        for child in self.children:
            child.end(boottime_s())
        while any(child.pid for child in self.children):
            self._turn()


def main(
    settings: Settings, load: Callable[[], Settings], runtime: Path, page: Page, run_agent: RunAgent,
    arguments: list[str], held: int,
) -> int:  # fmt: skip
    """Run a node in this process; ``held`` is its lock."""
    supervisor = Supervisor(settings, load, runtime, page, run_agent, arguments, held)
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


def _specs(settings: Settings) -> dict[str, str]:
    """Write down what each device works by."""
    return {device.id: device.workings() for device in settings.devices}


def _installed() -> tuple[int, int]:
    """Tell the installed version apart from another: an installer writes its files anew."""
    try:
        status = Path(__file__).with_name("__init__.py").stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
