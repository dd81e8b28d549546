"""What one node's trial showed: when its deadlines began is found here, the rest is judged."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plan import Row
from benchmarks.safety.capture import Packet, last_ns, mark, port_of
from benchmarks.safety.driving import Driving
from benchmarks.safety.fault import BAD_DELAY_S, Fault
from benchmarks.safety.judging import GRAIN_NS, Change, Facts, inexcusable, judge, level_at
from benchmarks.safety.pins import Rule, speed
from benchmarks.safety.promises import Anchor
from benchmarks.safety.rows import row_of
from benchmarks.safety.sender import EVERY_S, sent
from benchmarks.safety.stage import Stage
from tests.rig import Node

#: The keeper may hear of a sign of life so much later, on an agent's round (s).
TOLD_S = 0.2
HEATER, PUMP, LEFT_WHEEL = 27, 17, 5


@dataclass(frozen=True)
class Times:
    """A round (ns, CLOCK_MONOTONIC): prepared, made whole again, over; and what passed meanwhile."""

    armed_ns: int
    watched_ns: int
    end_ns: int
    packets: list[Packet]


@dataclass
class Driven:
    """A node under way; what it says from ``said_from`` on in its log belongs to this trial."""

    node: Node
    tick: int
    log: Path
    senders: list[Driving]
    start_ns: int = 0
    fault_ns: int = 0
    #: when what was done was done: until then something may have passed
    struck_ns: int = 0
    said_from: int = 0

    @property
    def due_ns(self) -> int:
        """The middle between the last renewal before the fault and the next."""
        return self.start_ns + round((self.tick + 0.5) * EVERY_S * 1e9)


def judged(stage: Stage, fault: Fault, rule: Rule, one: Driven, times: Times) -> Row:
    """Make the row of a trial."""
    pins, written = stage.trace(one.node).seen(), sent(one.log)
    before = [at_ns for at_ns in written if at_ns < one.fault_ns]
    void = _void(fault, pins[LEFT_WHEEL], before, one)
    anchors: dict[Anchor, int] = {"fault": one.fault_ns}
    if before:
        anchors |= {"renewal": written[-1] if fault.still_heard else before[-1], "command": written[0]}
    if fault.lossy:
        anchors |= _through_loss(pins, times, one)
        if before and 0 < anchors["renewal"] < before[-1] + BAD_DELAY_S * 1e9 - GRAIN_NS:
            void = void or "the link was not bad"
    elif fault.wants_capture:
        port = port_of(times.packets, one.node.name, one.fault_ns)
        anchors["proof"] = last_ns(times.packets, port, one.struck_ns)
    if fault.wants_capture and not anchors["proof"]:
        void = void or "nothing was seen to pass"
    if fault.brings_old and not _came_late(times, one.node.name):
        void = void or "none of the old commands came"
    if fault.stamp == "expiry" and _slipped(times, one):
        void = void or "an old command waited in the network, not in the broker"
    if fault.logged and fault.logged not in node_said(one):
        void = void or f"the node did not log {fault.logged!r}"
    facts = Facts(times.armed_ns, times.end_ns, anchors, steady=not fault.lossy)
    findings = judge(pins, fault.expected(rule), facts) if before else []
    if void:
        findings = [] if fault.rival else inexcusable(findings)
    row = row_of(fault.name, rule, one.node.name, findings, void)
    return {**row, "way_s": {} if void or fault.lossy else _way_s(pins, before, one)}


def node_said(one: Driven) -> str:
    """Return what the node logged since the trial began."""
    with one.node.log.open("rb") as file:
        file.seek(one.said_from)
        return file.read().decode(errors="replace")


def _way_s(pins: Mapping[int, list[Change]], before: list[int], one: Driven) -> dict[str, float]:
    """Tell how long the last renewal, and the pump's command, took from their sender to the pin."""
    renewed_ns = next(t_ns for t_ns, _ in reversed(pins[LEFT_WHEEL]) if before[-1] < t_ns <= one.fault_ns)
    pumped_ns = next((t_ns for t_ns, value in pins[PUMP] if t_ns > before[0] and value), before[0])
    return {"motion": (renewed_ns - before[-1]) / 1e9, "pump": (pumped_ns - before[0]) / 1e9}


def _through_loss(pins: Mapping[int, list[Change]], times: Times, one: Driven) -> dict[Anchor, int]:
    """Tell by the packets what came last, and when. The link may have been silent for the delay of `on_disconnect`."""
    packets, name = times.packets, one.node.name
    port = port_of(packets, name, sys.maxsize)
    fell_ns = next((t_ns for t_ns, value in pins[HEATER] if t_ns > times.armed_ns and not value), 0)
    return {
        "renewal": last_ns(packets, port, sys.maxsize, mark(name, "fan")),
        "command": last_ns(packets, port, sys.maxsize, mark(name, "pump")),
        "proof": last_ns(packets, port, fell_ns - round(TOLD_S * 1e9) if fell_ns else sys.maxsize),
    }


def _came_late(times: Times, name: str) -> bool:
    """Whether a command came after all was whole again: without any, a trial of old commands shows nothing."""
    wanted = mark(name, "car")
    return any(packet.t_ns > times.watched_ns and wanted in packet.payload for packet in times.packets)


def _slipped(times: Times, one: Driven) -> bool:
    """Whether a command was sent on before the broker kept them: it comes before what filled the broker's window."""
    port = port_of(times.packets, one.node.name, one.fault_ns)
    late = b"".join(p.payload for p in times.packets if p.t_ns > times.watched_ns and p.port == port)
    driven, filled = late.find(mark(one.node.name, "car")), late.find(mark(one.node.name, "spare"))
    return 0 <= driven < filled


def _void(fault: Fault, wheel: list[Change], before: list[int], one: Driven) -> str:
    """Tell why a trial shows nothing: the machine was so slow that the last renewal had not passed before the fault."""
    if not before or len(before) != one.tick + 1:
        return "who drives was late"
    if not fault.lossy and level_at(wheel, one.fault_ns) != speed(len(before) - 1):
        return "the last renewal before the fault had not reached the pin"
    return ""
