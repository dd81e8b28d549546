"""`pimqtt safe` as a child of the supervisor: for a moment, where no pin keeper comes up."""

from __future__ import annotations

import logging
import os
import socket

from pimqtt_agent import safe
from pimqtt_agent.child import Child, why

log = logging.getLogger(__name__)


class SafeChild(Child):
    """Drives the list that the last pin keeper left, and ends."""

    title = "pimqtt: safe"
    silent_s = grace_s = 2.0

    def start(self, now: float) -> None:
        """Fork it, unless it is at it."""
        if not self.pid:
            super().start(now)

    def main(self, control: socket.socket) -> None:  # noqa: ARG002 - it has nothing to say
        """Drive the list."""
        os._exit(safe.from_supervisor(self.supervisor.runtime))

    def ended(self, now: float, status: int) -> None:
        """Let the pins go on; it is not started again by itself."""
        if status:
            log.error("not every output could be put to its safe value (%s)", why(status))
        self.supervisor.pins.lines_free(now, safe=status == 0)

    def released(self, now: float, status: int) -> None:
        """We stop, and waited for it."""
        self.ended(now, status)
