"""The levels of the demo's pins: of outputs from the trace, of inputs from the simulated chip itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pimqtt_agent.hardware.levels import Levels, Release
from pimqtt_agent.settings import Settings


class PinLevels:
    """What each pin is at, and what changed since the last look."""

    def __init__(self, settings: Settings, trace: Path, chip: Path) -> None:
        """``chip`` is the file of the simulated levels; both files come with the node."""
        self.pins: dict[str, list[Any]] = {device.id: [pin for _, pin in device.lines()] for device in settings.devices}
        pulls = {device.id: getattr(device, "pull", None) for device in settings.devices}
        self._pulls = {int(pin): pull for name, pull in pulls.items() if pull for pin in self.pins[name]}
        self._levels: dict[int, float] = {}
        self._trace, self._chip_file = trace, chip
        self._file: IO[bytes] | None = None
        self._part = b""
        self._chip: Levels | None = None

    def level(self, pin: Any) -> float | None:
        """Return the level of a pin; None while it is unknown."""
        return self._levels.get(int(pin))

    def changes(self) -> Iterator[tuple[int, float]]:
        """Look, and tell each pin whose level is another than before."""
        for pin, level in (*self._traced(), *self._inputs()):
            if self._levels.get(pin) != level:
                self._levels[pin] = level
                yield pin, level

    def close(self) -> None:
        """Let go of the files."""
        if self._file:
            self._file.close()
        if self._chip:
            self._chip.close()

    def _traced(self) -> Iterator[tuple[int, float]]:
        if self._file is None and self._trace.exists():
            self._file = self._trace.open("rb")
        *lines, self._part = (self._part + (self._file.read() if self._file else b"")).split(b"\n")
        yield from filter(None, map(_row, lines))

    def _inputs(self) -> Iterator[tuple[int, float]]:
        if self._chip is None and self._chip_file.exists():
            self._chip = Levels(self._chip_file, Release())
        if self._chip is not None:
            for pin, pull in self._pulls.items():
                yield pin, self._chip.seen(pin, pull)


def _row(line: bytes) -> tuple[int, float] | None:
    """Read a row of the trace; None where it is none: a full disk cuts one off, and another follows it."""
    try:
        row = json.loads(line)
        pin, level = row["pin"], row["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (pin, level) if type(pin) is int and isinstance(level, int | float) else None
