"""`button`: a push button that tells presses, double and long ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from math import inf
from typing import ClassVar

from pimqtt_agent import entities
from pimqtt_agent.devices.base import Device, Driver, Icon, NotNegative, Report
from pimqtt_agent.hardware.contact import Contact
from pimqtt_agent.hardware.debounce import Change
from pimqtt_agent.hardware.protocols import Board, Line, Pull
from pimqtt_agent.rules import Value

_TRIGGERS = {"press": "button_short_press", "double": "button_double_press", "long": "button_long_press"}


class _Phase(Enum):
    UP = auto()
    DOWN = auto()
    UP_AGAIN = auto()  # a second press would make it a double one
    TOLD = auto()  # down, and there is nothing more to tell until it is let go


class Presses:
    """What presses mean. Pure: times are arguments (s)."""

    def __init__(self, long_s: float, double_s: float, *, held: bool = False) -> None:
        """``long_s`` or ``double_s`` 0: there are none. What is held from the start tells nothing."""
        self.deadline_s = inf
        self._long_s = long_s
        self._double_s = double_s
        self._phase = _Phase.TOLD if held else _Phase.UP

    def edge(self, at_s: float, *, down: bool) -> list[str]:
        """Note that it went down or up; return what is to be told."""
        told = self.tick(at_s)
        match self._phase, down:
            case _Phase.UP, True:
                if self._long_s or self._double_s:
                    self._go(_Phase.DOWN, at_s + self._long_s if self._long_s else inf)
                else:
                    self._go(_Phase.TOLD)
                    told.append("press")
            case _Phase.DOWN, False:
                if self._double_s:
                    self._go(_Phase.UP_AGAIN, at_s + self._double_s)
                else:
                    self._go(_Phase.UP)
                    told.append("press")
            case _Phase.UP_AGAIN, True:
                self._go(_Phase.TOLD)
                told.append("double")
            case _Phase.TOLD, False:
                self._go(_Phase.UP)
        return told

    def tick(self, now: float) -> list[str]:
        """Return what is to be told by now."""
        if now < self.deadline_s:
            return []
        if self._phase is _Phase.DOWN:
            self._go(_Phase.TOLD)
            return ["long"]
        self._go(_Phase.UP)
        return ["press"]

    def _go(self, phase: _Phase, deadline_s: float = inf) -> None:
        self._phase = phase
        self.deadline_s = deadline_s


class PushButton(Device, kind="button"):
    """A push button: Home Assistant gets an event for each press."""

    example: ClassVar[str] = "{id: bell, kind: button, pin: 25}"

    pin: Line
    """The line it reads."""
    pull: Pull = "up"
    """What the line is when it is not pressed. With `up` a press is low (a button to ground), else it is high."""
    inverted: bool = False
    """A press is the other level."""
    debounce: NotNegative = 0.02
    """A change counts once it lasted so many seconds."""
    long: NotNegative = 0.8
    """Seconds that make a press a long one; 0: there are none."""
    double: NotNegative = 0.35
    """Seconds within which a second press makes a double one; 0: there are none, and a press is told sooner."""
    icon: Icon | None = None
    """An icon (`mdi:doorbell`)."""

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Claim one line."""
        yield "pin", self.pin

    def entities(self) -> tuple[entities.Entity, ...]:
        """One event; its types are device triggers, too."""
        kinds = ("press", *(("double",) if self.double else ()), *(("long",) if self.long else ()))
        triggers = tuple(entities.Trigger(event_type=kind, type=_TRIGGERS[kind], subtype="button_1") for kind in kinds)
        return (entities.Event(event_types=kinds, triggers=triggers, device_class="button", icon=self.icon),)

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the line and read it."""
        return ButtonDriver(self, board, report)


class ButtonDriver(Driver):
    """Reads one line and tells what was pressed."""

    def __init__(self, device: PushButton, board: Board, report: Report) -> None:
        """Claim it; a press that is held from the start tells nothing."""
        self._down = int((device.pull != "up") != device.inverted)
        self._report = report
        self._contact = Contact(board, device.pin, device.pull, device.debounce, self._tell)
        self._presses = Presses(device.long, device.double, held=self._contact.level == self._down)

    def tick(self, now: float) -> None:
        """Go on with debouncing and waiting."""
        if now >= self.deadline_s:
            self._contact.tick(now)

    def close(self) -> None:
        """Give the line back."""
        self._contact.close()

    def _tell(self, change: Change | None, now: float) -> None:
        told = self._presses.edge(change.at_s, down=change.level == self._down) if change else []
        pending_s = self._contact.pending_s
        if pending_s == inf:
            told += self._presses.tick(now)
            self.deadline_s = self._presses.deadline_s
        else:  # what is not yet known must not be overtaken
            told += self._presses.tick(min(now, pending_s))
            self.deadline_s = self._contact.deadline_s
        for kind in told:
            self._report.event("", {"event_type": kind})
