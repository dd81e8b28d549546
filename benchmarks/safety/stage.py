"""Where trials take place: a broker, some nodes, whatever stands between them, and somebody who prepares them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.errors import BenchmarkError
from benchmarks.safety.capture import Capture
from benchmarks.safety.pins import AT_REST
from benchmarks.safety.sender import PRIORITY
from benchmarks.safety.trace import SPARE, Trace
from benchmarks.safety.wire import Connection
from tests.rig import Mosquitto, Node

T = TypeVar("T")
#: How long a node may take to be as every trial begins (s): a broker that was away is found again within 30 s.
PREPARED_S = 45.0


@dataclass
class Stage:
    """``world`` is what the fault is done to, where that is no process. ``inside``: enter the broker's network."""

    broker: Mosquitto
    nodes: list[Node]
    folder: Path
    world: list[Any] = field(default_factory=list)
    #: enters the broker's network, and the agents'
    inside: Callable[[], AbstractContextManager[None]] = nullcontext
    inside_agents: Callable[[], AbstractContextManager[None]] = nullcontext
    #: comes before the command of who lives beside the broker
    beside_broker: tuple[str, ...] = ()
    #: from where the agents hear the broker: its own port, or a relay's
    heard_port: int = 0
    interface: str = "lo"
    notes: dict[str, Any] = field(default_factory=dict)
    _link: Connection | None = None
    _traces: dict[str, Trace] = field(default_factory=dict)

    def the(self, kind: type[T]) -> T:
        """Return the part of the world that is of this kind."""
        return next(part for part in self.world if isinstance(part, kind))

    def capture(self) -> Capture:
        """Make a capture of what the agents hear; enter it ``inside_agents``."""
        return Capture(self.heard_port or self.broker.port, self.interface)

    def publish(self, *messages: tuple[str, object], qos: int = 0) -> int:
        """Publish by a connection of ours, in one go; return when (ns). A lost one is made anew."""
        for _ in range(2):
            try:
                if self._link is None:
                    with self.inside():
                        self._link = Connection(self.broker.port, f"stage-{os.getpid()}-{time.monotonic_ns()}")
                made = [self._link.message(topic, payload, qos) for topic, payload in messages]
                at_ns = time.monotonic_ns()
                self._link.send(*made)
            except OSError as error:
                self._link, lost = None, error
            else:
                return at_ns
        raise BenchmarkError(f"the broker is not there: {lost}")

    def part(self, count: int) -> Stage:
        """Return the same with fewer nodes, and nothing noted."""
        return replace(self, nodes=self.nodes[:count], notes={})

    def trace(self, node: Node) -> Trace:
        """Return the trace of a node."""
        return self._traces.setdefault(node.name, Trace(node.trace))

    def prepare(self) -> None:
        """Bring every node to where a trial begins."""
        end = time.monotonic() + PREPARED_S
        rested = False
        while not rested:
            self._rest(end)
            for node in self.nodes:
                self._heard(node, end)
            rested = all(map(self._ready, self.nodes))
            if not rested:  # what a bad link left about to lapse lapsed; it is told, as nothing else should
                self.notes["put_back"] = self.notes.get("put_back", 0) + 1

    def _rest(self, end: float) -> None:
        """Have every node rest."""
        while waiting := [node for node in self.nodes if not self._ready(node)]:
            if time.monotonic() > end:
                found = {node.name: self.trace(node).levels() for node in waiting}
                said = waiting[0].log.read_text()[-2000:]
                raise BenchmarkError(f"not ready within {PREPARED_S:g} s: {found}\n{said}")
            rest = [(f"pimqtt/{node.name}/{device}/set", "ON") for node in waiting for device in ("lamp", "heater")]
            with contextlib.suppress(BenchmarkError):  # a broker that was started this moment
                self.publish(*rest)
            time.sleep(0.1)

    def _ready(self, node: Node) -> bool:
        """Whether a node runs and rests."""
        now = self.trace(node).levels()
        return all(now.get(pin) == level for pin, level in AT_REST.items()) and bool(node.pid("agent"))

    def _heard(self, node: Node, end: float) -> None:
        """Wait until an agent does what it is told: levels alone do not show that it is there."""
        trace = self.trace(node)
        before, value = trace.spare_changes, trace.levels()[SPARE]
        while trace.seen() and trace.spare_changes == before:
            if time.monotonic() > end:
                raise BenchmarkError(f"{node.name} does not hear the broker\n{node.log.read_text()[-2000:]}")
            with contextlib.suppress(BenchmarkError):
                self.publish((f"pimqtt/{node.name}/spare/set", "OFF" if value else "ON"))
            time.sleep(0.1)

    def hang_up(self) -> None:
        """Close our connection."""
        if self._link:
            self._link.close()
            self._link = None


def first_in_line(pid: int) -> None:
    """Give a process priority over ordinary work: it stands for one on another machine."""
    with contextlib.suppress(PermissionError):  # the report tells what was granted
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(PRIORITY))


def end(node: Node) -> None:
    """End a node and what is left of it."""
    left = node.descendants() if node.process else []
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    node.__exit__(None, None, None)
