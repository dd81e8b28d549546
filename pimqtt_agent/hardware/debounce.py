"""When a bouncing contact has changed. Pure: times are arguments (s), and may come late but in order."""

from __future__ import annotations

from math import inf
from typing import NamedTuple


class Change(NamedTuple):
    """A change that lasted: the new level, and when it began."""

    level: int
    at_s: float


class Debounce:
    """A change counts once the level was stable for a while; a shorter glitch does not count."""

    def __init__(self, level: int, stable_s: float) -> None:
        """Start with a level that counts as stable."""
        self.level = level
        self._stable_s = stable_s
        self._raw = level
        self._edge_s = -inf
        self._began_s: float | None = None

    @property
    def deadline_s(self) -> float:
        """When ``tick`` is wanted, ``inf`` for never."""
        return inf if self._raw == self.level else self._edge_s + self._stable_s

    @property
    def pending_s(self) -> float:
        """When a change began that may or may not last; ``inf`` if there is none."""
        return inf if self._raw == self.level or self._began_s is None else self._began_s

    def edge(self, level: int, at_s: float) -> Change | None:
        """Note an edge; return the change that was complete by then."""
        change = self.tick(at_s)
        if level != self._raw:
            if self._raw == self.level and at_s - self._edge_s >= self._stable_s:
                self._began_s = None  # what bounced before is over
            if self._began_s is None:
                self._began_s = at_s
            self._raw = level
            self._edge_s = at_s
        elif level != self.level:
            self._edge_s = max(self._edge_s, at_s)  # the edges between were lost
        return change or self.tick(at_s)

    def read(self, level: int, now: float) -> Change | None:
        """Note what the line reads now: a change that no longer stands, its edge being lost, was a glitch."""
        if level == self.level != self._raw:
            self._raw = level
            self._edge_s = now
        return self.edge(level, now)

    def tick(self, now: float) -> Change | None:
        """Return a change that is complete."""
        if now < self.deadline_s:
            return None
        self.level = self._raw
        began_s, self._began_s = self._began_s, None
        return Change(self.level, now if began_s is None else began_s)
