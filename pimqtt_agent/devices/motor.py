"""`motor`: a DC motor on an H-bridge, from full backward to full forward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pimqtt_agent import entities
from pimqtt_agent.devices.base import Driver, Icon, Positive, Report
from pimqtt_agent.devices.options import STOPPED, MotionDevice
from pimqtt_agent.hardware.hbridge import Bridge, PhaseEnable, TwoPwm, Wheel
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.rules import Value

Percent = Annotated[float, Field(ge=0, le=100)]
Speed = Annotated[float, Field(gt=0, le=100)]
Frequency = Annotated[float, Field(gt=0, le=20_000)]


class BridgeOptions(BaseModel):
    """How a motor hangs on its H-bridge: by `forward` and `backward`, or by `phase` and `enable`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    forward: Line | None = None
    """The line that drives it forward (IN1)."""
    backward: Line | None = None
    """The line that drives it backward (IN2)."""
    phase: Line | None = None
    """The line that says the direction; low is forward."""
    enable: Line | None = None
    """The line that says the speed."""
    inverted: bool = False
    """It turns the other way."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = {key for key in ("forward", "backward", "phase", "enable") if getattr(self, key) is not None}
        if given not in ({"forward", "backward"}, {"phase", "enable"}):
            names = " and ".join(sorted(given)) or "no line"
            raise ValueError(f"{names} given: a motor needs forward and backward, or phase and enable")
        return self

    def pins(self) -> Iterator[tuple[str, Line]]:
        """Name its lines."""
        for key in ("forward", "backward", "phase", "enable"):
            line = getattr(self, key)
            if line is not None:
                yield key, line

    def bridge(self, board: Board, frequency_hz: float, *, brake: bool) -> Bridge:
        """Claim its lines, stopped."""
        if self.forward is not None and self.backward is not None:
            return TwoPwm(board, self.forward, self.backward, frequency_hz, brake=brake)
        assert self.phase is not None
        assert self.enable is not None
        return PhaseEnable(board, self.phase, self.enable, frequency_hz)

    def brake_mistakes(self, stop: str) -> Iterator[tuple[str, str]]:
        """Tell that this bridge can't be told to brake."""
        if stop == "brake" and self.phase is not None:
            yield "stop", "stop: brake needs forward and backward; with phase and enable the driver chip decides"


def stopped(raw: object) -> bool:
    """Whether a value of the configuration means stopped."""
    return raw is False or (isinstance(raw, int | float) and raw is not True and raw == 0) or raw in ("off", "stop")


class Motor(BridgeOptions, MotionDevice, kind="motor"):
    """A motor that runs as long as it is commanded."""

    example: ClassVar[str] = "{id: fan, kind: motor, forward: 23, backward: 24, deadman: 0.5}"
    off: ClassVar[Value] = 0.0
    levels: ClassVar[dict[str, Any]] = STOPPED

    frequency: Frequency = 200
    """The PWM frequency in Hz."""
    ramp: Positive | None = None
    """How fast its speed may change, in percent per second; at once where it is left out. A stop is always at once."""
    stop: Literal["coast", "brake"] = "coast"
    """How it stops: run out, or be shorted."""
    min_pct: Percent = 0
    """The duty in percent at which it begins to turn; all speeds lie above it."""
    speed: Speed = 100
    """What `forward` and `backward` mean, in percent."""
    icon: Icon = "mdi:engine"
    """Its icon (`mdi:fan`)."""

    @classmethod
    def level(cls, raw: object) -> Value:
        """Take nothing but stopped."""
        if stopped(raw):
            return 0.0
        raise ValueError("Input is no place to rest: a motor rests at 0, off or stop only")

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim two lines."""
        yield from self.pins()

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Tell what the bridge can't do."""
        yield from super().mistakes()
        yield from self.brake_mistakes(self.stop)

    def entities(self) -> tuple[entities.Entity, ...]:
        """One number, and a button that stops it."""
        words = (("forward", float(self.speed)), ("backward", -float(self.speed)), ("stop", 0.0))
        return (
            entities.Number(
                rules=self.rules(),
                words=words,
                min=-100,
                max=100,
                mode="slider",
                unit_of_measurement="%",
                icon=self.icon,
            ),
            entities.Button(key="halt", name="Stop", icon="mdi:stop", target="", payload_press="stop"),
        )

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the lines, stopped."""
        return MotorDriver(self, board)


class MotorDriver(Driver):
    """Runs one wheel."""

    def __init__(self, device: Motor, board: Board) -> None:
        """Claim it."""
        self._value = 0.0
        self._wheel = Wheel(
            device.bridge(board, device.frequency, brake=device.stop == "brake"),
            device.ramp / 100 if device.ramp else None,
            inverted=device.inverted,
            dead_band=device.min_pct / 100,
        )

    def drive(
        self, key: str, value: Value, now: float, *, shaped: bool = False, transition_s: float | None = None
    ) -> None:
        """Run at a speed (%); the state is the speed that is aimed at."""
        self._value = float(value)
        self._wheel.to(self._value / 100, now, shaped=shaped)
        self.deadline_s = self._wheel.deadline_s

    def state(self, key: str) -> Value:
        """Return the speed that was set."""
        return self._value

    def tick(self, now: float) -> None:
        """Go on with the ramp."""
        self._wheel.tick(now)
        self.deadline_s = self._wheel.deadline_s

    def close(self) -> None:
        """Give the lines back."""
        self._wheel.close()
