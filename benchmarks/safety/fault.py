"""What a fault of the matrix is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.plan import Row
from benchmarks.safety.deeds import Deed, nothing
from benchmarks.safety.pins import Rule
from benchmarks.safety.promises import LEASES, Expected
from benchmarks.safety.sender import Stamp
from benchmarks.safety.stage import Stage
from benchmarks.safety.stages import MakeStage, plain

#: Who fails decides how many trials there are: a sender (``lone``: of one node at a time), a process, the broker or the
#: network, what takes 10 s each time, Home Assistant, or nobody.
Group = Literal["sender", "lone", "process", "slow", "home", "work"]
#: Commands at another entity.
FLOOD_HZ = 10_000
#: What a bad link takes each way (s), and which share of segments it loses.
BAD_DELAY_S, BAD_LOSS = 0.2, 0.03


@dataclass(frozen=True)
class Fault:
    """One row of the matrix.

    ``side``: so many nodes side by side. ``shared``: the deed is done once, to what they share. ``goes_on_s``: who
    drives renews so long after the fault (else the last renewal is the one before it); ``still_heard``: and is heard.
    ``killed``: the sender is. ``rival``: somebody drives the other way meanwhile. ``lossy``: only the packets tell what
    passed. Judged for ``watch_s``; where ``settle_s``, all is made whole then, and judged for that long again.
    ``around``: goes on during each round. ``logged``: what the node must have logged for a trial to show anything.
    ``floods``: what fails is that the node has to do more than it can. ``slow_s``: so much longer a round takes.
    ``run``: its own way of running.
    """

    name: str
    says: str
    group: Group
    make: MakeStage = plain
    deed: Deed = nothing
    expect: Expected = field(default_factory=lambda: LEASES)
    pulled: Expected | None = None
    side: int = 1
    shared: bool = False
    stamp: Stamp = "plain"
    goes_on_s: float = 0.0
    still_heard: bool = False
    killed: bool = False
    rival: bool = False
    lossy: bool = False
    floods: bool = False
    watch_s: float = 1.5
    settle_s: float = 0.0
    around: Callable[[Stage], AbstractContextManager[None]] | None = None
    undo: Callable[[Stage], None] | None = None
    logged: str = ""
    slow_s: float = 0.0
    run: Callable[..., list[Row]] | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Under which rules of release it is tried."""
        return ("latch", "pull") if self.pulled else ("latch",)

    @property
    def wants_capture(self) -> bool:
        """Whether packets must be looked at."""
        return any(due is not None and due.since == "proof" for due in self.expect.values())

    @property
    def brings_old(self) -> bool:
        """Whether commands that waited in the network must come after it is whole again."""
        return self.stamp != "plain" and bool(self.settle_s)

    def expected(self, rule: Rule) -> Expected:
        """Return what is expected of each class of pins."""
        return self.pulled if rule == "pull" and self.pulled else self.expect
