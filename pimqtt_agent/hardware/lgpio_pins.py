"""gpiozero's lgpio pins as outputs, without their twitches. Importing this starts lgpio's threads.

What gpiozero's own class does, and a keeper must not: it claims each pin as an input first (an output that the last
process left high falls), sets an output low before its first state, knows a duty to 1 % only (10 degrees of a servo),
and turns a closed pin into an input.
"""

from __future__ import annotations

from typing import Any

import lgpio
from gpiozero.exc import PinUnknownPi
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin
from gpiozero.pins.local import LocalPiPin

#: What a board without a revision is taken for (a Pi 4B): all with a header of 40 pins have the same ones.
_REVISION = 0xC03115


class Pin(LGPIOPin):  # type: ignore[misc]
    """A pin that is claimed once, with its first level."""

    def __init__(self, factory: Any, info: Any) -> None:
        """Claim nothing yet."""
        LocalPiPin.__init__(self, factory, info)
        self._pwm: float | None = None
        self._where: tuple[int, int] | None = None
        self._pulses = False

    def output_with_state(self, state: int) -> None:
        """Claim an output with its first level, in one request."""
        where = (self.factory._handle, self._number)  # noqa: SLF001
        lgpio.gpio_claim_output(*where, int(state))
        self._where = where

    def _set_state(self, value: float) -> None:
        at = self._at()
        if self._pwm is None:
            lgpio.gpio_write(*at, int(value))
            return
        still = value <= 0 or value >= 1
        # A change of lgpio's pulses waits for the end of the period, so 0 and 1 are written at once besides. Pulses are
        # not ended before the pin is: when lgpio drops a record, its thread sleeps 20 ms and all other pulses hang.
        if self._pulses or not still:
            lgpio.tx_pwm(*at, self._pwm, value * 100)
            self._pulses = True
        if still:
            lgpio.gpio_write(*at, int(value >= 1))

    def _get_frequency(self) -> float | None:
        return self._pwm

    def _set_frequency(self, value: float | None) -> None:
        self._pwm = value

    def _at(self) -> tuple[int, int]:
        if self._where is None:
            raise lgpio.error("the line is closed")
        return self._where

    def close(self) -> None:
        """Give the line back; its level is left to the kernel's rule."""
        if self._where is not None:
            lgpio.gpio_free(*self._where)
        self._where = self._pwm = None
        self._pulses = False


class Factory(LGPIOFactory):  # type: ignore[misc]
    """The factory of such pins."""

    def __init__(self, chip: int) -> None:
        """Open the chip."""
        super().__init__(chip=chip)
        self.pin_class = Pin

    def _get_revision(self) -> int:
        try:
            return int(super()._get_revision())
        except PinUnknownPi:  # another system than Raspberry Pi's own may not tell it
            return _REVISION
