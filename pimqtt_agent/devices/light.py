"""`light`: a dimmable lamp on one PWM line, or red, green and blue on three."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Annotated, Any, ClassVar, Self, TypeGuard

from msgspec import structs
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pimqtt_agent.devices.base import Driver, Icon, Report
from pimqtt_agent.devices.options import ON_OFF, OutputDevice, on_off
from pimqtt_agent.entities import Decoded, Entity, figure, names, number, quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.rules import Rules, Value

FULL = 255
#: How often a transition goes on (s), and how many steps a long one has.
STEP_S = 0.02
STEPS = 2000
#: The longest transition (s); Home Assistant sends none that is longer.
LONGEST_S = 6553.0
Transition = Annotated[float, Field(ge=0, le=LONGEST_S)]

_BRIGHTNESS = {"type": "integer", "minimum": 1, "maximum": FULL}
_DIMMED = {
    "type": "object", "properties": {"on": {"const": True}, "brightness": _BRIGHTNESS}, "additionalProperties": False,
}  # fmt: skip
_WHITE = [FULL, FULL, FULL]
_COLORS = ("r", "g", "b")


class LightEntity(Entity, frozen=True, kw_only=True):
    """ON, OFF or Home Assistant's JSON; the value is ``{"on": False}`` or on with ``brightness`` and ``rgb``."""

    platform: ClassVar[str] = "light"
    takes_commands: ClassVar[bool] = True

    INTERNAL: ClassVar[frozenset[str]] = Entity.INTERNAL | {"rgb"}
    rgb: bool = False
    schema: str = "json"
    supported_color_modes: tuple[str, ...] = ("brightness",)
    #: without it Home Assistant dims a colour by darkening it, and brightness gets lost
    brightness: bool = True
    brightness_scale: int = FULL
    transition: bool = True
    flash: bool = False

    def decode(self, raw: object, last: Value = None) -> Decoded:
        """Read a command; what it leaves open is as it last was when on, else full."""
        message = {"state": raw} if isinstance(raw, str) else raw
        if not isinstance(message, dict) or message.get("state") not in ("ON", "OFF"):
            raise CommandError("invalid", f'{quote(raw)} is not ON, OFF or {{"state": "ON"}}')
        on = message["state"] == "ON"
        allowed = {"state", "transition", *(("brightness",) if on else ()), *(("color",) if on and self.rgb else ())}
        unknown = set(message) - allowed
        if unknown:
            takes = f"{message['state']} takes {', '.join(sorted(allowed))} here"
            raise CommandError("invalid", f"{names(unknown)}: {takes}")
        transition_s, wholes = _read(message)
        if not on:
            return {"on": False}, transition_s
        last = last if isinstance(last, dict) and last.get("on") else {}
        value = {"on": True, "brightness": wholes.get("brightness", last.get("brightness", FULL))}
        if self.rgb:
            color = [wholes[key] for key in _COLORS] if "color" in message else last.get("rgb", _WHITE)
            value["rgb"] = list(color)
        return value, transition_s

    def encode(self, value: Value) -> str:
        """Write Home Assistant's JSON."""
        mode = {"color_mode": "rgb" if self.rgb else "brightness"} if value["on"] else {}
        return json.dumps(self._command(value) | mode)

    def quoted(self, value: Value) -> str:
        """Write a value in a reason as Home Assistant commands it."""
        return json.dumps(self._command(value)) if value["on"] else "OFF"

    def _command(self, value: Value) -> dict[str, Any]:
        if not value["on"]:
            return {"state": "OFF"}
        color = {"color": dict(zip(_COLORS, value["rgb"], strict=True))} if self.rgb else {}
        return {"state": "ON", "brightness": value["brightness"], **color}


def _whole(raw: object) -> TypeGuard[int]:
    return isinstance(raw, int) and not isinstance(raw, bool)


def _read(message: dict[str, Any]) -> tuple[float | None, dict[str, int]]:
    """Read the transition (s), brightness, r, g and b: first what is no number, then what is out of range."""
    transition_s = number(message["transition"]) if "transition" in message else None
    if "transition" in message and transition_s is None:
        raise CommandError("invalid", f"transition {quote(message['transition'])} is not a number of seconds")
    wholes = {"brightness": message["brightness"]} if "brightness" in message else {}
    if "color" in message:
        color = message["color"]
        if not isinstance(color, dict) or set(color) != set(_COLORS):
            raise CommandError("invalid", f"color {quote(color)} is not {{r, g, b}}")
        wholes |= color
    for key, raw in wholes.items():
        if not _whole(raw):
            raise CommandError("invalid", f"{key} {quote(raw)} is not a whole number")
    for key, raw in wholes.items():
        least = 1 if key == "brightness" else 0
        if not least <= raw <= FULL:
            raise CommandError("out_of_range", f"{key} {quote(raw)} is not within {least} to {FULL}")
    if transition_s is not None and not 0 <= transition_s <= LONGEST_S:
        raise CommandError("out_of_range", f"transition {figure(transition_s)} is not within 0 to {LONGEST_S:g} s")
    return transition_s, wholes


