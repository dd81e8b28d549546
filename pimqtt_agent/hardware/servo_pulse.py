"""A hobby servo on a PWM line: an angle is the width of a pulse, 50 times a second."""

from __future__ import annotations

from contextlib import suppress
from math import inf, nan

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board, Line

FREQUENCY_HZ = 50.0


class ServoPulse:
    """One servo. It is claimed without pulses: it does not move, and does not hold."""

    def __init__(self, board: Board, line: Line, angles: tuple[float, float], pulses_ms: tuple[float, float]) -> None:
        """Claim the line; the first angle (degrees) belongs to the first pulse (ms)."""
        self.deadline_s = inf
        self._angles = angles
        self._pulses_ms = pulses_ms
        self._duty = 0.0
        self._line = board.pwm(line, 0.0, FREQUENCY_HZ)

    def duty(self, angle: float) -> float:
        """Turn an angle into a duty."""
        (angle_0, angle_1), (pulse_0, pulse_1) = self._angles, self._pulses_ms
        pulse_ms = pulse_0 + (angle - angle_0) / (angle_1 - angle_0) * (pulse_1 - pulse_0)
        return pulse_ms / 1000 * FREQUENCY_HZ

    @property
    def pulsing(self) -> bool:
        """Whether it is driven."""
        return self._duty != 0

    def set(self, angle: float, until_s: float = inf) -> None:
        """Drive it to an angle, and let it go at a time."""
        self.deadline_s = until_s
        self._write(self.duty(angle))

    def tick(self, now: float) -> None:
        """Let it go when it is due."""
        if now >= self.deadline_s:
            self.release()

    def release(self) -> None:
        """End the pulses: an analog servo stops where it is and lets go, a digital one may go on holding."""
        self.deadline_s = inf
        self._write(0.0)

    def close(self) -> None:
        """End the pulses and give the line back, also if it is broken."""
        with suppress(HardwareError):
            self.release()
        self._line.close()

    def _write(self, duty: float) -> None:
        if duty != self._duty:
            self._duty = nan  # if the line fails, the next write is made in any case
            self._line.set(duty)
            self._duty = duty
