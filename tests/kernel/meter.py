"""A process beside the chip: it notes each change of a line, and may keep levels as a Raspberry Pi's kernel does.

`python -m tests.kernel.meter CHIP TRACE LINE...`; a command a line on stdin, an answer on stdout.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from tests.lines import Lines, outside

#: How often it looks (s).
EVERY_S = 0.003


class Meter:
    """Notes changes as rows ``{"t_ns": CLOCK_MONOTONIC, "pin": 17, "value": 1}``."""

    def __init__(self, lines: Lines, metered: list[int], trace: BinaryIO) -> None:
        self._lines = lines
        self._metered = metered
        self._trace = trace
        self._last: dict[int, int] = {}
        self._keeps = False

    def look(self) -> None:
        """Note what has changed; two lines of which one rises when the other has fallen are never seen both high."""
        now = self._read()
        while now != self._last and now != (again := self._read()):
            now = again
        for line, level in sorted(now.items(), key=itemgetter(1)):
            if self._last.get(line) != level:
                row = json.dumps({"t_ns": time.monotonic_ns(), "pin": line, "value": level})
                self._trace.write(f"{row}\n".encode())
        self._last = now
        if self._keeps:
            self._lines.keep(self._metered)

    def _read(self) -> dict[int, int]:
        return {line: self._lines.level(line) for line in self._metered}

    def answer(self, word: str, *numbers: int) -> object:
        """Do a command."""
        match word, numbers:
            case "level", (line,):
                return self._lines.level(line)
            case "share", (line, ms):
                return self._share(line, ms / 1000)
            case "pull", (line, level):
                self._lines.pull(line, level)
            case "drive", (line, level):
                self._lines.drive(line, level)
            case "keep", (keeps,):
                self._keeps = bool(keeps)
                self.look()
            case _:
                return f"unknown: {word} {numbers}"
        return "done"

    def _share(self, line: int, time_s: float) -> float:
        """Measure the share of the time that a line is high."""
        until, levels = time.monotonic() + time_s, []
        while time.monotonic() < until:
            levels.append(self._lines.level(line))
            self.look()
        return sum(levels) / len(levels)


def main(chip: str, trace: str, *numbers: str) -> None:
    """Run until stdin ends."""
    lines = outside(chip)
    with Path(trace).open("ab", buffering=0) as file:
        meter = Meter(lines, [int(number) for number in numbers], file)
        while True:
            meter.look()
            if select.select([sys.stdin], [], [], EVERY_S)[0]:
                command = os.read(0, 200).decode().split()
                if not command:
                    break
                print(meter.answer(command[0], *map(int, command[1:])), flush=True)  # noqa: T201
    lines.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
