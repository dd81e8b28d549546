"""Talking to systemd: ready, stopping, and the watchdog that the supervisor itself pets."""

from __future__ import annotations

import os
import socket
from math import inf


class Notify:
    """The notify socket; nothing happens where there is none."""

    def __init__(self) -> None:
        """Read the environment and take it away from our children."""
        self._path = os.environ.pop("NOTIFY_SOCKET", "")
        limit_us = os.environ.pop("WATCHDOG_USEC", "")
        ours = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every_s = int(limit_us) / 2e6 if limit_us.isdigit() and int(limit_us) and ours and self._path else inf
        self.deadline_s = 0.0 if self._every_s < inf else inf
        self._ready = False

    def ready(self, status: str) -> None:
        """Pins and agent are there."""
        if not self._ready:
            self._ready = True
            self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """We go."""
        self._send("STOPPING=1")

    def pet(self, now: float) -> None:
        """Pet the watchdog where it is due."""
        if now >= self.deadline_s:
            self.deadline_s = now + self._every_s
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._path:
            return
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
            try:
                end.sendto(text.encode(), address)
            except OSError:
                self._path = ""  # systemd is gone: nobody to tell
