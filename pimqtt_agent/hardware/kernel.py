"""The kernel backend: GPIO chips of any Linux board, by libgpiod's own bindings."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import gpiod

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.chip_board import ChipBoard
from pimqtt_agent.hardware.gpiod_lines import Output, Place, Request, Role
from pimqtt_agent.hardware.protocols import Line
from pimqtt_agent.hardware.pulses import FASTEST_HZ, Pulsed, Pulses

if TYPE_CHECKING:
    from pimqtt_agent.settings import KernelOptions


def open_board(options: KernelOptions, folder: Path, runtime: Path) -> KernelBoard:  # noqa: ARG001
    """Open the board; a chip is opened for each of its lines, so that one that comes back is found."""
    return KernelBoard(options)


class KernelPwm(Output):
    """An output with pulses made in software."""

    role: ClassVar[Role] = "pwm"

    def __init__(self, place: Place, duty: float, frequency_hz: float, pulses: Pulses, request: Request) -> None:
        """Claim the line with its first duty; pulses begin after that."""
        if frequency_hz > FASTEST_HZ:
            reach = f"line {place.name}: pulses made in software reach {FASTEST_HZ:g} Hz"
            raise HardwareError(f"{reach}, not {frequency_hz:g}; set frequency: {FASTEST_HZ:g} or less")
        super().__init__(place, int(duty >= 1), request)
        self._level = duty
        self._pulsed = Pulsed(pulses, self._write, frequency_hz)
        if 0 < duty < 1:
            self._pulsed.set(duty)

    def set(self, level: float) -> None:
        """Set the duty."""
        self._pulsed.set(level)
        self._level = level

    def close(self) -> None:
        """End the pulses at the nearer level and give the line back, also if it is broken."""
        if not self.closed:
            with suppress(HardwareError):
                self._pulsed.end()
            super().close()


class KernelBoard(ChipBoard):
    """Lines of the chips that the configuration names."""

    backend: ClassVar[str] = "kernel"

    def __init__(self, options: KernelOptions, request: Request = gpiod.request_lines) -> None:
        """Wait for lines."""
        super().__init__(request)
        self._options = options
        self._request = request
        self._pulses = Pulses()

    def locate(self, line: Line) -> Place:
        """Find a line's chip, by label or path (numbers of chips change with the kernel), and its offset there."""
        name, _, offset = str(line).rpartition(":")
        chosen = self._options.chips.get(name) if name else self._options.chip
        if chosen is None:
            missing = f"no chip {name!r} in hardware.chips" if name else "hardware.chip is not set"
            raise HardwareError(f"line {line}: {missing}")
        if not offset.isdecimal():
            raise HardwareError(f"line {line}: {offset!r} is not a number")
        return Place(line, chardev.named(chosen), int(offset))

    def output(self, line: Line, level: int) -> Output:
        """Claim an output."""
        claimed = self._lines[line] = Output(self._free(line), level, self._request)
        return claimed

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> KernelPwm:
        """Claim a PWM output."""
        claimed = KernelPwm(self._free(line), duty, frequency_hz, self._pulses, self._request)
        self._lines[line] = claimed
        return claimed

    def close(self) -> None:
        """Give all lines back and end the thread of the pulses."""
        super().close()
        self._pulses.close()
