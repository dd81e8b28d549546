"""Which lines the entries of a configuration name: whether they exist on the backend, and whether two name the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pimqtt_agent.devices.base import KINDS, Device
from pimqtt_agent.mistakes import Mistakes, Path, show
from pimqtt_agent.shapes import line_paths
from pimqtt_agent.yaml_source import Node

#: How many lines a backend with plain numbers has.
LINES = {"pi": 28, "simulated": 1024}


@dataclass
class Entry:
    """One entry of ``devices``; ``device`` is None where it has mistakes."""

    node: Node
    path: Path
    device: Device | None = None

    @property
    def name(self) -> str:
        """Its id, or where it stands."""
        identity = self.raw("id")
        return identity if isinstance(identity, str) else f"devices[{self.path[-1]}]"

    def raw(self, key: str) -> object:
        """Return what stands under a key, unchecked."""
        return self.node.data.get(key) if isinstance(self.node.data, dict) else None

    def at(self, below: str) -> tuple[Node, Path]:
        """Find the place of a path as devices write it (``left.forward``), as far as it exists."""
        node, path = self.node, self.path
        for part in re.findall(r"[^.\[\]]+", below):
            path = (*path, int(part) if node.items is not None and part.isdecimal() else part)
            node = node.child(path[-1]) or node
        return node, path

    def lines(self) -> Iterator[tuple[object, Node, Path]]:
        """Find the lines that it names; of a broken entry what looks like it."""
        if self.device is not None:
            yield from ((line, *self.at(below)) for below, line in self.device.lines())
            return
        kind = self.raw("kind")
        known = [KINDS[kind]] if isinstance(kind, str) and kind in KINDS else list(KINDS.values())
        for below in dict.fromkeys(path for model in known for path in line_paths(model)):
            if (node := self.node.at(below)) is not None and node.source != "broken":
                yield node.data, node, (*self.path, *below)


def place(node: Node, seen_from: Node) -> str:
    """Name a place: the line alone where it is in the same file."""
    return f"line {node.line}" if node.file == seen_from.file else f"{node.file}:{node.line}"


def check_lines(root: Node, entries: list[Entry], mistakes: Mistakes) -> None:
    """Tell lines that can't exist, and lines that are used twice: at the later one."""
    hardware = root.child("hardware")
    names = Names(hardware.data if hardware and isinstance(hardware.data, dict) else {})
    pulls = root.at(("hardware", "pulls"))
    for key, _ in (pulls and pulls.pairs) or ():
        names.check(key.data, key, ("hardware", "pulls", str(key.data)), mistakes)
    first: dict[object, tuple[Entry, Node]] = {}
    for entry in entries:
        for line, node, path in entry.lines():
            if isinstance(line, bool) or not isinstance(line, int | str):
                continue
            names.check(line, node, path, mistakes)
            other, where = first.setdefault(names.identity(line), (entry, node))
            if where is not node:
                used = f"pin {show(node, path)} is already used by {other.name}, {place(where, node)}"
                mistakes.add(node, path, used)


class Names:
    """What the hardware section says about the names of lines, as far as it can be read."""

    def __init__(self, hardware: dict[str, Any]) -> None:
        """Take the section, unchecked."""
        backend = hardware.get("backend")
        self._backend = backend if isinstance(backend, str) else None
        chip = hardware.get("chip")
        self._chip = chip if isinstance(chip, str) else None
        chips = hardware.get("chips")
        self._chips: dict[str, Any] = chips if isinstance(chips, dict) else {}

    def identity(self, line: int | str) -> object:
        """Return what is equal for two names of the same line."""
        if isinstance(line, int):
            return self._chip, line
        chip, _, number = line.rpartition(":")
        if not chip or not number.isdecimal():
            return line
        return str(self._chips.get(chip, chip)), int(number)

    def check(self, line: object, node: Node, path: Path, mistakes: Mistakes) -> None:
        """Tell a line that can't exist on the backend."""
        if isinstance(line, bool) or not isinstance(line, int | str):
            return
        pin = f"pin {show(node, path)}"
        if isinstance(line, str) and line.isdecimal():
            mistakes.add(node, path, f"{pin} is a text; write {int(line)}, without quotes")
        elif self._backend in LINES:
            count = LINES[str(self._backend)]
            if isinstance(line, str) or not 0 <= line < count:
                mistakes.add(node, path, f"{pin} is no line of backend {self._backend}", allowed=[f"0 to {count - 1}"])
        elif self._backend == "kernel":
            self._kernel(line, pin, node, path, mistakes)

    def _kernel(self, line: int | str, pin: str, node: Node, path: Path, mistakes: Mistakes) -> None:
        if isinstance(line, str):
            chip, _, number = line.rpartition(":")
            if not chip or not number.isdecimal():
                mistakes.add(node, path, f"{pin} is no line", allowed=["a number", "chip:number"])
            elif chip not in self._chips:
                known = sorted(map(str, self._chips)) or ["what hardware.chips names"]
                mistakes.add(node, path, f"unknown chip {chip!r}", allowed=known, got=chip)
        elif line < 0:
            mistakes.add(node, path, f"{pin} is no line", allowed=["0 and above"])
        elif self._chip is None:
            mistakes.add(node, path, f"{pin} is on no chip; set hardware.chip, or write chip:{line}")
