"""A board that is only written down: which levels a device would claim. No hardware is touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pimqtt_agent.devices.base import Device, Report
from pimqtt_agent.hardware.protocols import Board, Line, OnEdge, Pin, Pull


class RecordedLine:
    """Any line: nothing happens on it."""

    debounce_s = 0.0

    def set(self, level: float) -> None:
        """Ignore what comes after the claim."""

    def get(self) -> int:
        """Read low."""
        return 0

    def close(self) -> None:
        """Have nothing to give back."""


class RecordedBoard:
    """Remembers the first level or duty of each output."""

    def __init__(self) -> None:
        """Start empty."""
        self.levels: dict[Line, float] = {}

    def output(self, line: Line, level: int) -> RecordedLine:
        """Note an output."""
        self.levels[line] = level
        return RecordedLine()

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> RecordedLine:  # noqa: ARG002
        """Note a PWM output."""
        self.levels[line] = round(duty, 4)
        return RecordedLine()

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> RecordedLine:  # noqa: ARG002
        """Let inputs be."""
        return RecordedLine()

    def fileno(self) -> int:
        """Have no edges."""
        return -1

    def dispatch(self) -> None:
        """Have no edges."""

    def simulate(self, line: Line, level: int) -> None:
        """Have no inputs."""

    def pins(self) -> Iterator[Pin]:
        """Hold nothing."""
        return iter(())

    def release_list(self) -> list[dict[str, object]]:
        """Hold nothing."""
        return []

    def end_pulses(self) -> None:
        """Make none."""

    def close(self) -> None:
        """Hold nothing."""


class _Silence(Report):
    def state(self, key: str, value: object) -> None:
        pass

    def event(self, key: str, event: object) -> None:
        pass

    def blob(self, key: str, data: bytes) -> None:
        pass

    def health(self, *, ok: bool, reason: str = "") -> None:
        pass


def safe_levels(device: Device) -> dict[Line, float]:
    """Return the physical level (or duty) of each output of a device at its safe value."""
    board = RecordedBoard()
    first = {entity.key: entity.rules.safe for entity in device.entities() if entity.rules}
    device.open(board, first, _Silence()).close()
    return board.levels


def safe_rows(board: Board, devices: Iterable[Device]) -> list[dict[str, object]]:
    """Complete a board's release list by the safe level of each output: what ``pimqtt safe`` works from."""
    known = {
        str(line): {"device": device.id, "level": level}
        for device in devices
        if device.keeper == "pins"
        for line, level in safe_levels(device).items()
    }
    return [{**row, **known[str(row["name"])]} for row in board.release_list() if str(row["name"]) in known]
