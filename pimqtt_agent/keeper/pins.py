"""The lines of a keeper's devices and the level of each, as they are driven or read."""

from __future__ import annotations

from collections.abc import Iterable

from pimqtt_agent.devices import Device
from pimqtt_agent.hardware.protocols import Board

#: More than these do not fit one message of the link, whatever they are called.
MOST = 1000


def rows(board: Board, devices: Iterable[Device]) -> list[tuple[int | str, str, str, str, float | None]]:
    """List the lines that are claimed, in the configuration's order, each by what ``messages.PIN`` names."""
    held = {str(pin.line): pin for pin in board.pins()}
    return [
        (line, device.id, role, pin.mode, None if pin.level is None else round(pin.level, 4))
        for device in devices
        for role, line in device.lines()
        if (pin := held.get(str(line)))
    ]
