"""What a device is to the outside: one declaration per HA entity. Pure.

Field names are Home Assistant's discovery keys; what discovery must not carry stands in ``INTERNAL``. Topics, parsing,
validation, discovery and documentation are all derived from these.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import Rules, Value

#: What a codec makes of a payload: the value, and the transition that the command asks for (s).
Decoded = tuple[Value, float | None]

#: Digits stand in one place only: what could be split in many ways takes minutes where it is long and no number.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def quote(raw: object) -> str:
    """Quote what a user sent, shortened."""
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."


def names(keys: Iterable[str]) -> str:
    """Quote keys that a user sent, not all where they are many."""
    found = [quote(key) for key in sorted(keys)]
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def shortened(raw: Any) -> Any:
    """Repeat what was sent, unless it is long."""
    return quote(raw) if len(str(raw)) > 200 else raw


def figure(value: float) -> str:
    """Write a number as it was sent, all its digits, without a needless tail."""
    return repr(float(value)).removesuffix(".0")


def quoted(value: Value) -> str:
    """Write a value that was read already as a user does: a word, a number, JSON."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    if value is None:
        return "stop"
    return figure(value) if isinstance(value, int | float) else json.dumps(value)


def number(raw: object) -> float | None:
    """Read a finite number, strictly: JSON's, or a plain text that is nothing else."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        value = float(raw) + 0.0 if abs(raw) <= sys.float_info.max else math.inf  # -0.0 becomes 0.0
        return value if math.isfinite(value) else None
    return None


def from_text(text: str) -> str | float:
    """Turn a plain payload into a number where it is one."""
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else text
    return text


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One HA entity. ``key`` is empty for a device's main entity; ``rules`` make it an output under leases."""

    platform: ClassVar[str]
    #: the last level of its state's topic; None: it has none
    state_level: ClassVar[str | None] = "state"
    state_key: ClassVar[str] = "state_topic"
    takes_commands: ClassVar[bool] = False
    #: fields that are not discovery keys
    INTERNAL: ClassVar[frozenset[str]] = frozenset({"key", "rules", "retained"})

    key: str = ""
    rules: Rules | None = None
    retained: bool = True
    name: str | None = None
    icon: str | None = None
    device_class: str | None = None
    entity_category: str | None = None
    enabled_by_default: bool | None = None
    value_template: str | None = None

    def decode(self, raw: object, last: Value = None) -> Decoded:  # noqa: ARG002
        """Read a command's value; ``last`` completes what a light leaves open. Raises ``CommandError``."""
        raise CommandError("invalid", f"{quote(raw)}: this takes no commands")

    def encode(self, value: Value) -> str:
        """Write a value as it stands on the state topic."""
        return "None" if value is None else str(value)

    def quoted(self, value: Value) -> str:
        """Write a value in a reason, as a user does in a command."""
        return quoted(value)

    def options(self) -> dict[str, Any]:
        """Return the discovery keys that the declaration gives, without those that are unset."""
        return {
            name: value
            for name in self.__struct_fields__
            if name not in self.INTERNAL and (value := getattr(self, name)) is not None
        }


class Switch(Entity, frozen=True, kw_only=True):
    """ON or OFF; the value is a bool."""

    platform: ClassVar[str] = "switch"
    takes_commands: ClassVar[bool] = True

    def decode(self, raw: object, last: Value = None) -> Decoded:  # noqa: ARG002
        """ON or OFF, nothing else."""
        if raw == "ON":
            return True, None
        if raw == "OFF":
            return False, None
        raise CommandError("invalid", f"{quote(raw)} is not ON or OFF")

    def encode(self, value: Value) -> str:
        """ON or OFF."""
        return "ON" if value else "OFF"


class BinarySensor(Entity, frozen=True, kw_only=True):
    """ON or OFF, read only; the value is a bool or None (unknown)."""

    platform: ClassVar[str] = "binary_sensor"
    expire_after: int | None = None
    payload_on: str | None = None
    payload_off: str | None = None

    def encode(self, value: Value) -> str:
        """ON, OFF or None."""
        return "None" if value is None else "ON" if value else "OFF"


class Sensor(Entity, frozen=True, kw_only=True):
    """A reading; the value is a number, a text or None (unknown)."""

    platform: ClassVar[str] = "sensor"
    unit_of_measurement: str | None = None
    state_class: str | None = None
    suggested_display_precision: int | None = None
    expire_after: int | None = None
    json_attributes_template: str | None = None

    def encode(self, value: Value) -> str:
        """Write numbers without a needless tail."""
        if isinstance(value, float):
            return f"{value:.6g}"
        return super().encode(value)


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """A device trigger for one type of event, in Home Assistant's words (``button_short_press``, ``button_1``)."""

    event_type: str
    type: str
    subtype: str


class Event(Entity, frozen=True, kw_only=True):
    """Something that happened; never retained. The value is ``{"event_type": ..}`` and attributes."""

    platform: ClassVar[str] = "event"
    state_level: ClassVar[str | None] = "event"
    retained: bool = False
    INTERNAL: ClassVar[frozenset[str]] = Entity.INTERNAL | {"triggers"}
    event_types: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()


class Button(Entity, frozen=True, kw_only=True):
    """A press. With ``target`` it is a word sent to another entity of the device (``""`` is the main one)."""

    platform: ClassVar[str] = "button"
    state_level: ClassVar[str | None] = None
    takes_commands: ClassVar[bool] = True
    INTERNAL: ClassVar[frozenset[str]] = Entity.INTERNAL | {"target"}
    target: str | None = None
    payload_press: str = "PRESS"

    def decode(self, raw: object, last: Value = None) -> Decoded:  # noqa: ARG002
        """PRESS, nothing else."""
        if raw == "PRESS":
            return "PRESS", None
        raise CommandError("invalid", f"{quote(raw)} is not PRESS")


class Number(Entity, frozen=True, kw_only=True):
    """A number in a range, and words that mean numbers; the value is a float or None ("stay")."""

    platform: ClassVar[str] = "number"
    takes_commands: ClassVar[bool] = True
    min: float = 0
    max: float = 100
    step: float = 1
    mode: str | None = None
    unit_of_measurement: str | None = None
    INTERNAL: ClassVar[frozenset[str]] = Entity.INTERNAL | {"words"}
    words: tuple[tuple[str, Value], ...] = ()

    def decode(self, raw: object, last: Value = None) -> Decoded:  # noqa: ARG002
        """Read a word or a number within the range."""
        if isinstance(raw, str):
            for word, value in self.words:
                if raw == word:
                    return value, None
        value = number(raw)
        if value is None:
            words = "".join(f", {word}" for word, _ in self.words)
            raise CommandError("invalid", f"{quote(raw)} is not a number{words}")
        if not self.min <= value <= self.max:
            raise CommandError("out_of_range", f"{figure(value)} is not within {self.min:g} to {self.max:g}")
        return value, None

    def encode(self, value: Value) -> str:
        """Write the number without a needless tail."""
        return "None" if value is None else f"{value:.6g}"


class Camera(Entity, frozen=True, kw_only=True):
    """The last still, as JPEG bytes on its own topic."""

    platform: ClassVar[str] = "camera"
    state_level: ClassVar[str | None] = "image"
    state_key: ClassVar[str] = "topic"
    retained: bool = False
