"""What boards of the kernel's GPIO chips share: inputs are libgpiod's, outputs are the backend's own business."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar, Protocol

import gpiod

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.gpiod_lines import Input, Inputs, Place, Request, Role
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pin, Pull


class Held(Protocol):
    """A line of the board."""

    place: Place

    @property
    def role(self) -> Role:
        """What it was claimed as."""

    @property
    def closed(self) -> bool:
        """Whether it was given back."""

    def get(self) -> float:
        """Tell the level that is driven or read; raises ``HardwareError`` where it can't be read."""

    def close(self) -> None:
        """Give it back, once."""


class ChipBoard(ABC):
    """The lines that this process holds. Given back is a line by its own ``close``."""

    backend: ClassVar[str]

    def __init__(self, request: Request = gpiod.request_lines) -> None:
        """Wait for lines."""
        self._inputs = Inputs(request)
        self._lines: dict[Line, Held] = {}

    @abstractmethod
    def locate(self, line: Line) -> Place:
        """Find a line. Raises ``HardwareError``."""

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> Input:
        """Claim an input."""
        claimed = self._inputs.claim(self._free(line), pull, on_edge, debounce_s)
        self._lines[line] = claimed
        return claimed

    def fileno(self) -> int:
        """Readable while any input has events."""
        return self._inputs.fileno()

    def dispatch(self) -> None:
        """Deliver the events."""
        self._inputs.dispatch()

    def simulate(self, line: Line, level: int) -> None:
        """Refuse: real inputs are set by what hangs on them."""
        raise HardwareError(f"line {line} can't be set to {level} from here: only the simulated backend does that")

    def pins(self) -> Iterator[Pin]:
        """Tell the levels."""
        for line in self._held():
            level = None
            with suppress(HardwareError):  # its device tells why
                level = line.get()
            yield Pin(line.place.name, line.role, level)

    def release_list(self) -> list[dict[str, object]]:
        """One row an output."""
        return [
            {"backend": self.backend, "chip": line.place.path, "name": line.place.name, "line": line.place.offset}
            for line in self._held()
            if line.role != "input"
        ]

    def end_pulses(self) -> None:
        """Give PWM lines back, each at the nearer level."""
        for line in self._held():
            if line.role == "pwm":
                line.close()

    def close(self) -> None:
        """Give all lines back."""
        for line in self._held():
            line.close()
        self._inputs.close()

    def _held(self) -> list[Held]:
        return [line for line in self._lines.values() if not line.closed]

    def _free(self, line: Line) -> Place:
        """Find a line that this process does not hold yet."""
        if line in self._lines and not self._lines[line].closed:
            raise HardwareError(f'line {line} is held by "pimqtt", this very process')
        return self.locate(line)
