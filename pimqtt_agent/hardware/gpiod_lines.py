"""Lines of a chip by libgpiod's own bindings: outputs, and inputs whose edges bear the kernel's times."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar, Literal, NamedTuple

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pull

Request = Callable[..., gpiod.LineRequest]
Role = Literal["output", "pwm", "input"]
_VALUES = (Value.INACTIVE, Value.ACTIVE)
_BIAS = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "none": Bias.DISABLED}
#: What the kernel debounces for us (s): it counts in its own ticks, of which the longest is 10 ms.
KERNEL_DEBOUNCE_S = (0.01, 60.0)
#: The kernel keeps 16 events a line unless asked for more; of more than these the newest are kept.
_EVENTS = 64


class Place(NamedTuple):
    """Where a line is: its name in the configuration, the path of its chip, its offset there."""

    name: Line
    path: str
    offset: int


class Requested:
    """A line that this process holds."""

    role: ClassVar[Role]

    def __init__(self, place: Place, settings: gpiod.LineSettings, request: Request) -> None:
        """Request the line, an output together with its first level."""
        self.place = place
        consumer = chardev.CONSUMER.decode()
        try:
            self._request = request(place.path, {place.offset: settings}, consumer=consumer, event_buffer_size=_EVENTS)
        except OSError as error:
            raise chardev.refusal(place.path, place.offset, error, place.name) from None
        except ValueError:
            raise HardwareError(f"line {place.name}: {place.path} has no line {place.offset}") from None

    @property
    def closed(self) -> bool:
        """Whether it was given back."""
        return not self._request

    def close(self) -> None:
        """Give the line back; what its level becomes is the kernel's rule."""
        self._request.release()


class Output(Requested):
    """An output."""

    role: ClassVar[Role] = "output"

    def __init__(self, place: Place, level: int, request: Request) -> None:
        """Claim the line with its first level."""
        output = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=_VALUES[bool(level)])
        super().__init__(place, output, request)
        self._level = float(level)

    def get(self) -> float:
        """Return the level that was set, of pulses their duty."""
        return self._level

    def set(self, level: float) -> None:
        """Set the level."""
        self._write(level)
        self._level = level

    def _write(self, level: float) -> None:
        try:
            self._request.set_value(self.place.offset, _VALUES[bool(level)])
        except OSError as error:
            raise HardwareError(f"line {self.place.name} can't be set: {error.strerror}") from None


class Input(Requested):
    """An input. ``debounce_s`` is what the kernel has left to debounce."""

    role: ClassVar[Role] = "input"

    def __init__(self, place: Place, pull: Pull, on_edge: OnEdge, debounce_s: float, request: Request) -> None:
        """Claim the line with its pull and both edges."""
        shortest_s, longest_s = KERNEL_DEBOUNCE_S
        self.debounce_s = 0.0 if shortest_s <= debounce_s <= longest_s else debounce_s
        both = gpiod.LineSettings(direction=Direction.INPUT, bias=_BIAS[pull], edge_detection=Edge.BOTH)
        try:
            both.debounce_period = timedelta(seconds=debounce_s - self.debounce_s)
            super().__init__(place, both, request)
        except HardwareError:
            if self.debounce_s == debounce_s:
                raise
            # A chip that debounces by itself may refuse the time.
            both.debounce_period, self.debounce_s = timedelta(), debounce_s
            super().__init__(place, both, request)
        self.fd = self._request.fd
        os.set_blocking(self.fd, False)  # the keeper never waits, whatever a descriptor promised
        self._on_edge = on_edge
        self._lost = False

    def get(self) -> int:
        """Read the level."""
        if self._lost:
            raise HardwareError(f"line {self.place.name} is gone with its chip")
        try:
            return int(self._request.get_value(self.place.offset) is Value.ACTIVE)
        except OSError as error:
            raise HardwareError(f"line {self.place.name} can't be read: {error.strerror}") from None

    def deliver(self, since_boot_s: float, now: float) -> bool:
        """Hand on the events that wait; they bear CLOCK_MONOTONIC. Return whether the line is still there."""
        try:
            events = self._request.read_edge_events()
        except BlockingIOError:
            return True
        except OSError:
            self._lost = True
            self._on_edge(None, now)
            return False
        for event in events:
            level = int(event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE)
            self._on_edge(level, min(event.timestamp_ns * 1e-9 + since_boot_s, now))
        return True


class Inputs:
    """The inputs of a board, behind one descriptor."""

    def __init__(self, request: Request) -> None:
        """Wait for lines, which are had by ``request`` (``gpiod.request_lines``)."""
        self._request = request
        self._poll = select.epoll()
        self._lines: dict[int, Input] = {}

    def claim(self, place: Place, pull: Pull, on_edge: OnEdge, debounce_s: float) -> Input:
        """Claim an input and watch it, until it is closed: a closed descriptor leaves the poll by itself."""
        line = Input(place, pull, on_edge, debounce_s, self._request)
        self._lines[line.fd] = line
        self._poll.register(line.fd, select.EPOLLIN)
        return line

    def fileno(self) -> int:
        """Readable while any input has events."""
        return self._poll.fileno()

    def dispatch(self) -> None:
        """Deliver the events, so many of each line at once that a busy one can't keep us."""
        now = boottime_s()
        since_boot_s = now - time.monotonic()
        for fd, _ in self._poll.poll(0):
            line = self._lines[fd]
            if not line.closed and not line.deliver(since_boot_s, now):
                self._poll.unregister(fd)

    def close(self) -> None:
        """Close the poll."""
        self._poll.close()
