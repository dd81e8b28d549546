"""A node in this process: router and intake between a bridge that writes down and keepers with boards of fakes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from pimqtt_agent.answers import Answers
from pimqtt_agent.broker import Incoming
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices import KINDS
from pimqtt_agent.discovery import Node
from pimqtt_agent.intake import Intake, Job
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.shell import Shell
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.proofs import Proofs
from pimqtt_agent.reports import Reports
from pimqtt_agent.router import Router
from pimqtt_agent.session import Session
from pimqtt_agent.topics import Topics
from tests.fakes import FakeBoard

TOPICS = Topics("pimqtt", "car1")
NODE = Node(topics=TOPICS, identity="car1", title="Car", model="Pi")


class Wire:
    """A bridge that writes down what is published; the real one is tested with a real broker."""

    version, connected = "5", True

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        assert isinstance(qos + retain, int)
        assert correlation is None
        self.told.append((topic, payload if isinstance(payload, str) else payload.decode()))
        return True

    def room(self, topic: str, correlation: bytes | None = None) -> float:
        assert topic
        assert correlation is None
        return float("inf")

    def flush(self) -> None:
        """Nothing waits."""


class Announcer:
    again: Callable[[], None]


class Keeper:
    """A link to a keeper in this process; ``shell`` is the pins' own, a camera's only says that it is there."""

    def __init__(self, name: str, specs: list[dict[str, Any]], tell: Any) -> None:
        agent, keeper = pair()
        self.link = KeeperLink(name, agent, specs, tell=tell, ask_beat=lambda _name: None, after=lambda: None)
        self._end = Link(keeper, 1)
        self.board = FakeBoard()
        self.shell = Shell(self.board, Page(), self._end, linger_s=30, clock=boottime_s)
        self.asked: list[wire.Message] = []
        self.shell.open([] if name else [KINDS[spec["kind"]].model_validate(spec) for spec in specs])

    def work(self) -> None:
        """Do what came; presses of a camera stay unanswered."""
        while messages := self._end.receive():
            for _, message in messages:
                self.asked.append(message)
                if self.link.name and isinstance(message, wire.Hello):
                    self._end.send(wire.Welcome(wire.VERSION, message.session, []))
                elif not self.link.name:
                    self.shell.handle(message, boottime_s())

    def close(self) -> None:
        self.link.stop()
        self.link._link.socket.close()
        self._end.socket.close()


class Agent:
    """Router and intake of a node, between a bridge that writes down and keepers in this process."""

    def __init__(self, folder: Path, *specs: dict[str, Any]) -> None:
        self.model = Model(TOPICS, [KINDS[spec["kind"]].model_validate(spec) for spec in specs])
        self.wire, memory = Wire(), Memory(folder, self.model)
        self.session = Session(self.model, NODE, memory)
        bridge = cast("Any", self.wire)
        self.session.bridge, self.session.announcer = bridge, cast("Any", Announcer())
        self.session.replaying, self.session.online = False, True
        answers = Answers(bridge, lambda: True)
        reports = Reports(self.model, answers, bridge, memory, self.session, cast("Any", None))
        self.keepers = {
            name: Keeper(name, [spec for spec in specs if (spec["kind"] == "camera") == bool(name)], reports.take)
            for name in {spec["id"] if spec["kind"] == "camera" else "" for spec in specs}
        }
        self.intake = Intake(
            self.model, answers, self._keeper, self._press, memory=memory, wall_s=lambda: None,
            priority_cap=lambda _owner: 9, may_simulate=False,
        )  # fmt: skip
        self.router = Router(
            model=self.model, bridge=bridge, session=self.session, intake=self.intake, answers=answers,
            calls=cast("Any", None), memory=memory, keeper=self._keeper, again=lambda: None,
        )  # fmt: skip
        assert isinstance(self.session.proofs, Proofs)

    async def settle(self) -> None:
        """Let keepers and agent do what was asked of them."""
        for _ in range(4):
            for keeper in self.keepers.values():
                keeper.work()
            await asyncio.sleep(0.005)

    async def read(self, *messages: tuple[str, Any], qos: int = 0) -> None:
        """Read these messages at once: (the part of the topic after the node, payload)."""
        self.router.batch([incoming(topic, payload, qos) for topic, payload in messages], drained=True)
        self.intake.pump()
        await self.settle()

    def results(self, device: str) -> list[dict[str, Any]]:
        """Take what was told of a device."""
        topic = f"pimqtt/car1/{device}/result"
        found = [json.loads(payload) for name, payload in self.wire.told if name == topic]
        self.wire.told = [entry for entry in self.wire.told if entry[0] != topic]
        return found

    def levels(self, line: int) -> list[float]:
        """List what a line of the pins saw."""
        return [level for name, level in self.keepers[""].board.changes if name == line]

    def _keeper(self, device: str) -> KeeperLink:
        return self.keepers.get(device, self.keepers[""]).link

    def _press(self, job: Job, done: Callable[[wire.Answer], None]) -> None:
        device, key, at_s = job.thing.device.id, job.thing.entity.key, job.message.at_s
        self._keeper(device).ask(lambda seq: wire.Press(seq, device, key, at_s), done)


def incoming(topic: str, payload: Any, qos: int = 0) -> Incoming:
    data = payload if isinstance(payload, str) else json.dumps(payload)
    name = topic if topic.startswith("pimqtt/") else f"pimqtt/car1/{topic}"
    return Incoming(name, data.encode(), qos, False, boottime_s())
