"""What lies outside the pins: for each backend, how to read a level with a meter and how to drive an input."""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, Self

import gpiod
from gpiod.line import Bias
from gpiozero.pins.mock import MockFactory, MockPWMPin

from pimqtt_agent.hardware import chardev, kernel, pi, simulated
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.settings import KernelOptions, PiOptions, SimulatedOptions
from tests.gpiochip import CONTROL
from tests.hardware.played_kernel import PlayedKernel
from tests.lines import SimulatedLines, outside


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
    """gpiozero's mock pins for outputs. Inputs are not gpiozero's: theirs is `kernel`'s code, on a played chip."""

    def __init__(self, folder: Path, chip: str | None) -> None:  # noqa: ARG002
        self._factory: Any = MockFactory(pin_class=MockPWMPin)
        self._kernel = PlayedKernel()
        self._kernel.refuse = lambda settings: errno.EINVAL if settings.debounce_period else 0
        self.line: Callable[[int], Line] = int

    def open(self) -> Board:
        return pi.PiBoard(self._factory, "/dev/gpiochip0", self._request)

    def _request(self, path: str, config: dict[int, gpiod.LineSettings], **kwargs: Any) -> gpiod.LineRequest:
        """Let the pull act, as it does on a line that nothing drives."""
        ((offset, settings),) = config.items()
        request = self._kernel.request_lines(path, config, **kwargs)
        request.level = int(settings.bias is Bias.PULL_UP)
        self._kernel.lines[offset] = request
        made: gpiod.LineRequest = request
        return made

    def level(self, line: int) -> float:
        return float(self._factory.pin(f"GPIO{line}").state)

    duty = level

    def drive(self, board: Board, line: int, level: int) -> None:  # noqa: ARG002
        self._kernel.lines[line].drive(level)


class GpioSim:
    """A chip of the kernel: gpio-sim, or a board's own one that is wired."""

    def __init__(self, folder: Path, chip: str | None) -> None:
        assert chip
        self.folder = folder
        self.chip = chip
        self._lines = outside(chip)
        self.line: Callable[[int], Line] = int
        for line in (17, 18, 22, 23):
            self._lines.reset(line)

    def level(self, line: int) -> float:
        return self._lines.level(line)

    def duty(self, line: int) -> float:
        until, levels = time.monotonic() + 1, []
        while time.monotonic() < until:
            levels.append(self.level(line))
        return sum(levels) / len(levels)

    def drive(self, board: Board, line: int, level: int) -> None:  # noqa: ARG002
        self._lines.drive(line, level)


class OwnChip:
    """Another chip of gpio-sim with 8 lines, which can be plugged and unplugged."""

    def __init__(self, label: str, *, live: bool = True) -> None:
        self._folder = CONTROL / label
        self._label = label
        self._live = live

    def __enter__(self) -> Self:
        bank = self._folder / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text("8")
        (bank / "label").write_text(self._label)
        self.live(on=self._live)
        return self

    def __exit__(self, *_: object) -> None:
        self.live(on=False)
        (self._folder / "bank0").rmdir()
        self._folder.rmdir()

    def live(self, *, on: bool) -> None:
        live = self._folder / "live"
        if live.read_text().strip() != str(int(on)):
            live.write_text(str(int(on)))

    @property
    def path(self) -> str:
        """Where it is while it is plugged."""
        return f"/dev/{(self._folder / 'bank0/chip_name').read_text().strip()}"

    def pull(self, line: int, level: int) -> None:
        SimulatedLines(self.path).pull(line, level)


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
