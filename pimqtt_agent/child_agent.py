"""The agent as the supervisor's child: forked, or executed from the version that was installed meanwhile."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys

from pimqtt_agent.child import Child, why
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import process
from pimqtt_agent.keeper.messages import VERSION

log = logging.getLogger(__name__)

#: In the environment of an agent of another version: which version of the link it must speak.
LINK = "PIMQTT_LINK"


class AgentChild(Child):
    """The agent. Where that of another version can't work, ours does, with the last good configuration."""

    title = "pimqtt: agent"
    silent_s = 20.0
    grace_s = 2.5

    _executed: tuple[int, int] | None = None
    _refused: tuple[int, int] | None = None
    _mistakes = ""

    def start(self, now: float) -> None:
        """See that it finds its keepers."""
        self._want_keepers(now)
        other = self.supervisor.other_version()
        self._executed = other if other != self._refused else None
        self._mistakes = ""
        super().start(now)
        if self.supervisor.problems:
            self.tell_problems()

    def main(self, control: socket.socket) -> None:
        """Be the agent."""
        supervisor = self.supervisor
        ends = {keeper.camera: keeper.agent_end for keeper in supervisor.keepers}
        if self._executed:
            self._execute(control, ends)
        supervisor.run_agent(supervisor.settings, ends, control)

    def renew(self, now: float) -> None:
        """Have it say what it has to say, then start it anew; what was refused is tried again."""
        self._refused = None
        self.end(now, again=True, word=process.GO)

    def ended(self, now: float, status: int) -> None:
        """Start it again; ours where that of another version has never worked."""
        if not self._executed or self.worked:
            super().ended(now, status)
            return
        self._refused = self._executed
        mend = f"mend it, then reload: kill -HUP {os.getpid()}"
        text = "the agent of the version that was installed does not start"
        log.error("%s (%s): going on with ours and the last good configuration; %s", text, why(status), mend)
        self.supervisor.problem("version", f"{text}: {self._mistakes or why(status)}")
        self.start(now)

    def heard(self, word: bytes) -> None:
        """Note a beat, or what it asks for: ``? KEEPER``, ``ready TEXT``, ``restart``, ``mistakes TEXT``."""
        self.lives(self.silent_s)
        now = boottime_s()
        text = word.decode(errors="replace")
        if text.startswith("mistakes"):
            self._mistakes = text[9:]
            return
        if self._executed and not self.worked:
            self.supervisor.problem("version", "")
        self.worked = True
        self._want_keepers(now)
        if text.startswith("?"):
            keeper = self.supervisor.keeper(text[1:].strip())
            if keeper:
                keeper.ask_beat(now)
        elif text.startswith("ready"):
            self.supervisor.notify.ready(text[6:])
        elif text == "restart":
            os.kill(os.getpid(), signal.SIGHUP)

    def tell_problems(self) -> None:
        """Tell it what its user should know of us."""
        self.say(f"!{self.supervisor.problems}".encode()[:8000])

    def _want_keepers(self, now: float) -> None:
        for keeper in self.supervisor.keepers:
            keeper.wanted(now)

    def _execute(self, control: socket.socket, ends: dict[str, socket.socket]) -> None:
        """Start the agent of the version that was installed meanwhile; it gets the living keepers' links."""
        command = [sys.executable, "-m", "pimqtt_agent", "agent", *self.supervisor.arguments]
        command += ["--control", str(control.fileno())]
        for name, end in ends.items():
            command += ["--link", f"{name}={end.fileno()}"]
        for end in (control, *ends.values()):
            os.set_inheritable(end.fileno(), True)
        log.info("another version is installed: the agent is started from it")
        os.environ[LINK] = str(VERSION)
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell
