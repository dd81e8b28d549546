"""A board that records what each line sees, in order. Time is the test's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pimqtt_agent.devices import KINDS, Device, Driver
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Line, OnEdge, Pin, Pull
from pimqtt_agent.lease import Output


class FakeOutput:
    """An output or PWM line; it writes down every level, also one that is no change."""

    def __init__(self, board: FakeBoard, line: Line, level: float) -> None:
        self._board = board
        self._line = line
        self._put(level)

    def set(self, level: float) -> None:
        assert self._line in self._board.claimed, f"line {self._line} was given back"
        if self._line in self._board.broken:
            raise HardwareError(f"line {self._line} is broken")
        self._put(level)

    def close(self) -> None:
        self._board.claimed.discard(self._line)

    def _put(self, level: float) -> None:
        level = round(level, 6)
        self._board.levels[self._line] = level
        self._board.changes.append((self._line, level))


class FakeInput:
    """An input line."""

    def __init__(self, board: FakeBoard, line: Line, debounce_s: float) -> None:
        self._board = board
        self._line = line
        self.debounce_s = debounce_s

    def get(self) -> int:
        if self._line in self._board.broken:
            raise HardwareError(f"line {self._line} is broken")
        return self._board.inputs[self._line]

    def close(self) -> None:
        self._board.claimed.discard(self._line)


class FakeBoard:
    """Records claims and levels. ``broken`` lines refuse to be claimed and set."""

    def __init__(self) -> None:
        self.changes: list[tuple[Line, float]] = []
        self.levels: dict[Line, float] = {}
        self.claimed: set[Line] = set()
        self.broken: set[Line] = set()
        self.frequencies: dict[Line, float] = {}
        self.pulls: dict[Line, Pull] = {}
        self.inputs: dict[Line, int] = {}
        self._on_edge: dict[Line, OnEdge] = {}

    def output(self, line: Line, level: int) -> FakeOutput:
        self._claim(line)
        return FakeOutput(self, line, level)

    def pwm(self, line: Line, duty: float, frequency_hz: float) -> FakeOutput:
        self._claim(line)
        self.frequencies[line] = frequency_hz
        return FakeOutput(self, line, duty)

    def input(self, line: Line, pull: Pull, on_edge: OnEdge, debounce_s: float = 0.0) -> FakeInput:
        self._claim(line)
        self.pulls[line] = pull
        self.inputs.setdefault(line, int(pull == "up"))
        self._on_edge[line] = on_edge
        return FakeInput(self, line, debounce_s)

    def edge(self, line: Line, level: int, at_s: float) -> None:
        """Change an input."""
        self.inputs[line] = level
        self._on_edge[line](level, at_s)

    def lose(self, line: Line, at_s: float) -> None:
        """Take an input away."""
        self.broken.add(line)
        self._on_edge[line](None, at_s)

    def seen(self) -> list[tuple[Line, float]]:
        """Take what was recorded since the last call."""
        changes, self.changes = self.changes, []
        return changes

    def fileno(self) -> int:
        return -1

    def dispatch(self) -> None:
        """Edges are delivered by ``edge``."""

    def simulate(self, line: Line, level: int) -> None:
        raise HardwareError(f"line {line} can't be set to {level}")

    def pins(self) -> Iterator[Pin]:
        for line in self.claimed:
            level = self.inputs[line] if line in self.inputs else self.levels[line]
            yield Pin(line, "input" if line in self.inputs else "output", level)

    def release_list(self) -> list[dict[str, object]]:
        return []

    def end_pulses(self) -> None:
        """Make none."""

    def close(self) -> None:
        self.claimed.clear()

    def _claim(self, line: Line) -> None:
        if line in self.broken:
            raise HardwareError(f"line {line} is broken")
        assert line not in self.claimed, f"line {line} was claimed twice"
        self.claimed.add(line)


class FakeReport:
    """Writes down what a driver tells."""

    def __init__(self) -> None:
        self.states: list[tuple[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def state(self, key: str, value: Any) -> None:
        self.states.append((key, value))

    def event(self, key: str, event: Mapping[str, Any]) -> None:
        assert key == ""
        self.events.append(dict(event))

    def blob(self, key: str, data: bytes) -> None:
        raise AssertionError((key, len(data)))

    def health(self, *, ok: bool, reason: str = "") -> None:
        raise AssertionError((ok, reason))


def opened(spec: dict[str, Any], board: FakeBoard, report: FakeReport | None = None) -> tuple[Device, Driver]:
    """Make a device as a keeper does, from what the agent hands over, and open its driver."""
    device = KINDS[spec["kind"]].model_validate({"id": "it", **spec})
    device = KINDS[spec["kind"]].model_validate(device.model_dump(mode="json", exclude_unset=True))
    assert list(device.mistakes()) == []
    outputs = [Output(entity.key, entity.rules) for entity in device.entities() if entity.rules]
    first = {output.name: output.start(0.0) for output in outputs}
    driver = device.open(board, first, report or FakeReport())
    assert board.claimed == {line for _, line in device.lines()}
    return device, driver


def run(driver: Driver, until_s: float) -> None:
    """Let a driver go on, tick by tick, as long as it wants to."""
    while driver.deadline_s <= until_s:
        driver.tick(driver.deadline_s)
