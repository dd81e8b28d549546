"""`drive`: a car, steered by the difference of two motors or by a servo."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from math import inf
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pimqtt_agent import entities
from pimqtt_agent.devices.base import Driver, Icon, Positive, Report
from pimqtt_agent.devices.motor import BridgeOptions, Frequency, Speed, stopped
from pimqtt_agent.devices.options import STOPPED, MotionDevice
from pimqtt_agent.entities import Decoded, Entity, figure, number, quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.hardware.hbridge import Wheel
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.hardware.servo_pulse import ServoPulse
from pimqtt_agent.rules import KEEP, Rules, Value

Angle = Annotated[float, Field(ge=-180, le=180)]
#: How long the steering is driven after a stop, so that it gets to the middle (s).
STRAIGHTEN_S = 0.5

WORDS: dict[str, tuple[float, float]] = {
    "forward": (0.0, 1.0),
    "backward": (0.0, -1.0),
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "stop": (0.0, 0.0),
}
_ARROWS = {"forward": "up", "backward": "down", "left": "left", "right": "right"}
_WORD = (
    "{% set x, y = value_json.x, value_json.y %}"
    "{% if x == 0 and y == 0 %}stopped"
    "{% elif y | abs >= x | abs %}{{ 'forward' if y > 0 else 'backward' }}"
    "{% else %}{{ 'right' if x > 0 else 'left' }}{% endif %}"
)


def mix(x: float, y: float) -> tuple[float, float]:
    """Turn a joystick (-1 to 1, +x right, +y forward) into the speeds of the left and the right wheel."""
    left, right = y + x, y - x
    largest = max(1.0, abs(left), abs(right))
    return left / largest, right / largest


class DriveEntity(Entity, frozen=True, kw_only=True):
    """A joystick: ``{"x": .., "y": ..}`` or a word. Home Assistant has no such entity, so it shows the direction."""

    platform: ClassVar[str] = "sensor"
    takes_commands: ClassVar[bool] = True

    def decode(self, raw: object, last: Value = None) -> Decoded:
        """Read x and y, both, or a word."""
        if isinstance(raw, str) and raw in WORDS:
            x, y = WORDS[raw]
            return {"x": x, "y": y}, None
        if not isinstance(raw, dict):
            raise CommandError("invalid", f"{quote(raw)} is not {{x, y}}, {', '.join(WORDS)}")
        if set(raw) != {"x", "y"}:
            raise CommandError("invalid", f"{quote(raw)}: a drive takes x and y, both and nothing else")
        value = {}
        for axis in ("x", "y"):
            part = number(raw[axis])
            if part is None:
                raise CommandError("invalid", f"{axis} {quote(raw[axis])} is not a number")
            value[axis] = part
        for axis, part in value.items():
            if abs(part) > 1:
                raise CommandError("out_of_range", f"{axis} {figure(part)} is not within -1 to 1")
        return value, None

    def encode(self, value: Value) -> str:
        """Write x and y."""
        return json.dumps(value)


class SteeringOptions(BaseModel):
    """A steering servo; angles are the servo's own, in degrees."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    pin: Line
    """The line of its pulses."""
    min_angle: Angle = -30
    """Full left."""
    max_angle: Angle = 30
    """Full right."""
    center: Angle | None = None
    """Straight on; the middle where it is left out."""
    min_pulse_ms: Annotated[float, Field(ge=0.2, le=5)] = 1.0
    """The pulse at -90 degrees."""
    max_pulse_ms: Annotated[float, Field(ge=0.2, le=5)] = 2.0
    """The pulse at 90 degrees."""
    inverted: bool = False
    """It is mounted the other way round."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min_angle <= self.middle <= self.max_angle or self.min_angle == self.max_angle:
            raise ValueError(
                f"center {self.middle:g} must lie between min_angle and max_angle; to swap sides use inverted"
            )
        if self.min_pulse_ms >= self.max_pulse_ms:
            raise ValueError("min_pulse_ms must be below max_pulse_ms; to swap sides use inverted")
        return self

    @property
    def middle(self) -> float:
        """The angle of going straight on."""
        return (self.min_angle + self.max_angle) / 2 if self.center is None else self.center

    def angle(self, x: float) -> float:
        """Turn -1 (left) to 1 (right) into an angle."""
        side = self.max_angle if x > 0 else self.min_angle
        return self.middle + abs(x) * (side - self.middle)

    def servo(self, board: Board) -> ServoPulse:
        """Claim its line without pulses."""
        angles = (90.0, -90.0) if self.inverted else (-90.0, 90.0)
        return ServoPulse(board, self.pin, angles, (self.min_pulse_ms, self.max_pulse_ms))


class Drive(MotionDevice, kind="drive"):
    """A car: `left` and `right` motors, or a `motor` and `steering`."""

    example: ClassVar[str] = (
        "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}"
    )
    off: ClassVar[Value] = {"x": 0.0, "y": 0.0}
    levels: ClassVar[dict[str, Any]] = STOPPED

    left: BridgeOptions | None = None
    """The left motor."""
    right: BridgeOptions | None = None
    """The right motor."""
    motor: BridgeOptions | None = None
    """The only motor of a car with a steering servo."""
    steering: SteeringOptions | None = None
    """The steering servo."""
    speed_limit: Speed = 100
    """The highest speed in percent; Home Assistant can lower it while it drives."""
    trim: Annotated[float, Field(ge=-100, le=100)] = 0
    """Corrects a car that does not go straight: above 0 pulls right (the right motor turns so many percent slower)."""
    ramp: Positive | None = None
    """How fast speeds may change, in percent per second; at once where it is left out. A stop is always at once."""
    stop: Literal["coast", "brake"] = "coast"
    """How it stops: run out, or be shorted."""
    frequency: Frequency = 200
    """The motors' PWM frequency in Hz."""
    icon: Icon = "mdi:car"
    """Its icon (`mdi:tank`)."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = {key for key in ("left", "right", "motor", "steering") if getattr(self, key) is not None}
        if given not in ({"left", "right"}, {"motor", "steering"}):
            names = " and ".join(sorted(given)) or "no motor"
            raise ValueError(f"{names} given: a drive needs left and right, or motor and steering")
        return self

    @classmethod
    def level(cls, raw: object) -> Value:
        """Take nothing but stopped."""
        if stopped(raw) or raw == cls.off:
            return dict(cls.off)
        raise ValueError("Input is no place to rest: a drive rests at 0, off or stop only")

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim the motors' lines and the steering's."""
        for key, bridge in self.bridges():
            for name, line in bridge.pins():
                yield f"{key}.{name}", line
        if self.steering:
            yield "steering.pin", self.steering.pin

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Tell what the motors or the steering can't do."""
        yield from super().mistakes()
        for _, bridge in self.bridges():
            yield from bridge.brake_mistakes(self.stop)
        if self.steering and self.trim:
            yield "trim", "trim is for two motors; with steering set steering.center"

    def entities(self) -> tuple[Entity, ...]:
        """One joystick, a button for each word, and the speed limit."""
        limit = float(self.speed_limit)
        buttons = (
            entities.Button(key=word, name=word.capitalize(), icon=f"mdi:arrow-{arrow}", target="", payload_press=word)
            for word, arrow in _ARROWS.items()
        )
        return (
            DriveEntity(rules=self.rules(), icon=self.icon, value_template=_WORD),
            *buttons,
            entities.Button(key="halt", name="Stop", icon="mdi:stop", target="", payload_press="stop"),
            entities.Number(
                key="limit",
                name="Speed limit",
                icon="mdi:speedometer",
                entity_category="config",
                rules=Rules(safe=limit, off=limit, initial=limit, on_stop=KEEP, setting=True),
                max=limit,
                unit_of_measurement="%",
            ),
        )

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the lines, stopped."""
        return DriveDriver(self, board, float(first["limit"]))

    def wheel(self, board: Board, options: BridgeOptions) -> Wheel:
        """Claim one motor."""
        bridge = options.bridge(board, self.frequency, brake=self.stop == "brake")
        return Wheel(bridge, self.ramp / 100 if self.ramp else None, inverted=options.inverted)

    def bridges(self) -> Iterator[tuple[str, BridgeOptions]]:
        """Name the motors, in the order of their speeds."""
        for key, bridge in (("left", self.left), ("right", self.right), ("motor", self.motor)):
            if bridge:
                yield key, bridge


class DriveDriver(Driver):
    """Two wheels, or one and a steering servo."""

    def __init__(self, device: Drive, board: Board, limit: float) -> None:
        """Claim the lines."""
        self._x = self._y = 0.0
        self._limit = limit
        self._factors = (1.0 - max(0.0, -device.trim) / 100, 1.0 - max(0.0, device.trim) / 100)
        self._wheels: list[Wheel] = []
        self._steering = device.steering
        self._servo: ServoPulse | None = None
        with ExitStack() as claims:
            for _, bridge in device.bridges():
                self._wheels.append(device.wheel(board, bridge))
                claims.callback(self._wheels[-1].close)
            if device.steering:
                self._servo = device.steering.servo(board)
                claims.callback(self._servo.close)
            self._claims = claims.pop_all()

    def drive(
        self, key: str, value: Value, now: float, *, shaped: bool = False, transition_s: float | None = None
    ) -> None:
        """Go where the joystick points, or take another limit."""
        if key == "limit":
            self._limit = float(value)
            for wheel, speed in zip(self._wheels, self._speeds(), strict=True):
                wheel.scale(speed, now)
        else:
            self._x, self._y = float(value["x"]), float(value["y"])
            with ExitStack() as parts:  # one part that fails must not keep the others from stopping; last in, first out
                if self._steering and self._servo:
                    until_s = inf if self._x or self._y else now + STRAIGHTEN_S
                    parts.callback(self._servo.set, self._steering.angle(self._x), until_s)
                for wheel, speed in zip(self._wheels, self._speeds(), strict=True):
                    parts.callback(wheel.to, speed, now, shaped=shaped)
        self._schedule()

    def state(self, key: str) -> Value:
        """Return what was set."""
        return self._limit if key == "limit" else {"x": self._x, "y": self._y}

    def tick(self, now: float) -> None:
        """Go on with ramps and the steering."""
        for wheel in self._wheels:
            wheel.tick(now)
        if self._servo:
            self._servo.tick(now)
        self._schedule()

    def close(self) -> None:
        """Give the lines back."""
        self._claims.close()

    def _speeds(self) -> tuple[float, ...]:
        limit = self._limit / 100
        if self._steering:
            return (self._y * limit,)
        return tuple(speed * factor * limit for speed, factor in zip(mix(self._x, self._y), self._factors, strict=True))

    def _schedule(self) -> None:
        due_s = min(wheel.deadline_s for wheel in self._wheels)
        self.deadline_s = min(due_s, self._servo.deadline_s) if self._servo else due_s
