"""The simulated backend: a chip without hardware, whose levels outlive the process and whose changes are traced."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.levels import INPUT, LINES, OUTPUT, Levels, Release
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pin, Pull

if TYPE_CHECKING:
    from pimqtt_agent.settings import SimulatedOptions


def open_board(options: SimulatedOptions, folder: Path, runtime: Path) -> SimulatedBoard:
    """Open the chip in the node's runtime folder; the trace is relative to the configuration's folder."""
    up = frozenset(number(line) for line, pull in options.pulls.items() if pull == "up")
    trace = folder / options.trace if options.trace else None
    return SimulatedBoard(Levels(runtime / "levels", Release(options.on_release, up), trace))


def number(line: Line) -> int:
    """Turn a line of the configuration into a number of the chip."""
    if str(line).isdecimal() and int(line) < LINES:
        return int(line)
    raise HardwareError(f"line {line}: the simulated chip has lines 0 to {LINES - 1} and no other chips")


class SimulatedOutput:
    """An output: one store and one write a change. A PWM output is the same, its duty being the level."""

    def __init__(self, board: SimulatedBoard, line: int, level: float, mode: Literal["output", "pwm"]) -> None:
        """Claim the line with its first level."""
        self.mode: Literal["output", "pwm"] = mode
        self._board = board
        self._line = line
        self._last = round(level, 4)
        board.levels.claim(line, OUTPUT, self._last)
        self._level = board.levels.level
        self._trace = board.levels.trace_fd
        # A level lasts as long as a command at least: formatting once a line halves the cost of a change.
        self._row = b'{"t_ns": %%d, "pin": %d, "value": %%.5g}\n' % line

    def get(self) -> float:
        """Return the level or duty."""
        return self._last

    def set(self, level: float) -> None:
        """Set the level or duty, and trace it."""
        level = round(level, 4)
        if level == self._last:
            return
        self._level[self._line] = self._last = level
        if self._trace >= 0:
            self._board.levels.note(self._row % (time.monotonic_ns(), level))

    def close(self) -> None:
        """Give the line back."""
        self._board.release(self._line)


class SimulatedInput:
    """An input: what was set outside, else what the pulls make of it."""

    mode: Literal["input"] = "input"

    def __init__(self, board: SimulatedBoard, line: int, pull: Pull, on_edge: OnEdge, debounce_s: float) -> None:
        """Claim the line; debouncing is left to the driver."""
        self.debounce_s = debounce_s
        self._board = board
        self._line = line
        self._pull = pull
        self.on_edge = on_edge
        board.levels.claim(line, INPUT)

    def get(self) -> int:
        """Read the level."""
        return self._board.levels.seen(self._line, self._pull)

    def close(self) -> None:
        """Give the line back."""
        self._board.release(self._line)


class SimulatedBoard:
    """The chip as one process holds it."""

    def __init__(self, levels: Levels) -> None:
        """Take the mapped file."""
        self.levels = levels
        self._lines: dict[int, SimulatedOutput | SimulatedInput] = {}
        self._edges: deque[tuple[OnEdge, int, float]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def output(self, line: Line, level: int) -> SimulatedOutput:
        """Claim an output."""
        return self._claimed_output(line, level, "output")

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> SimulatedOutput:  # noqa: ARG002
        """Claim a PWM output; its duty is what the trace shows."""
        return self._claimed_output(line, duty, "pwm")

    def _claimed_output(self, line: Line, level: float, mode: Literal["output", "pwm"]) -> SimulatedOutput:
        claimed = SimulatedOutput(self, number(line), level, mode)
        self._lines[number(line)] = claimed
        return claimed

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> SimulatedInput:
        """Claim an input."""
        claimed = SimulatedInput(self, number(line), pull, on_edge, debounce_s)
        self._lines[number(line)] = claimed
        return claimed

    def release(self, line: int) -> None:
        """Give a line back, once."""
        if self._lines.pop(line, None):
            self.levels.free(line)

    def fileno(self) -> int:
        """Readable while edges wait."""
        return self._wake

    def dispatch(self) -> None:
        """Deliver the edges that wait."""
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return
        while self._edges:
            on_edge, level, at_s = self._edges.popleft()
            on_edge(level, at_s)

    def simulate(self, line: Line, level: int) -> None:
        """Set an input from outside; it stays so for later processes, too."""
        claimed = self._lines.get(number(line))
        if isinstance(claimed, SimulatedOutput):
            raise HardwareError(f"line {line} is an output; only inputs are set from outside")
        before = claimed.get() if claimed else level
        self.levels.outside[number(line)] = 2 if level else 1
        if claimed and bool(level) != bool(before):
            self._edges.append((claimed.on_edge, int(bool(level)), boottime_s()))
            os.eventfd_write(self._wake, 1)

    def pins(self) -> Iterator[Pin]:
        """Tell the levels."""
        return (Pin(line, claimed.mode, claimed.get()) for line, claimed in self._lines.items())

    def release_list(self) -> list[dict[str, object]]:
        """One row an output, with all that the rule of release needs."""
        levels = self.levels
        common = {"backend": "simulated", "chip": levels.path, "trace": levels.trace, "on_release": levels.release.rule}
        return [
            {**common, "name": line, "line": line, "pull": levels.pulled(line)}
            for line, claimed in self._lines.items()
            if isinstance(claimed, SimulatedOutput)
        ]

    def end_pulses(self) -> None:
        """Let duties be: the chip makes the pulses, not this process."""

    def close(self) -> None:
        """Give all lines back and unmap the chip."""
        for line in tuple(self._lines):
            self.release(line)
        if self._wake >= 0:
            self.levels.close()
            os.close(self._wake)
            self._wake = -1
