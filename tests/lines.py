"""The world outside a chip's lines, as the kernel shows it: a meter, a pull, a hand that sets an input.

Nothing of pimqtt is asked. On gpio-sim that is sysfs; on a board each line is joined by a wire to another one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol

import gpiod
from gpiod.line import Bias, Direction, Value

#: Each line that tests use, and the line that it is wired to on a board (see docs/hardware.md).
WIRES = {17: 26, 18: 19, 22: 13, 23: 12, 24: 16, 27: 20, 5: 21, 6: 25}


class Lines(Protocol):
    """The outside of a chip."""

    def level(self, line: int) -> int:
        """Tell what a meter shows."""

    def reset(self, line: int) -> None:
        """Hang nothing on a line."""

    def pull(self, line: int, level: int) -> None:
        """Hang a resistor on a line."""

    def drive(self, line: int, level: int) -> None:
        """Set an input."""

    def keep(self, lines: list[int]) -> None:
        """Play the rule of a Raspberry Pi's kernel: these keep their level when they are released."""

    def close(self) -> None:
        """Leave the lines alone."""


class SimulatedLines:
    """The kernel's gpio-sim: the same character device as a board's, its outside in sysfs."""

    def __init__(self, chip: str) -> None:
        """Find the chip's folder."""
        self._sysfs = Path(f"/sys/bus/gpio/devices/{Path(chip).name}").resolve()
        self._values: dict[int, int] = {}
        self._pulled: dict[int, int] = {}

    def level(self, line: int) -> int:
        """Read its value."""
        if line not in self._values:
            self._values[line] = os.open(self._sysfs / f"sim_gpio{line}/value", os.O_RDONLY | os.O_CLOEXEC)
        return int(os.pread(self._values[line], 2, 0))

    def reset(self, line: int) -> None:
        """Pull it down: gpio-sim has no floating lines."""
        self.pull(line, 0)

    def pull(self, line: int, level: int) -> None:
        """Set its pull."""
        (self._sysfs / f"sim_gpio{line}/pull").write_text("pull-up" if level else "pull-down")
        self._pulled[line] = level

    drive = pull

    def keep(self, lines: list[int]) -> None:
        """Let each pull follow its level."""
        for line in lines:
            level = self.level(line)
            if self._pulled.get(line) != level:
                self.pull(line, level)

    def close(self) -> None:
        """Close the values."""
        for fd in self._values.values():
            os.close(fd)
        self._values.clear()


class WiredLines:
    """A board's own chip: the other end of each wire is ours."""

    def __init__(self, chip: str) -> None:
        """Take the other ends."""
        self._chip = chip
        self._ends: dict[int, gpiod.LineRequest] = {}
        for line in WIRES:
            self.reset(line)

    def level(self, line: int) -> int:
        """Read the other end."""
        return int(self._ends[line].get_value(WIRES[line]) is Value.ACTIVE)

    def reset(self, line: int) -> None:
        """Let the other end float."""
        self._take(line, gpiod.LineSettings(direction=Direction.INPUT, bias=Bias.DISABLED))

    def pull(self, line: int, level: int) -> None:
        """Let the resistor of the other end pull."""
        bias = Bias.PULL_UP if level else Bias.PULL_DOWN
        self._take(line, gpiod.LineSettings(direction=Direction.INPUT, bias=bias))

    def drive(self, line: int, level: int) -> None:
        """Drive the other end."""
        self._take(line, gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value(level)))

    def keep(self, lines: list[int]) -> None:
        """Do nothing: it is this kernel's own rule, or it is not."""

    def close(self) -> None:
        """Give the other ends back."""
        for request in self._ends.values():
            request.release()
        self._ends.clear()

    def _take(self, line: int, settings: gpiod.LineSettings) -> None:
        with suppress(KeyError):
            self._ends.pop(line).release()
        self._ends[line] = gpiod.request_lines(self._chip, {WIRES[line]: settings}, consumer="tests")


def simulated(chip: str) -> bool:
    """Whether it is a chip of gpio-sim."""
    return Path(f"/sys/bus/gpio/devices/{Path(chip).name}/sim_gpio0").exists()


def outside(chip: str) -> Lines:
    """Return the outside of a chip."""
    return SimulatedLines(chip) if simulated(chip) else _wired(chip)


@cache
def _wired(chip: str) -> WiredLines:
    """The other ends are held by one object of a process."""
    return WiredLines(chip)
