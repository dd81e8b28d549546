"""The pi backend: a Raspberry Pi's header. Lines are BCM numbers; outputs are gpiozero's pins on lgpio.

Inputs are libgpiod's: lgpio looks for their edges 2000 times a second.
"""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import gpiod
import gpiozero.pins.local  # noqa: F401 - slow to import, which is done before a keeper is forked
from gpiozero import devices

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.chip_board import ChipBoard
from pimqtt_agent.hardware.gpiod_lines import Input, Place, Request, Role
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pull
from pimqtt_agent.hardware.threads import as_urgent_as_the_keeper

if TYPE_CHECKING:
    from pimqtt_agent.settings import PiOptions

#: What lgpio can do.
_PULSES_HZ = (0.1, 10_000.0)


def open_board(options: PiOptions, folder: Path, runtime: Path) -> PiBoard:  # noqa: ARG001
    """Open the header's chip."""
    path = chardev.find(*chardev.PI_LABELS)
    make = _load(runtime)
    board = PiBoard(make(chip=int(path.removeprefix("/dev/gpiochip"))), path)
    as_urgent_as_the_keeper()
    return board


def _load(runtime: Path) -> Any:
    """Import lgpio: in the keeper only, since its threads start here and would not live through a fork.

    It makes a named pipe in ``LG_WD`` and goes there for good; both are undone.
    """
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    os.environ["LG_WD"] = str(runtime.resolve())
    try:
        from pimqtt_agent.hardware.lgpio_pins import Factory  # noqa: PLC0415
    except AttributeError:
        raise HardwareError(
            "the installed Python package lgpio is PyPI's placeholder without code: pip uninstall lgpio, then "
            "sudo apt install python3-lgpio, in an environment with --system-site-packages"
        ) from None
    finally:
        os.fchdir(here)
        os.close(here)
    for pipe in runtime.glob(".lgd-nfy*"):
        pipe.unlink(missing_ok=True)  # both ends are open
    return Factory


class PiOutput:
    """An output; with a frequency, its level is a duty."""

    def __init__(self, place: Place, pin: Any, level: float, frequency_hz: float | None = None) -> None:
        """Claim the line with its first level; pulses begin after that."""
        self.place = place
        self.role: Role = "pwm" if frequency_hz else "output"
        self.closed = False
        self._pin = pin
        self._level = level
        slowest_hz, fastest_hz = _PULSES_HZ
        if frequency_hz and not slowest_hz <= frequency_hz <= fastest_hz:
            reach = f"lgpio makes pulses of {slowest_hz:g} to {fastest_hz:g} Hz"
            raise HardwareError(f"line {place.name}: {reach}, not {frequency_hz:g}; change frequency")
        try:
            pin.output_with_state(int(level >= 1))
            if frequency_hz:
                pin.frequency = frequency_hz
                if 0 < level < 1:
                    pin.state = level
        except Exception as error:  # noqa: BLE001 - lgpio and gpiozero raise many kinds
            pin.close()
            held = chardev.holder(place.path, place.offset)
            reason = f'is held by "{held}"' if held else f"can't be claimed: {error}"
            raise HardwareError(f"line {place.name} {reason}") from None

    def get(self) -> float:
        """Return the level or duty that was set."""
        return self._level

    def set(self, level: float) -> None:
        """Set the level or duty."""
        try:
            self._pin.state = self._level = level
        except Exception as error:  # noqa: BLE001
            raise HardwareError(f"line {self.place.name} can't be set: {error}") from None

    def close(self) -> None:
        """End the pulses at the nearer level and give the line back, once."""
        if self.closed:
            return
        self.closed = True
        if 0 < self._level < 1:
            with suppress(HardwareError):
                self.set(float(self._level >= 0.5))
        self._pin.close()


class PiBoard(ChipBoard):
    """The header."""

    backend: ClassVar[str] = "pi"

    def __init__(self, factory: Any, path: str, request: Request = gpiod.request_lines) -> None:
        """Take gpiozero's factory for the chip at ``path``."""
        super().__init__(request)
        # gpiozero would close all pins at exit, each becoming an input, whatever `on_stop` says.
        atexit.unregister(devices._shutdown)  # noqa: SLF001
        self._factory = factory
        self._path = path

    def locate(self, line: Line) -> Place:
        """Find a BCM number."""
        if not str(line).isdecimal():
            raise HardwareError(f"line {line}: on a Raspberry Pi a line is a BCM number, such as 17")
        return Place(line, self._path, int(line))

    def output(self, line: Line, level: int) -> PiOutput:
        """Claim an output."""
        claimed = self._lines[line] = PiOutput(self._free(line), self._pin(line), level)
        return claimed

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> PiOutput:
        """Claim a PWM output; lgpio makes the pulses in a thread of its own."""
        claimed = self._lines[line] = PiOutput(self._free(line), self._pin(line), duty, frequency_hz)
        return claimed

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> Input:
        """Claim an input; GPIO2 and GPIO3 are pulled up on the board."""
        self._free(line)
        fixed = self._pin(line).info.pull
        if fixed and pull not in ("none", fixed):
            raise HardwareError(f"line {line} has a resistor on the board that pulls it {fixed}")
        return super().input(line, fixed or pull, on_edge, debounce_s)

    def close(self) -> None:
        """Give all lines back and close the chip."""
        super().close()
        self._factory.close()

    def _pin(self, line: Line) -> Any:
        try:
            return self._factory.pin(f"GPIO{line}")
        except Exception as error:  # noqa: BLE001
            raise HardwareError(f"line {line}: {error}") from None
