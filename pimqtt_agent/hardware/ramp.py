"""A value that follows its target at a bounded rate. Pure: the time is an argument."""

from __future__ import annotations

from math import copysign, inf

#: How often a ramp goes on (s).
STEP_S = 0.02
#: What one step counts at most (s), so that neither a pause nor a stall becomes a jump.
LONGEST_STEP_S = 2 * STEP_S
#: Nearer than this is there, or is zero: rounding must not cost another step.
_SLACK = 1e-9


class Ramp:
    """Follows a target; without a rate it is there at once."""

    def __init__(self, rate_per_s: float | None, value: float = 0.0, *, stop_at_zero: bool = False) -> None:
        """Start at rest. ``stop_at_zero``: a change of sign rests at zero for one step."""
        self.value = self.target = value
        self._rate_per_s = rate_per_s
        self._stop_at_zero = stop_at_zero
        self._at_s = -inf

    @property
    def deadline_s(self) -> float:
        """When ``step`` is wanted, ``inf`` for never."""
        return inf if self.value == self.target else self._at_s + STEP_S

    def jump(self, target: float, now: float) -> None:
        """Be there at once."""
        self.value = self.target = target
        self._at_s = now

    def to(self, target: float, now: float) -> None:
        """Go there, the first step now."""
        self.target = target
        self.step(now)

    def step(self, now: float) -> None:
        """Go on."""
        elapsed_s = min(max(now - self._at_s, 0.0), LONGEST_STEP_S)
        self._at_s = now
        gap = self.target - self.value
        reach = inf if self._rate_per_s is None else self._rate_per_s * elapsed_s
        if abs(gap) <= reach + _SLACK:
            value = self.target
        else:
            value = self.value + copysign(reach, gap)
            value = 0.0 if abs(value) < _SLACK else value
        crossing = self.value < 0 < value or value < 0 < self.value
        self.value = 0.0 if crossing and self._stop_at_zero and reach < inf else value
