"""`binary_sensor`: a contact, a motion detector, a float switch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pimqtt_agent import entities
from pimqtt_agent.devices.base import Device, Driver, Icon, NotNegative, Report
from pimqtt_agent.hardware.contact import Contact
from pimqtt_agent.hardware.debounce import Change
from pimqtt_agent.hardware.protocols import Board, Line, Pull
from pimqtt_agent.rules import Value

DeviceClass = Literal[
    "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas",
    "glass_break", "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power",
    "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration", "window",
]  # fmt: skip


class BinarySensor(Device, kind="binary_sensor"):
    """An input that is on or off: on while the line is high, `inverted` the other way."""

    example: ClassVar[str] = "{id: door, kind: binary_sensor, pin: 22, device_class: door, pull: up, debounce: 0.02}"

    pin: Line
    """The line it reads."""
    pull: Pull = "down"
    """What the line is when nothing drives it. A reed contact to ground with `pull: up` reads on (open) while it is
    open."""
    inverted: bool = False
    """It is on while the line is low."""
    debounce: NotNegative = 0.02
    """A change counts once it lasted so many seconds."""
    device_class: DeviceClass | None = None
    """What Home Assistant shows it as."""
    icon: Icon | None = None
    """An icon (`mdi:mailbox`)."""

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim one line."""
        yield "pin", self.pin

    def entities(self) -> tuple[entities.Entity, ...]:
        """One binary sensor."""
        return (entities.BinarySensor(device_class=self.device_class, icon=self.icon),)

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the line and read it."""
        return BinarySensorDriver(self, board, report)


class BinarySensorDriver(Driver):
    """Reads one line; each change is told once."""

    def __init__(self, device: BinarySensor, board: Board, report: Report) -> None:
        """Claim it; the first reading counts."""
        self._inverted = device.inverted
        self._report = report
        self._contact = Contact(board, device.pin, device.pull, device.debounce, self._tell)

    def state(self, key: str) -> Value:
        """Return whether it is on."""
        return bool(self._contact.level) != self._inverted

    def tick(self, now: float) -> None:
        """Tell a change that lasted."""
        if now >= self.deadline_s:
            self._contact.tick(now)

    def close(self) -> None:
        """Give the line back."""
        self._contact.close()

    def _tell(self, change: Change | None, now: float) -> None:
        self.deadline_s = self._contact.deadline_s
        if change:
            self._report.state("", self.state(""))
