"""The configuration is read again in a child: that takes its time, and the pins are watched meanwhile."""

from __future__ import annotations

import os
import pickle
import socket
from typing import TYPE_CHECKING

from pimqtt_agent.child import Child, why
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.settings import Settings

if TYPE_CHECKING:
    from pimqtt_agent.supervisor import Supervisor


class ReloadChild(Child):
    """Reads the configuration once; the supervisor gets the settings or the mistakes, a line each."""

    title = "pimqtt: reload"
    silent_s = 60.0

    def __init__(self, supervisor: Supervisor) -> None:
        """Nothing was asked yet."""
        super().__init__(supervisor)
        self._result = -1
        self._asked_again = False

    def start(self, now: float) -> None:
        """Read it; where that is under way, once more afterwards."""
        self._asked_again = bool(self.pid)
        if not self.pid:
            if self._result < 0:
                self._result = os.memfd_create("pimqtt-reload", os.MFD_CLOEXEC)
            super().start(now)

    def main(self, control: socket.socket) -> None:  # noqa: ARG002 - it answers by its result
        """Read it."""
        result: Settings | list[str]
        try:
            result = self.supervisor.load()
        except ConfigError as error:
            result = error.lines
        with os.fdopen(self._result, "wb") as file:
            pickle.dump(result, file)

    def ended(self, now: float, status: int) -> None:
        """Hand over what it found."""
        with os.fdopen(self._result, "rb") as file:
            file.seek(0)
            data = file.read()
        self._result = -1
        if status:
            reason = f"the configuration could not be read ({why(status)}): going on with the old one"
            self.supervisor.refuse(reason, [])
        elif not self._asked_again:
            self.supervisor.loaded(pickle.loads(data), now)  # noqa: S301 - our own child wrote it
        if self._asked_again:
            self.start(now)

    def released(self, now: float, status: int) -> None:  # noqa: ARG002 - we stop
        """Forget it."""
        os.close(self._result)
        self._result = -1
