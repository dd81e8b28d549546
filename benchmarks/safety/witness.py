"""What one node's trial showed: when its deadlines began is found here, the rest is judged."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plan import Row
from benchmarks.safety.capture import Packet, last_ns, mark, port_of
from benchmarks.safety.driving import Driving
from benchmarks.safety.fault import BAD_DELAY_S, Fault
from benchmarks.safety.judging import GRAIN_NS, Change, Facts, judge, level_at
from benchmarks.safety.pins import PinClass, Rule, speed
from benchmarks.safety.promises import Anchor
from benchmarks.safety.rows import moved, row_of
from benchmarks.safety.sender import EVERY_S, sent
from benchmarks.safety.spoilt import LAPSED, LATE, ON_ITS_WAY, Spoilt, ended_early, last_taken, wrong
from benchmarks.safety.stage import Stage
from tests.rig import Node

#: The keeper may hear of a sign of life so much later, on an agent's round (s).
TOLD_S = 0.2
HEATER, PUMP, LEFT_WHEEL = 27, 17, 5
#: What each pin did.
Pins = Mapping[int, list[Change]]


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
    #: when what was done was done: nobody knows whether what came meanwhile was heard
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
    anchors = _anchors(fault, pins, written, before, one, times)
    spoilt = [*_slow(fault, pins[LEFT_WHEEL], before, one), *_otherwise(fault, anchors, before, one, times)]
    facts = Facts(times.armed_ns, times.end_ns, anchors, steady=not fault.lossy)
    findings = judge(pins, fault.expected(rule), facts) if before else []
    excused: frozenset[PinClass] = frozenset().union(*(reason.explains for reason in spoilt))
    left_out = [found for found in wrong(findings) if found.of in excused]
    if spoilt:
        early = ended_early(pins, written, facts) if "motion" in excused else []
        findings = [*wrong(findings, excused), *early]
    elif fault.floods:
        findings += ended_early(pins, written, facts)  # who is flooded may be late, and ends no lease before its time
    row = row_of(fault.name, rule, one.node.name, findings, spoilt[0].why if spoilt else "")
    row |= {"excused": moved(left_out)} if spoilt else {}
    return {**row, "way_s": {} if spoilt or fault.lossy else _way_s(pins, before)}


def _anchors(
    fault: Fault, pins: Pins, written: list[int], before: list[int], one: Driven, times: Times
) -> dict[Anchor, int]:
    """Tell when deadlines began. Motion's with the last renewal that came: one may die with the broker."""
    anchors: dict[Anchor, int] = {"fault": one.fault_ns}
    if before:
        taken_ns, _ = last_taken(pins[LEFT_WHEEL], before)
        anchors |= {"renewal": written[-1] if fault.still_heard else taken_ns or before[-1], "command": written[0]}
    if fault.lossy:
        anchors |= _through_loss(pins, times, one)
    elif fault.wants_capture:
        port = port_of(times.packets, one.node.name, one.fault_ns)
        anchors["proof"] = last_ns(times.packets, port, one.fault_ns)
    return anchors


def _otherwise(
    fault: Fault, anchors: Mapping[Anchor, int], before: list[int], one: Driven, times: Times
) -> Iterator[Spoilt]:
    """Tell what was not as the fault wants it."""
    if fault.lossy and before and 0 < anchors["renewal"] < before[-1] + BAD_DELAY_S * 1e9 - GRAIN_NS:
        yield Spoilt("the link was not bad", LATE.explains)
    if fault.wants_capture and not anchors["proof"]:
        yield Spoilt("nothing was seen to pass", frozenset(("heater",)))
    if fault.wants_capture and not fault.lossy and _came_meanwhile(times, one):
        yield Spoilt("something came while the fault was done")
    if fault.brings_old and not _came_late(times, one.node.name):
        yield Spoilt("none of the old commands came")
    if fault.logged and fault.logged not in node_said(one):
        yield Spoilt(f"the node did not log {fault.logged!r}")


def node_said(one: Driven) -> str:
    """Return what the node logged since the trial began."""
    with one.node.log.open("rb") as file:
        file.seek(one.said_from)
        return file.read().decode(errors="replace")


def _way_s(pins: Pins, before: list[int]) -> dict[str, float]:
    """Tell how long the last renewal that came, and the pump's command, took from their sender to the pin."""
    sent_ns, renewed_ns = last_taken(pins[LEFT_WHEEL], before)
    pumped_ns = next((t_ns for t_ns, value in pins[PUMP] if t_ns > before[0] and value), before[0])
    return {"motion": (renewed_ns - sent_ns) / 1e9, "pump": (pumped_ns - before[0]) / 1e9}


def _through_loss(pins: Pins, times: Times, one: Driven) -> dict[Anchor, int]:
    """Tell by the packets what came last, and when. The link may have been silent for the delay of `on_disconnect`."""
    packets, name = times.packets, one.node.name
    port = port_of(packets, name, sys.maxsize)
    fell_ns = next((t_ns for t_ns, value in pins[HEATER] if t_ns > times.armed_ns and not value), 0)
    return {
        "renewal": last_ns(packets, port, sys.maxsize, mark(name, "fan")),
        "command": last_ns(packets, port, sys.maxsize, mark(name, "pump")),
        "proof": last_ns(packets, port, fell_ns - round(TOLD_S * 1e9) if fell_ns else sys.maxsize),
    }


def _came_meanwhile(times: Times, one: Driven) -> bool:
    """Whether something came that was perhaps not heard: the kernel shows packets before it filters them."""
    port = port_of(times.packets, one.node.name, one.fault_ns)
    return last_ns(times.packets, port, one.struck_ns) > one.fault_ns


def _came_late(times: Times, name: str) -> bool:
    """Whether a command came after all was whole again: without any, a trial of old commands shows nothing."""
    wanted = mark(name, "car")
    return any(packet.t_ns > times.watched_ns and wanted in packet.payload for packet in times.packets)


def _slow(fault: Fault, wheel: list[Change], before: list[int], one: Driven) -> Iterator[Spoilt]:
    """Tell where the machine was so slow that the last renewal had not passed before the fault.

    Where the node has to do more than it can, that is the fault itself.
    """
    rival: frozenset[PinClass] = frozenset(("reverse",) if fault.rival else ())
    level = level_at(wheel, one.fault_ns)
    if not before or len(before) != one.tick + 1:
        yield Spoilt(LATE.why, LATE.explains | rival)
    elif not fault.lossy and not fault.floods and level != speed(len(before) - 1):
        yield ON_ITS_WAY if level else Spoilt(LAPSED.why, LAPSED.explains | rival)
