"""What a backend offers to drivers. Levels here are physical: 1 is high. Inversion is the driver's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

#: A line of a board: a number on the default chip, or ``"chip:line"`` with a chip named in the configuration.
Line = int | str
Pull = Literal["up", "down", "none"]
#: Called in the keeper's thread with the new level (0 or 1) and its time (CLOCK_BOOTTIME, s).
OnEdge = Callable[[int, float], None]


class OutputLine(Protocol):
    """A claimed output. ``set`` acts at once; levels are 0 or 1."""

    def set(self, level: int) -> None:
        """Drive the line."""

    def close(self) -> None:
        """Give the line back. What its level becomes is the kernel's rule."""


class PwmLine(Protocol):
    """A claimed PWM output: ``duty`` from 0.0 (low) to 1.0 (high), both without pulses."""

    def set(self, duty: float) -> None:
        """Change the duty, from the next period on; 0 and 1 at once."""

    def close(self) -> None:
        """Stop the pulses and give the line back."""


class InputLine(Protocol):
    """A claimed input; edges go to the callback that it was claimed with."""

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
        """Claim a PWM output with its first duty; hardware PWM is preferred where the line has it."""

    def input(self, line: Line, pull: Pull, on_edge: OnEdge) -> InputLine:
        """Claim an input with edge events on both edges (no debounce: the driver does that)."""

    def fileno(self) -> int:
        """A descriptor that is readable while edges wait; -1 where there is none."""

    def dispatch(self) -> None:
        """Deliver the edges that wait to their callbacks. Never blocks."""

    def simulate(self, line: Line, level: int) -> None:
        """Set an input from outside (simulated backend only; others raise ``HardwareError``)."""

    def release_list(self) -> list[dict[str, object]]:
        """How ``pimqtt safe`` reaches the claimed outputs with the standard library alone.

        One row an output: ``{"backend", "chip" (a device path, or the levels' file), "line" (offset), "name" (as it
        was claimed)}`` and what else the backend needs; ``recorded.safe_rows`` adds the safe levels.
        """

    def close(self) -> None:
        """Close all lines and the chip."""
