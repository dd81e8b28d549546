"""The kernel's part, played: what libgpiod is asked for, and the edges of lines that a test drives."""

from __future__ import annotations

import dataclasses
import errno
import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gpiod
from gpiod.line import Direction, Value

_TYPES = (gpiod.EdgeEvent.Type.FALLING_EDGE, gpiod.EdgeEvent.Type.RISING_EDGE)


class PlayedLine:
    """A request. What happens to it is written down in ``seen``: levels, and None when it is given back."""

    def __init__(self, offset: int, settings: gpiod.LineSettings, events: int) -> None:
        self.settings = settings
        self.level = settings.output_value.value if settings.direction is Direction.OUTPUT else 0
        self.seen: list[int | None] = [self.level]
        self.gone = False
        self.fd = os.eventfd(0)  # it blocks, as the kernel's own does until it is told otherwise
        self._offset = offset
        self._events: list[Any] = []
        self._room = events

    def __bool__(self) -> bool:
        return self.fd >= 0

    def drive(self, level: int) -> None:
        """Be the world outside."""
        if level != self.level:
            self.level = level
            # The kernel drops the oldest where there is no room.
            self._events = [*self._events, SimpleNamespace(event_type=_TYPES[level], timestamp_ns=time.monotonic_ns())]
            del self._events[: -self._room]
            os.eventfd_write(self.fd, 1)

    def vanish(self) -> None:
        """Be pulled out, with the chip."""
        self.gone = True
        os.eventfd_write(self.fd, 1)

    def get_value(self, offset: int) -> Value:
        assert offset == self._offset
        self._there()
        return Value(self.level)

    def set_value(self, offset: int, value: Value) -> None:
        assert offset == self._offset
        self._there()
        self.level = value.value
        self.seen.append(self.level)

    def read_edge_events(self) -> list[Any]:
        self._there()
        os.eventfd_read(self.fd)
        events, self._events = self._events, []
        return events

    def release(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            self.seen.append(None)

    def _there(self) -> None:
        assert self.fd >= 0, "it was given back"
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


class PlayedKernel:
    """One chip. ``refuse`` tells an error number for a request, or 0."""

    def __init__(self) -> None:
        self.lines: dict[int, PlayedLine] = {}
        self.asked: list[tuple[str, gpiod.LineSettings]] = []
        self.refuse: Callable[[gpiod.LineSettings], int] = lambda _settings: 0

    def request_lines(
        self, path: str, config: dict[int, gpiod.LineSettings], *, consumer: str, event_buffer_size: int
    ) -> Any:
        """Play ``gpiod.request_lines``."""
        assert consumer == "pimqtt"
        ((offset, settings),) = config.items()
        self.asked.append((path, dataclasses.replace(settings)))
        error = self.refuse(settings)
        if not error and self.lines.get(offset):
            error = errno.EBUSY
        if error:
            raise OSError(error, os.strerror(error))
        line = self.lines[offset] = PlayedLine(offset, settings, event_buffer_size)
        return line
