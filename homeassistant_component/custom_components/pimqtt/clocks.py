"""Whether our clock is behind a node's: then the node takes what we send for older than it is, and refuses it as stale.

Both ways to know it give a lower bound, since whatever is under way only looks older: a lease whose end lies later than
our clock and its rest say, and a command that is refused as too old sooner than it can have grown so old.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .answers import ACCEPTED, Answer
from .errors import NOT_CONNECTED, RefusedError
from .model import Lease
from .nodes import Node

if TYPE_CHECKING:
    from .fleet import Fleet

#: An answer that came so soon (s) proves by its age nearly all of the difference.
QUICK_S: Final = 0.25
#: No clock is so far behind (s): whatever says so is none.
FAR_S: Final = 1e10


def timed(node: Node, lease: Lease, *, retained: bool) -> Lease:
    """Compare clocks by a lease that has an ``end``; return it with what is left of it, as of now."""
    left_s = (lease.end or 0.0) - time.time()
    if retained:  # it was counted when it was sent
        return replace(lease, remaining_s=max(0.0, min(lease.remaining_s, left_s)))
    if left_s - lease.remaining_s < FAR_S:
        node.compare_clocks(left_s - lease.remaining_s)
    return lease


def judged(fleet: Fleet, node: Node, answer: Answer, limit_s: float) -> Answer:
    """Return the answer to a command that bore our time, with the true reason where that is a clock.

    ``limit_s`` is the age that the node allows it.
    """
    took_s = (answer.round_trip_ms or 0.0) / 1000
    if answer.outcome == ACCEPTED and node.clock_behind and limit_s <= node.behind_s + QUICK_S:
        fleet.compare_clocks(node, 0.0)
    by_clock = (answer.reason or "").startswith("at ")  # not by the broker's count, or because the agent stood still
    if answer.code != "stale" or not by_clock or 2 * took_s >= limit_s:
        return answer
    if took_s <= QUICK_S:
        fleet.compare_clocks(node, max(node.behind_s, limit_s - took_s))
    about = {"name": node.name, "took": f"{took_s * 1000:.0f}", "limit": f"{limit_s:g}"}
    error = RefusedError(NOT_CONNECTED, "clock_behind", **about)
    placeholders = dict(error.translation_placeholders or {})
    return replace(answer, reason=str(error), reason_key=error.translation_key, reason_placeholders=placeholders)
