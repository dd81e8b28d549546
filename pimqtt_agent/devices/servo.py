"""`servo`: a hobby servo that is sent to an angle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Annotated, Any, ClassVar, Self

from msgspec import structs
from pydantic import Field, model_validator

from pimqtt_agent import entities
from pimqtt_agent.devices.base import Driver, Icon, Positive, Report
from pimqtt_agent.devices.options import OutputDevice
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.hardware.ramp import Ramp
from pimqtt_agent.hardware.servo_pulse import ServoPulse
from pimqtt_agent.rules import MIN_TTL_S, Motion, Ttl, Value

Angle = Annotated[float, Field(ge=-360, le=360)]
Pulse = Annotated[float, Field(ge=0.2, le=5)]

#: The longest travel where nothing is known about the servo (s).
TRAVEL_S = 1.0
#: What is added to a travel at a known speed, for the servo to settle (s).
SETTLE_S = 0.3
#: A lease counts from the command's receipt, so a servo has arrived by this much before its lease ends (s).
LATE_S = 0.25
#: How often the angle is told while it moves (s).
TELL_S = 0.25


class Servo(OutputDevice, kind="servo"):
    """A servo. A command is one movement: it ends where it is when its time is over."""

    example: ClassVar[str] = "{id: arm, kind: servo, pin: 12, min_angle: -90, max_angle: 90, speed: 60}"
    motion: ClassVar[Motion] = Motion.BOUNDED
    off: ClassVar[Value] = None
    levels: ClassVar[dict[str, Any]] = {"enum": [None, False, "off", "stop"]}

    pin: Line
    """The line of its pulses."""
    min_angle: Angle = -90
    """The smallest angle, in degrees."""
    max_angle: Angle = 90
    """The largest angle, in degrees."""
    min_pulse_ms: Pulse = 1.0
    """The pulse at the smallest angle, in milliseconds; it may be the longer one."""
    max_pulse_ms: Pulse = 2.0
    """The pulse at the largest angle, in milliseconds."""
    speed: Positive | None = None
    """Degrees per second; as fast as the servo can where it is left out. The first movement after a start always is."""
    travel_s: Annotated[float, Field(ge=MIN_TTL_S, le=600)] | None = None
    """The longest movement, in seconds: 1, or what the whole range takes at `speed`."""
    detach: bool | Annotated[float, Field(gt=0, le=3600)] = True
    """Whether its pulses end after a movement, or how many seconds after it. Without pulses a servo is quiet, and an
    analog one holds nothing."""
    icon: Icon = "mdi:angle-acute"
    """Its icon (`mdi:robot-industrial`)."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_angle >= self.max_angle:
            raise ValueError(f"min_angle {self.min_angle:g} must be below max_angle {self.max_angle:g}")
        if self.min_pulse_ms == self.max_pulse_ms:
            raise ValueError("min_pulse_ms and max_pulse_ms must differ")
        return self

    @classmethod
    def level(cls, raw: object) -> Value:
        """Take nothing but stopped; 0 is an angle here."""
        if raw is None or raw is False or raw in ("off", "stop"):
            return None
        raise ValueError("Input is no place to rest: a servo rests where it is; leave it out, or write stop")

    @property
    def longest_s(self) -> float:
        """The longest movement (s)."""
        if self.travel_s is not None:
            return self.travel_s
        return TRAVEL_S if self.speed is None else (self.max_angle - self.min_angle) / self.speed + SETTLE_S

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim one line."""
        yield "pin", self.pin

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Tell a travel that is too short."""
        yield from super().mistakes()
        if self.speed and self.travel_s:
            whole_s = (self.max_angle - self.min_angle) / self.speed
            if self.travel_s < whole_s:
                yield "travel_s", f"{self.travel_s:g}: the whole range takes {whole_s:g} s at speed {self.speed:g}"

    def entities(self) -> tuple[entities.Entity, ...]:
        """One number, and a button that stops it."""
        return (
            entities.Number(
                rules=self.rules(),
                words=(("stop", None),),
                min=self.min_angle,
                max=self.max_angle,
                mode="slider",
                unit_of_measurement="°",
                icon=self.icon,
            ),
            entities.Button(key="halt", name="Stop", icon="mdi:stop", target="", payload_press="stop"),
        )

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the line without pulses: nothing moves until the first command."""
        return ServoDriver(self, board, report)

    def _ttl(self) -> Ttl:
        ttl = super()._ttl()
        longest_s = self.longest_s if ttl.max is None else ttl.max
        return structs.replace(ttl, default=ttl.default or min(max(self.longest_s, ttl.min), longest_s), max=longest_s)


class ServoDriver(Driver):
    """Sends one servo. At a speed each step is ours; without one its way is unknown until its time is over."""

    def __init__(self, device: Servo, board: Board, report: Report) -> None:
        """Claim the line."""
        angles, pulses_ms = (device.min_angle, device.max_angle), (device.min_pulse_ms, device.max_pulse_ms)
        self._servo = ServoPulse(board, device.pin, angles, pulses_ms)
        self._report = report
        self._device = device
        self._angle: Ramp | None = None
        self._arrival_s = -inf
        self._told_s = -inf

    def drive(
        self, key: str, value: Value, now: float, *, shaped: bool = False, transition_s: float | None = None
    ) -> None:
        """Send it to an angle, or let it stay where it is."""
        if value is None:
            self._stay(now)
        elif self._angle and self._device.speed and shaped:
            self._angle.to(float(value), now)
            self._servo.set(self._angle.value)
            self._told_s = now
        else:
            self._angle = Ramp(self._device.speed, float(value))
            longest_s = self._device.longest_s
            self._arrival_s = now + longest_s - min(LATE_S, longest_s / 4)
            self._servo.set(float(value))
        self._schedule()

    def state(self, key: str) -> Value:
        """Return the angle, None while it is unknown."""
        return self._angle.value if self._angle else None

    def tick(self, now: float) -> None:
        """Go on with the movement; end the pulses when it is time."""
        angle = self._angle
        if angle and now >= angle.deadline_s:
            angle.step(now)
            self._servo.set(angle.value)
            if angle.value == angle.target or now >= self._told_s + TELL_S:
                self._told_s = now
                self._report.state("", angle.value)
        self._servo.tick(now)
        self._schedule()

    def close(self) -> None:
        """End the pulses and give the line back."""
        self._servo.close()

    def _stay(self, now: float) -> None:
        if self._angle is None or not self._servo.pulsing:
            return
        if now < self._arrival_s:
            self._servo.release()  # on its way: only without pulses it does not go on
            self._angle = None
            return
        angle, detach = self._angle.value, self._device.detach
        self._angle.jump(angle, now)
        if detach is True:
            self._servo.release()
        elif detach is not False:
            self._servo.set(angle, now + detach)

    def _schedule(self) -> None:
        self.deadline_s = min(self._servo.deadline_s, self._angle.deadline_s if self._angle else inf)
