"""`switch`: a relay, a valve, an LED; a door opener with `pulse`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pimqtt_agent import entities
from pimqtt_agent.devices.base import Driver, Icon, Report
from pimqtt_agent.devices.options import ON_OFF, OutputDevice, on_off
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.rules import MIN_TTL_S, Ttl, Value


class Switch(OutputDevice, kind="switch"):
    """An output that is on or off."""

    example: ClassVar[str] = "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}"
    levels: ClassVar[dict[str, Any]] = ON_OFF

    pin: Line
    """The line it drives."""
    active_low: bool = False
    """It is on when the line is low (most relay boards)."""
    pulse: Annotated[float, Field(ge=MIN_TTL_S, allow_inf_nan=False)] | None = None
    """It goes off by itself after so many seconds and takes no longer TTL (a door opener)."""
    device_class: Literal["outlet", "switch"] | None = None
    """What Home Assistant shows it as."""
    icon: Icon | None = None
    """An icon (`mdi:pump`)."""

    @classmethod
    def level(cls, raw: object) -> Value:
        """Read on or off."""
        return on_off(raw)

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim one line."""
        yield "pin", self.pin

    def entities(self) -> tuple[entities.Entity, ...]:
        """One switch."""
        return (entities.Switch(rules=self.rules(), device_class=self.device_class, icon=self.icon),)

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the line at its first level."""
        return SwitchDriver(self, board, first[""])

    def _ttl_mistakes(self, ttl: Ttl) -> Iterator[tuple[str, str]]:
        if not self.pulse:
            yield from super()._ttl_mistakes(ttl)
        elif self.ttl.model_fields_set:
            yield "ttl", "pulse is the only TTL; leave ttl out"

    def _ttl(self) -> Ttl:
        return Ttl(default=self.pulse, max=self.pulse) if self.pulse else super()._ttl()


class SwitchDriver(Driver):
    """Sets one line."""

    def __init__(self, device: Switch, board: Board, first: Value) -> None:
        """Claim it."""
        self._active_low = device.active_low
        self._value = bool(first)
        self._line = board.output(device.pin, self._level())

    def drive(
        self, key: str, value: Value, now: float, *, shaped: bool = False, transition_s: float | None = None
    ) -> None:
        """Set the level; there is nothing to shape."""
        self._value = bool(value)
        self._line.set(self._level())

    def state(self, key: str) -> Value:
        """Return what was set."""
        return self._value

    def close(self) -> None:
        """Give the line back."""
        self._line.close()

    def _level(self) -> int:
        return int(self._value != self._active_low)
