"""A DC motor on an H-bridge: two PWM inputs, or one for the direction and one for the speed."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from math import copysign, nan
from typing import Protocol

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.hardware.ramp import Ramp


class Bridge(Protocol):
    """One bridge, claimed coasting; speeds from -1 (backward) to 1 (forward)."""

    def set(self, speed: float) -> None:
        """Run at a speed; 0 coasts."""

    def stop(self) -> None:
        """Stop as configured."""

    def close(self) -> None:
        """Stop what moves, and give the lines back."""


class _Pwm:
    """A PWM line that is written on a change only."""

    def __init__(self, board: Board, line: Line, frequency_hz: float) -> None:
        self.duty = 0.0
        self._line = board.pwm(line, 0.0, frequency_hz)
        self.close = self._line.close

    def set(self, duty: float) -> None:
        duty = round(duty, 6)
        if duty == self.duty:
            return
        self.duty = nan  # if the line fails, the next write is made in any case
        self._line.set(duty)
        self.duty = duty


class TwoPwm:
    """Two inputs (L298, DRV8833, TB6612): both low coast, both high brake."""

    def __init__(self, board: Board, forward: Line, backward: Line, frequency_hz: float, *, brake: bool) -> None:
        """Claim both lines low."""
        self._brake = brake
        with ExitStack() as claims:
            self._forward = _Pwm(board, forward, frequency_hz)
            claims.callback(self._forward.close)
            self._backward = _Pwm(board, backward, frequency_hz)
            claims.callback(self._backward.close)
            self._claims = claims.pop_all()

    def set(self, speed: float) -> None:
        """Run at a speed; the line that goes low does so first."""
        if speed == 0:
            self._coast()
        elif speed > 0:
            self._backward.set(0.0)
            self._forward.set(speed)
        else:
            self._forward.set(0.0)
            self._backward.set(-speed)

    def stop(self) -> None:
        """Coast, or brake what moved; what stands is not braked, for that would jerk it."""
        if not self._brake:
            self._coast()
        elif self._forward.duty or self._backward.duty:
            driven, other = self._forward, self._backward
            if other.duty:
                driven, other = other, driven
            with ExitStack() as both:
                both.callback(other.set, 1.0)
                driven.set(1.0)

    def close(self) -> None:
        """Stop what moves, and give the lines back, also if they are broken."""
        with self._claims, suppress(HardwareError):
            if self._forward.duty != self._backward.duty:
                self._coast()

    def _coast(self) -> None:
        with ExitStack() as both:  # the second also if the first fails
            both.callback(self._backward.set, 0.0)
            self._forward.set(0.0)


class PhaseEnable:
    """A direction and a speed input (DRV8838, MDD10A); what its chip does when disabled is the chip's business."""

    def __init__(self, board: Board, phase: Line, enable: Line, frequency_hz: float) -> None:
        """Claim both lines low."""
        self._level = 0
        with ExitStack() as claims:
            self._enable = _Pwm(board, enable, frequency_hz)
            claims.callback(self._enable.close)
            self._phase = board.output(phase, self._level)
            claims.callback(self._phase.close)
            self._claims = claims.pop_all()

    def set(self, speed: float) -> None:
        """Run at a speed; the direction is only changed while it is disabled."""
        level = int(speed < 0)
        if speed and level != self._level:
            self._enable.set(0.0)
            self._phase.set(level)
            self._level = level
        self._enable.set(abs(speed))

    def stop(self) -> None:
        """Disable it."""
        self._enable.set(0.0)

    def close(self) -> None:
        """Stop, and give the lines back, also if they are broken."""
        with self._claims, suppress(HardwareError):
            self.stop()


class Wheel:
    """A bridge behind a ramp; whatever must be at once passes the ramp by."""

    def __init__(
        self, bridge: Bridge, rate_per_s: float | None = None, *, inverted: bool = False, dead_band: float = 0.0
    ) -> None:
        """Take the bridge. ``dead_band`` is the duty (0 to 1) at which the motor begins to turn."""
        self._bridge = bridge
        self._ramp = Ramp(rate_per_s, stop_at_zero=True)
        self._sign = -1.0 if inverted else 1.0
        self._dead_band = dead_band

    @property
    def deadline_s(self) -> float:
        """When ``tick`` is wanted, ``inf`` for never."""
        return self._ramp.deadline_s

    def to(self, speed: float, now: float, *, shaped: bool) -> None:
        """Run at a speed (-1 to 1); a stop is never shaped."""
        if shaped and speed:
            self._ramp.to(speed, now)
        else:
            self._ramp.jump(speed, now)
        self._apply()

    def scale(self, speed: float, now: float) -> None:
        """Follow a changed limit: slower at once, faster by the ramp."""
        slower = abs(speed) <= abs(self._ramp.value) and speed * self._ramp.value >= 0
        self.to(speed, now, shaped=not slower)

    def tick(self, now: float) -> None:
        """Go on with the ramp."""
        if now >= self._ramp.deadline_s:
            self._ramp.step(now)
            self._apply()

    def close(self) -> None:
        """Give the bridge back."""
        self._bridge.close()

    def _apply(self) -> None:
        speed = self._ramp.value
        if speed:
            duty = self._dead_band + (1 - self._dead_band) * abs(speed)
            self._bridge.set(self._sign * copysign(duty, speed))
        elif self._ramp.target:
            self._bridge.set(0.0)  # between two directions
        else:
            self._bridge.stop()
