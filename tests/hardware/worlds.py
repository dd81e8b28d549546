"""What lies outside the pins: for each backend, how to read a level with a meter and how to drive an input."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from gpiozero.pins.mock import MockFactory, MockPWMPin

from pimqtt_agent.hardware import chardev, kernel, pi, simulated
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.settings import KernelOptions, PiOptions, SimulatedOptions

PI_LABELS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")


class World(Protocol):
    """A backend with its outside."""

    line: Callable[[int], Line]

    def open(self) -> Board: ...

    def level(self, line: int) -> float: ...

    def drive(self, board: Board, line: int, level: int) -> None: ...

    def duty(self, line: int) -> float:
        """Measure the share of time that the line is high."""


class Simulated:
    def __init__(self, folder: Path, chip: str | None) -> None:  # noqa: ARG002
        self._folder = folder
        self.line: Callable[[int], Line] = int

    def open(self) -> Board:
        return simulated.open_board(SimulatedOptions(backend="simulated", trace="trace"), self._folder, self._folder)

    def level(self, line: int) -> float:
        return float(struct.unpack_from("d", (self._folder / "levels").read_bytes(), 8 * line)[0])

    duty = level

    def drive(self, board: Board, line: int, level: int) -> None:
        board.simulate(line, level)


class Mocked:
    def __init__(self, folder: Path, chip: str | None) -> None:  # noqa: ARG002
        self._folder = folder
        self._factory: Any = MockFactory(pin_class=MockPWMPin)
        self.line: Callable[[int], Line] = int

    def open(self) -> Board:
        return pi.open_board(PiOptions(backend="pi"), self._folder, self._folder, self._factory)

    def level(self, line: int) -> float:
        return float(self._factory.pin(f"GPIO{line}").state)

    duty = level

    def drive(self, board: Board, line: int, level: int) -> None:  # noqa: ARG002
        pin = self._factory.pin(f"GPIO{line}")
        (pin.drive_high if level else pin.drive_low)()


class GpioSim:
    """The kernel's own simulated chip: the same character device as a board's, its outside in sysfs."""

    def __init__(self, folder: Path, chip: str | None) -> None:
        assert chip
        self.folder = folder
        self.chip = chip
        self._sysfs = Path(f"/sys/bus/gpio/devices/{Path(chip).name}").resolve()
        self.line: Callable[[int], Line] = int
        for line in (17, 18, 22, 23):
            self._pull(line, 0)

    def _pull(self, line: int, level: int) -> None:
        (self._sysfs / f"sim_gpio{line}/pull").write_text("pull-up" if level else "pull-down")

    def level(self, line: int) -> float:
        return float((self._sysfs / f"sim_gpio{line}/value").read_text())

    def duty(self, line: int) -> float:
        until, levels = time.monotonic() + 1, []
        while time.monotonic() < until:
            levels.append(self.level(line))
        return sum(levels) / len(levels)

    def drive(self, board: Board, line: int, level: int) -> None:  # noqa: ARG002
        self._pull(line, level)


class Kernel(GpioSim):
    def open(self) -> Board:
        options = KernelOptions(backend="kernel", chip=self.chip)
        return kernel.open_board(options, self.folder, self.folder)


class KernelByLabel(GpioSim):
    def __init__(self, folder: Path, chip: str | None) -> None:
        super().__init__(folder, chip)
        self.line = "main:{}".format

    def open(self) -> Board:
        options = KernelOptions(backend="kernel", chips={"main": chardev.label(self.chip)})
        return kernel.open_board(options, self.folder, self.folder)


class PiOnLgpio(GpioSim):
    def open(self) -> Board:
        return pi.open_board(PiOptions(backend="pi"), self.folder, self.folder)


def _no_chip(chip: str | None) -> str:
    return "" if chip else "the kernel backend on a chip (no --gpiochip=PATH)"


def _no_pi(chip: str | None) -> str:
    if not chip:
        return "the pi backend on lgpio (no --gpiochip=PATH)"
    label = chardev.label(chip)
    return "" if label in PI_LABELS else f"the pi backend on lgpio ({chip} is {label}, not a Raspberry Pi's)"


#: per mark, what tells why its tests can't be run here ("" if they can)
ABSENT: dict[str, Callable[[str | None], str]] = {"kernel": _no_chip, "pi": _no_pi}
