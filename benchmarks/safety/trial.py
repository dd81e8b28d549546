"""One round: every node of a stage is driven, the fault comes, the traces are read and judged."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.plan import Row
from benchmarks.safety import healing
from benchmarks.safety.driving import driving
from benchmarks.safety.fault import Fault
from benchmarks.safety.pins import Rule
from benchmarks.safety.sender import EVERY_S, Orders
from benchmarks.safety.stage import Stage
from benchmarks.safety.witness import Driven, Times, judged
from tests.rig import Node

#: From when all who drive are ready to the first renewal (s).
LEAD_S = 0.05
#: The fault comes with one of these renewals, in the middle between it and the next.
FAULT_TICKS = range(7, 12)
#: Nodes that share a fault begin within this (s).
TOGETHER_S = 0.045
RIVAL, RIVAL_LATER_S = "rival", 0.03
ENDLESS = 10**6


def run_round(stage: Stage, fault: Fault, rule: Rule, number: int, chance: random.Random) -> list[Row]:
    """Do one trial on each node of the stage."""
    with ExitStack() as stack:
        with stage.inside_agents():
            capture = stack.enter_context(stage.capture()) if fault.wants_capture else None
        stage.prepare()
        if fault.around:
            stack.enter_context(fault.around(stage))
        armed_ns = time.monotonic_ns()
        tick = chance.choice(FAULT_TICKS)
        driven = [stack.enter_context(_driven(stage, fault, node, tick, number)) for node in stage.nodes]
        _begin(fault, driven)
        _strike(stage, fault, driven)
        _sleep_until(max(one.fault_ns for one in driven) + round(fault.watch_s * 1e9))
        watched_ns = time.monotonic_ns()
        if fault.settle_s:
            healing.heal(stage)
            time.sleep(fault.settle_s)
        times = Times(armed_ns, watched_ns, time.monotonic_ns(), capture.packets() if capture else [])
    rows = [{**judged(stage, fault, rule, one, times), "round": number} for one in driven]
    healing.heal(stage)
    healing.restore(stage)
    if fault.undo:
        fault.undo(stage)
    return rows


def _strike(stage: Stage, fault: Fault, driven: list[Driven]) -> None:
    """Do the deed to each at its moment, or once to what they share."""
    acts = [fault.deed(stage, one.node) for one in (driven[:1] if fault.shared else driven)]
    if fault.shared:
        _sleep_until(round(sum(one.due_ns for one in driven) / len(driven)))
        at_ns = time.monotonic_ns()
        acts[0]()
        struck_ns = time.monotonic_ns()
        for one in driven:
            one.fault_ns, one.struck_ns = at_ns, struck_ns
        return
    for one, act in zip(driven, acts, strict=True):
        _sleep_until(one.due_ns)
        one.fault_ns = one.struck_ns = time.monotonic_ns()
        act()
        if fault.killed:
            one.senders[0].kill()


@contextmanager
def _driven(stage: Stage, fault: Fault, node: Node, tick: int, number: int) -> Iterator[Driven]:
    """Start who drives a node."""
    log = node.folder / f"sent-{number}"
    count = ENDLESS if fault.killed else tick + 1 + round(fault.goes_on_s / EVERY_S)
    orders = [Orders(stage.broker.port, node.name, str(log), count, stamp=fault.stamp)]
    if fault.rival:
        theirs = Orders(stage.broker.port, node.name, f"{log}-{RIVAL}", ENDLESS, RIVAL, backward=True, pump=False)
        orders.append(theirs)
    with ExitStack() as stack:
        senders = [stack.enter_context(driving(stage, one)) for one in orders]
        yield Driven(node, tick, log, senders, said_from=node.log.stat().st_size)


def _begin(fault: Fault, driven: list[Driven]) -> None:
    """Have all drive, each at a moment of its own; where the fault is one for all, the moments are close together."""
    for one in driven:
        for sender in one.senders:
            sender.ready()
    start_ns = time.monotonic_ns() + round(LEAD_S * 1e9)
    apart_s = TOGETHER_S if fault.shared else EVERY_S
    for index, one in enumerate(driven):
        one.start_ns = start_ns + round(index * apart_s / len(driven) * 1e9)
        for later, sender in enumerate(one.senders):
            sender.begin(one.start_ns + round(later * RIVAL_LATER_S * 1e9))


def _sleep_until(t_ns: int) -> None:
    time.sleep(max(0.0, (t_ns - time.monotonic_ns()) / 1e9))
