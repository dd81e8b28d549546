"""A contact: an input whose changes count once they lasted, whoever debounces them, the kernel or we."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.debounce import Change, Debounce
from pimqtt_agent.hardware.protocols import Board, Line, Pull

#: Called with a change (None: only what is waited for has changed) and the time (s, CLOCK_BOOTTIME).
Tell = Callable[[Change | None, float], None]


class Contact:
    """One line. Whoever makes it calls ``tick`` at ``deadline_s``, which raises ``HardwareError`` for a lost line."""

    def __init__(self, board: Board, line: Line, pull: Pull, debounce_s: float, tell: Tell) -> None:
        """Claim the line; the first reading counts."""
        self._tell = tell
        self._lost = False
        self._line = board.input(line, pull, self._edge, debounce_s)
        try:
            self._debounce = Debounce(self._line.get(), self._line.debounce_s)
        except HardwareError:
            self._line.close()
            raise

    @property
    def level(self) -> int:
        """The level that counts."""
        return self._debounce.level

    @property
    def deadline_s(self) -> float:
        """When ``tick`` is wanted, ``inf`` for never."""
        return -inf if self._lost else self._debounce.deadline_s

    @property
    def pending_s(self) -> float:
        """When a change began that may or may not last; ``inf`` if there is none."""
        return -inf if self._lost else self._debounce.pending_s

    def tick(self, now: float) -> None:
        """Tell a change that lasted."""
        self._tell(self._debounce.read(self._line.get(), now), now)

    def close(self) -> None:
        """Give the line back."""
        self._line.close()

    def _edge(self, level: int | None, at_s: float) -> None:
        self._lost = level is None
        self._tell(None if level is None else self._debounce.edge(level, at_s), at_s)
