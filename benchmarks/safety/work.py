"""Ordinary work of a node that has a tenth of one core: nobody may take its pin keeper for frozen."""

from __future__ import annotations

import random
import time

from benchmarks.plan import Row
from benchmarks.safety.driving import driving
from benchmarks.safety.plan import Part
from benchmarks.safety.rows import row_of
from benchmarks.safety.sender import Orders
from benchmarks.safety.stage import Stage
from benchmarks.safety.wire import Connection, fields
from benchmarks.safety.world.pulse import Pulse
from tests.rig import Node

#: It is driven for so long, then left alone for so long (s), and again.
DRIVE_S, PAUSE_S = 20.0, 5.0
#: How often something else is switched or asked (s).
EVERY_S = 0.5
KEEPER = "keeper pins"


def run_part(part: Part, chance: random.Random, _pulse: Pulse, first: int = 0) -> list[Row]:
    """Work for a while; return one row, whose ``moved`` tells of processes that were replaced."""
    with part.fault.make(part.nodes, part.rule) as stage:
        stage.prepare()
        (node,) = stage.nodes
        worker = Worker(stage, node, chance)
        end_s = time.monotonic() + part.work_s
        while time.monotonic() < end_s:
            worker.turn(end_s)
        worker.link.close()
    row = row_of(part.fault.name, part.rule, node.name, [])
    moved = [f"{role} was replaced {count} times" for role, count in worker.lost.items() if count]
    told = {"replaced": worker.lost[KEEPER], "work_s": part.work_s, "commands": worker.done, "refused": worker.refused}
    return [{**row, "round": first, "moved": moved, **stage.notes, **told}]


class Worker:
    """Switches this and that while somebody drives, and watches who lives."""

    def __init__(self, stage: Stage, node: Node, chance: random.Random) -> None:
        """Listen to what is refused."""
        self._stage, self._node, self._chance = stage, node, chance
        self._living = {role: node.pid(role) for role in (KEEPER, "agent")}
        self.lost = dict.fromkeys(self._living, 0)
        self.done = self.refused = 0
        self.link = Connection(stage.broker.port, "work")
        self.link.subscribe(f"pimqtt/{node.name}/+/result")

    def turn(self, end_s: float) -> None:
        """Work while it is driven once, and for a pause."""
        orders = Orders(
            self._stage.broker.port, self._node.name, str(self._node.folder / "sent"), round(DRIVE_S * 10), pump=False
        )
        with driving(self._stage, orders) as sender:
            sender.ready()
            sender.begin(time.monotonic_ns())
            turn_end_s = min(time.monotonic() + DRIVE_S + PAUSE_S, end_s)
            while time.monotonic() < turn_end_s:
                self._switch()
                answers = (fields(data) for _, data in self.link.heard(time.monotonic() + EVERY_S))
                self.refused += sum(answer["outcome"] == "rejected" for answer in answers)
                self._look()

    def _switch(self) -> None:
        device = self._chance.choice(("lamp", "heater", "spare", "pump"))
        value = self._chance.choice(("ON", "OFF"))
        command = {"value": value, "ttl": 1.0} if (device, value) == ("pump", "ON") else {"value": value}
        self._stage.publish((f"pimqtt/{self._node.name}/{device}/set", command))
        self.done += 1

    def _look(self) -> None:
        for role, before in self._living.items():
            now = self._node.pid(role)
            self.lost[role] += now != before
            self._living[role] = now