class RgbPins(BaseModel):
    """The lines of a coloured light."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    red: Line
    """The line of red."""
    green: Line
    """The line of green."""
    blue: Line
    """The line of blue."""


class Light(OutputDevice, kind="light"):
    """A light that is dimmed, coloured where it has `rgb`."""

    example: ClassVar[str] = "{id: lamp, kind: light, pin: 18}"
    off: ClassVar[Value] = {"on": False}
    levels: ClassVar[dict[str, Any]] = {
        "anyOf": [ON_OFF, {**_DIMMED, "required": ["brightness"]}, {"const": {"on": False}}]
    }

    pin: Line | None = None
    """The line it drives; or `rgb`."""
    rgb: RgbPins | None = None
    """The three lines of a coloured light."""
    active_low: bool = False
    """It is on when the lines are low."""
    frequency: Annotated[float, Field(gt=0, le=20_000)] = 500
    """The PWM frequency in Hz."""
    transition: Transition = 0
    """How many seconds a command takes that names no transition."""
    gamma: Annotated[float, Field(ge=1, le=4)] = 1
    """Bends the dimming to what eyes see: 1 is straight, 2.2 to 2.8 looks even."""
    icon: Icon | None = None
    """An icon (`mdi:lamp`)."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.pin is None) == (self.rgb is None):
            what = "no line" if self.pin is None else "pin and rgb"
            raise ValueError(f"{what} given: a light needs pin, or rgb with red, green and blue")
        return self

    @classmethod
    def level(cls, raw: object) -> Value:
        """Read on, off or a brightness."""
        if isinstance(raw, dict):
            brightness = raw.get("brightness")
            if raw == cls.off:
                return dict(cls.off)
            on = {"on": True, "brightness": brightness}
            if _whole(brightness) and 1 <= brightness <= FULL and {"on": True, **raw} == on:
                return on
            raise ValueError(f"Input is not on, off or {{brightness: 1..{FULL}}}")
        return {"on": True, "brightness": FULL} if on_off(raw) else {"on": False}

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim one line or three."""
        if self.pin is not None:
            yield "pin", self.pin
        for color in ("red", "green", "blue") if self.rgb else ():
            yield f"rgb.{color}", getattr(self.rgb, color)

    def rules(self) -> Rules:
        """Make the rules of the light; a coloured one is white where the configuration says on."""
        rules = super().rules()
        if not self.rgb:
            return rules
        lost = rules.on_disconnect
        return structs.replace(
            rules,
            safe=_coloured(rules.safe),
            initial=_coloured(rules.initial),
            on_stop=_coloured(rules.on_stop),
            on_disconnect=structs.replace(lost, value=_coloured(lost.value)) if lost else None,
        )

    def entities(self) -> tuple[Entity, ...]:
        """One light."""
        modes = ("rgb",) if self.rgb else ("brightness",)
        return (LightEntity(rules=self.rules(), rgb=bool(self.rgb), supported_color_modes=modes, icon=self.icon),)

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim each line at its first level."""
        return LightDriver(self, board, first[""])


def _coloured(value: Value) -> Value:
    return {"rgb": _WHITE, **value} if isinstance(value, dict) and value["on"] else value


class LightDriver(Driver):
    """Fades its lines from where they are to where they should be."""

    def __init__(self, device: Light, board: Board, first: Value) -> None:
        """Claim the lines."""
        self._value = first
        self._device = device
        self._parts = self._aim(first)
        self._from = self._to = self._parts
        self._start_s = 0.0
        self._length_s = 0.0
        self._lines = []
        with ExitStack() as claims:
            for (_, line), part in zip(device.lines(), self._parts, strict=True):
                self._lines.append(board.pwm(line, self._duty(part), device.frequency))
                claims.callback(self._lines[-1].close)
            self._claims = claims.pop_all()

    def drive(
        self, key: str, value: Value, now: float, *, shaped: bool = False, transition_s: float | None = None
    ) -> None:
        """Go to a value, by a transition where there may be one. The state is the value that is aimed at."""
        self._value = value
        self._from, self._to, self._start_s = self._parts, self._aim(value), now
        configured_s = self._device.transition if transition_s is None else transition_s
        self._length_s = configured_s if shaped else 0.0
        self.deadline_s = now
        self.tick(now)

    def state(self, key: str) -> Value:
        """Return what was set."""
        return self._value

    def tick(self, now: float) -> None:
        """Go on with the transition; it begins with the command."""
        if now < self.deadline_s:
            return
        passed_s = now - self._start_s + STEP_S
        part = passed_s / self._length_s if passed_s < self._length_s else 1.0
        self.deadline_s = now + max(STEP_S, self._length_s / STEPS) if part < 1 else math.inf
        self._set(tuple(start + (end - start) * part for start, end in zip(self._from, self._to, strict=True)))

    def close(self) -> None:
        """Give the lines back."""
        self._claims.close()

    def _set(self, parts: tuple[float, ...]) -> None:
        with ExitStack() as lines:  # the others also if one fails
            for line, part, before in zip(self._lines, parts, self._parts, strict=True):
                if part != before:
                    lines.callback(line.set, self._duty(part))
            self._parts = parts

    def _aim(self, value: Value) -> tuple[float, ...]:
        brightness = value["brightness"] / FULL if value["on"] else 0.0
        colors = value.get("rgb", _WHITE) if self._device.rgb else (FULL,)
        return tuple(brightness * color / FULL for color in colors)

    def _duty(self, part: float) -> float:
        duty = math.pow(part, self._device.gamma)
        return 1.0 - duty if self._device.active_low else duty
