"""The kernel backend: GPIO chips of any Linux board, by libgpiod's own bindings."""

from __future__ import annotations

import select
import time
from pathlib import Path
from typing import TYPE_CHECKING

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pull
from pimqtt_agent.hardware.pulses import Pulsed, Pulses

if TYPE_CHECKING:
    from pimqtt_agent.settings import KernelOptions

_VALUES = (Value.INACTIVE, Value.ACTIVE)
_BIAS = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "none": Bias.DISABLED}


def open_board(options: KernelOptions, folder: Path, runtime: Path) -> KernelBoard:  # noqa: ARG001
    """Open the board; a chip is opened with its first line."""
    return KernelBoard(options)


class Claimed:
    """A line that this process holds."""

    def __init__(self, board: KernelBoard, line: Line, settings: gpiod.LineSettings) -> None:
        """Request the line, an output together with its first level."""
        self._board = board
        self.chip, self.offset = board.locate(line)
        try:
            # The kernel keeps 16 events a line unless asked for more; a bouncing contact makes more than that.
            self._request = self.chip.request_lines(
                {self.offset: settings}, consumer=chardev.CONSUMER.decode(), event_buffer_size=64
            )
        except OSError as error:
            raise chardev.busy(self.chip.path, self.offset, error) from None
        except ValueError:
            raise HardwareError(f"line {line}: {self.chip.path} has no line {self.offset}") from None
        self.line = line
        board.lines[line] = self

    def close(self) -> None:
        """Give the line back, once."""
        if self._board.lines.pop(self.line, None):
            self._request.release()


class KernelOutput(Claimed):
    """An output."""

    def __init__(self, board: KernelBoard, line: Line, level: int) -> None:
        """Claim the line with its first level."""
        output = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=_VALUES[bool(level)])
        super().__init__(board, line, output)

    def set(self, level: int) -> None:
        """Set the level."""
        try:
            self._request.set_value(self.offset, _VALUES[bool(level)])
        except OSError as error:
            raise HardwareError(f"line {self.line} can't be set: {error.strerror}") from None


class KernelPwm:
    """An output with pulses made in software."""

    def __init__(self, board: KernelBoard, line: Line, duty: float, frequency_hz: float) -> None:
        """Claim the line with its first duty; pulses begin after that."""
        self._output = KernelOutput(board, line, int(duty >= 1))
        self._pulsed = Pulsed(board.pulses, self._output.set, frequency_hz)
        if 0 < duty < 1:
            self._pulsed.set(duty)
        self.set = self._pulsed.set

    def close(self) -> None:
        """Stop the pulses and give the line back."""
        self._pulsed.stop()
        self._output.close()


class KernelInput(Claimed):
    """An input."""

    def __init__(self, board: KernelBoard, line: Line, pull: Pull, on_edge: OnEdge) -> None:
        """Claim the line with its pull and both edges."""
        both = gpiod.LineSettings(direction=Direction.INPUT, bias=_BIAS[pull], edge_detection=Edge.BOTH)
        super().__init__(board, line, both)
        self._on_edge = on_edge
        self._fd = self._request.fd
        board.watch(self._fd, self)

    def get(self) -> int:
        """Read the level."""
        try:
            return int(self._request.get_value(self.offset) is Value.ACTIVE)
        except OSError as error:
            raise HardwareError(f"line {self.line} can't be read: {error.strerror}") from None

    def deliver(self, since_boot_s: float) -> None:
        """Hand on the events that the kernel has stored; they bear CLOCK_MONOTONIC."""
        for event in self._request.read_edge_events():
            level = int(event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE)
            self._on_edge(level, event.timestamp_ns * 1e-9 + since_boot_s)

    def close(self) -> None:
        """Give the line back."""
        self._board.unwatch(self._fd)
        super().close()


class KernelBoard:
    """The chips that are open."""

    def __init__(self, options: KernelOptions) -> None:
        """Wait for lines."""
        self._options = options
        self._chips: dict[str, gpiod.Chip] = {}
        self._inputs: dict[int, KernelInput] = {}
        self._poll = select.epoll()
        self.lines: dict[Line, Claimed] = {}
        self.pulses = Pulses()

    def locate(self, line: Line) -> tuple[gpiod.Chip, int]:
        """Find a line's chip, by label or path (numbers of chips change with the kernel), and its offset there."""
        name, _, offset = str(line).rpartition(":")
        chosen = self._options.chips.get(name) if name else self._options.chip
        if chosen is None:
            missing = f"no chip {name!r} in hardware.chips" if name else "hardware.chip is not set"
            raise HardwareError(f"line {line}: {missing}")
        if not offset.isdecimal():
            raise HardwareError(f"line {line}: {offset!r} is not a number")
        if chosen not in self._chips:
            path = chosen if chosen.startswith("/") else chardev.find(chosen)
            chardev.label(path)  # says it better than libgpiod where the chip can't be opened
            self._chips[chosen] = gpiod.Chip(path)
        return self._chips[chosen], int(offset)

    def output(self, line: Line, level: int) -> KernelOutput:
        """Claim an output."""
        return KernelOutput(self, line, level)

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> KernelPwm:
        """Claim a PWM output."""
        return KernelPwm(self, line, duty, frequency_hz)

    def input(self, line: Line, pull: Pull, on_edge: OnEdge) -> KernelInput:
        """Claim an input."""
        return KernelInput(self, line, pull, on_edge)

    def watch(self, fd: int, line: KernelInput) -> None:
        """Watch an input's events."""
        self._inputs[fd] = line
        self._poll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        """Forget an input."""
        if self._inputs.pop(fd, None):
            self._poll.unregister(fd)

    def fileno(self) -> int:
        """Readable while any input has events."""
        return self._poll.fileno()

    def dispatch(self) -> None:
        """Deliver the events."""
        since_boot_s = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        for fd, _ in self._poll.poll(0):
            if fd in self._inputs:
                self._inputs[fd].deliver(since_boot_s)

    def simulate(self, line: Line, level: int) -> None:
        """Refuse: real inputs are set by what hangs on them."""
        raise HardwareError(f"line {line} can't be set to {level} from here: only the simulated backend does that")

    def release_list(self) -> list[dict[str, object]]:
        """One row an output."""
        return [
            {"backend": "kernel", "chip": claimed.chip.path, "name": line, "line": claimed.offset}
            for line, claimed in self.lines.items()
            if isinstance(claimed, KernelOutput)
        ]

    def close(self) -> None:
        """Stop all pulses, give all lines back, close the chips."""
        self.pulses.close()
        for claimed in tuple(self.lines.values()):
            claimed.close()
        for chip in self._chips.values():
            chip.close()
        self._chips.clear()
        if not self._poll.closed:
            self._poll.close()
