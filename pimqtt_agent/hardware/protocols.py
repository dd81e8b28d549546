"""What a backend offers to drivers. Levels here are physical: 1 is high. Inversion is the driver's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, Protocol

#: A line of a board: a number on the default chip, or ``"chip:line"`` with a chip named in the configuration.
Line = int | str
Pull = Literal["up", "down", "none"]
#: Called in the keeper's thread with the new level (0 or 1; None: the line is lost, and reading it tells why) and its
#: time (CLOCK_BOOTTIME, s).
OnEdge = Callable[[int | None, float], None]


class Pin(NamedTuple):
    """A claimed line: how it is used, and its level (of PWM its duty; None where it can't be read now)."""

    line: Line
    mode: Literal["output", "pwm", "input"]
    level: float | None


class OutputLine(Protocol):
    """A claimed output. ``set`` acts at once; levels are 0 or 1."""

    def set(self, level: int) -> None:
        """Drive the line."""

    def close(self) -> None:
        """Give the line back. What its level becomes is the kernel's rule."""


class PwmLine(Protocol):
    """A claimed PWM output: from 0.0 (low) to 1.0 (high), both without pulses."""

    def set(self, level: float) -> None:
        """Change the duty, from the next period on; 0 at once, and 1 at the end of the period at the latest."""

    def close(self) -> None:
        """End the pulses at the nearer level and give the line back."""


class InputLine(Protocol):
    """A claimed input; edges go to the callback that it was claimed with."""

    #: what is left to debounce for whoever claimed it (s)
    debounce_s: float

    def get(self) -> int:
        """Read the level now."""

    def close(self) -> None:
        """Give the line back."""


class Board(Protocol):
    """An opened backend. Single-threaded: everything is called from the keeper's thread.

    Claiming raises ``HardwareError`` with a sentence (``line 17 is held by "lg"``).
    """

    def output(self, line: Line, level: int) -> OutputLine:
        """Claim an output and set its first level in one call."""

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> PwmLine:
        """Claim a PWM output with its first duty."""

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> InputLine:
        """Claim an input with edge events on both edges, debounced where the backend can."""

    def fileno(self) -> int:
        """A descriptor that is readable while edges wait; -1 where there is none."""

    def dispatch(self) -> None:
        """Deliver the edges that wait to their callbacks. Never blocks."""

    def simulate(self, line: Line, level: int) -> None:
        """Set an input from outside (simulated backend only; others raise ``HardwareError``)."""

    def pins(self) -> Iterator[Pin]:
        """Tell the level of each claimed line, as it is driven or reads now. Never blocks."""

    def release_list(self) -> list[dict[str, object]]:
        """How ``pimqtt safe`` reaches the claimed outputs with the standard library alone.

        One row an output: ``{"backend", "chip" (a device path, or the levels' file), "line" (offset), "name" (as it
        was claimed)}`` and what else the backend needs; ``recorded.safe_rows`` adds the safe levels.
        """

    def end_pulses(self) -> None:
        """Give PWM lines back, each at the nearer level: a process that has ended makes no pulses."""

    def close(self) -> None:
        """Close all lines and the chip."""
