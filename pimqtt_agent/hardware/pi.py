"""The pi backend: a Raspberry Pi's header, by gpiozero's pins on lgpio. Lines are BCM numbers."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pull

if TYPE_CHECKING:
    from pimqtt_agent.settings import PiOptions

# The header's chip on a Pi 0 to 3, 4, 5.
_LABELS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")


def open_board(
    options: PiOptions,  # noqa: ARG001
    folder: Path,  # noqa: ARG001
    runtime: Path,
    factory: Any = None,
) -> PiBoard:
    """Open the header's chip. A ``factory`` of gpiozero's that is given (its mock, in tests) takes lgpio's place."""
    if factory is not None:
        return PiBoard(factory, "")
    path = chardev.find(*_LABELS)
    make = _load(runtime)
    return PiBoard(make(chip=int(path.removeprefix("/dev/gpiochip"))), path)


def _load(runtime: Path) -> Any:
    """Import lgpio: in the keeper only, since its threads start here and would not live through a fork.

    It makes a named pipe in ``LG_WD`` and goes there for good; both are undone.
    """
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    os.environ["LG_WD"] = str(runtime.resolve())
    try:
        from pimqtt_agent.hardware.lgpio_pins import Factory  # noqa: PLC0415
    finally:
        os.fchdir(here)
        os.close(here)
    for pipe in runtime.glob(".lgd-nfy*"):
        pipe.unlink(missing_ok=True)  # both ends are open
    return Factory


class PiOutput:
    """An output; with a frequency, its level is a duty."""

    def __init__(self, board: PiBoard, line: Line, level: float, frequency_hz: float | None = None) -> None:
        """Claim the line with its first level; pulses begin after that."""
        self._board = board
        self._line = line
        self._pin = board.pin(line)
        try:
            self._pin.output_with_state(int(level >= 1))
            if frequency_hz:
                self._pin.frequency = frequency_hz
                if 0 < level < 1:
                    self._pin.state = level
        except Exception as error:  # noqa: BLE001 - lgpio and gpiozero raise many kinds
            raise board.refused(line, error) from None
        board.lines[int(line)] = self

    def set(self, level: float) -> None:
        """Set the level or duty."""
        try:
            self._pin.state = level
        except Exception as error:  # noqa: BLE001
            raise HardwareError(f"line {self._line} can't be set: {error}") from None

    def close(self) -> None:
        """Give the line back, once."""
        if self._board.lines.pop(int(self._line), None):
            self._pin.close()


class PiInput:
    """An input, whose edges come on lgpio's thread."""

    def __init__(self, board: PiBoard, line: Line, pull: Pull, on_edge: OnEdge) -> None:
        """Claim the line with its pull and both edges."""
        self._board = board
        self._line = line
        self._pin = board.pin(line)
        self._on_edge = on_edge
        fixed = self._pin.info.pull
        if fixed and pull not in ("none", fixed):
            raise HardwareError(f"line {line} has a resistor on the board that pulls it {fixed}")
        try:
            self._pin.input_with_pull(fixed or {"none": "floating"}.get(pull, pull))
            self._pin.edges = "both"
            self._pin.when_changed = self._changed
        except Exception as error:  # noqa: BLE001
            raise board.refused(line, error) from None
        board.lines[int(line)] = self

    def _changed(self, ticks: float, level: Any) -> None:
        """Take an edge on lgpio's thread; it bears CLOCK_MONOTONIC in seconds."""
        at_s = ticks + time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        self._board.queue(self._on_edge, int(level), at_s)

    def get(self) -> int:
        """Read the level."""
        try:
            return int(self._pin.state)
        except Exception as error:  # noqa: BLE001
            raise HardwareError(f"line {self._line} can't be read: {error}") from None

    def close(self) -> None:
        """Give the line back, once."""
        if self._board.lines.pop(int(self._line), None):
            self._pin.when_changed = None
            self._pin.close()


class PiBoard:
    """The header."""

    def __init__(self, factory: Any, path: str) -> None:
        """Take gpiozero's factory for the chip at ``path``."""
        # gpiozero would close all pins at exit, each becoming an input, whatever `on_stop` says.
        _disarm_exit_hook()
        self._factory = factory
        self._path = path
        self.lines: dict[int, PiOutput | PiInput] = {}
        self._edges: deque[tuple[OnEdge, int, float]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def pin(self, line: Line) -> Any:
        """Find a pin that this process does not hold yet."""
        if not str(line).isdecimal():
            raise HardwareError(f"line {line}: on a Raspberry Pi a line is a BCM number, such as 17")
        if int(line) in self.lines:
            raise HardwareError(f'line {line} is held by "pimqtt", this very process')
        try:
            return self._factory.pin(f"GPIO{line}")
        except Exception as error:  # noqa: BLE001
            raise HardwareError(f"line {line}: {error}") from None

    def refused(self, line: Line, error: Exception) -> HardwareError:
        """Say why a line can't be had, naming who holds it."""
        held = chardev.holder(self._path, int(line)) if self._path else None
        return HardwareError(f'line {line} is held by "{held}"' if held else f"line {line} can't be claimed: {error}")

    def output(self, line: Line, level: int) -> PiOutput:
        """Claim an output."""
        return PiOutput(self, line, level)

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> PiOutput:
        """Claim a PWM output; lgpio makes the pulses in a thread of its own."""
        return PiOutput(self, line, duty, frequency_hz)

    def input(self, line: Line, pull: Pull, on_edge: OnEdge) -> PiInput:
        """Claim an input."""
        return PiInput(self, line, pull, on_edge)

    def queue(self, on_edge: OnEdge, level: int, at_s: float) -> None:
        """Store an edge and wake the keeper; called on lgpio's thread."""
        self._edges.append((on_edge, level, at_s))
        os.eventfd_write(self._wake, 1)

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
        """Refuse: real inputs are set by what hangs on them."""
        raise HardwareError(f"line {line} can't be set to {level} from here: only the simulated backend does that")

    def release_list(self) -> list[dict[str, object]]:
        """One row an output."""
        return [
            {"backend": "pi", "chip": self._path, "name": line, "line": line}
            for line, claimed in self.lines.items()
            if isinstance(claimed, PiOutput)
        ]

    def close(self) -> None:
        """Give all lines back and close the chip."""
        for claimed in tuple(self.lines.values()):
            claimed.close()
        if self._wake >= 0:
            self._factory.close()
            os.close(self._wake)
            self._wake = -1


def _disarm_exit_hook() -> None:
    import atexit  # noqa: PLC0415

    from gpiozero import devices  # noqa: PLC0415 - slow, and not needed by other backends

    atexit.unregister(devices._shutdown)  # noqa: SLF001
