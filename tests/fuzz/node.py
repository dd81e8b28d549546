"""A whole node in one process, from its router to a bench of pins; only the broker's and the kernel's ends are ours."""

from __future__ import annotations

import asyncio
import select
from pathlib import Path
from typing import Any, cast

from pimqtt_agent.announce import Announcer
from pimqtt_agent.answers import Answers
from pimqtt_agent.broker import Incoming
from pimqtt_agent.calls import Calls
from pimqtt_agent.departed import Departed
from pimqtt_agent.intake import Intake
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.shell import Shell
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.own import Own
from pimqtt_agent.pictures import Pictures
from pimqtt_agent.reports import Reports
from pimqtt_agent.router import Router
from pimqtt_agent.session import Session
from pimqtt_agent.settings import MqttOptions
from tests.fuzz.clockwork import Clock, Loop
from tests.fuzz.ends import Bench, Broker
from tests.fuzz.target import Finding
from tests.fuzz.things import CAMERA, DEVICES, IDENTITY, OWNERS, SYSTEM, TOPICS


class Node:
    """Made for one input, or for many."""

    def __init__(self, clock: Clock, loop: Loop, folder: Path) -> None:
        self.clock, self.loop = clock, loop
        self.broker, self.board = Broker(), Bench()
        self.asked: list[wire.Message] = []
        self.restarts = 0
        self.model = Model(TOPICS, [*DEVICES, CAMERA, SYSTEM])
        self.memory = Memory(folder, self.model)
        self.answers = Answers(cast("Any", self.broker), lambda: True)
        self.session = self._begin(Departed(folder, self.model.devices))
        self.link = self._connect()
        own = Own(SYSTEM, self.model, self.answers, restart=self._restart, flush=lambda: None)
        own._readings = {"load": 0.5}
        self.intake = self._take_in(own)
        self.router = self._route(own)
        self.shell = Shell(self.board, Page(), self.keeper_end, linger_s=1e9, clock=lambda: clock.now_s)
        self.shell.open(DEVICES)
        self.link._hello()
        self.work()
        self._rest = dict(self.board.levels)

    def _begin(self, departed: Departed) -> Session:
        session, bridge = Session(self.model, IDENTITY, self.memory), cast("Any", self.broker)
        session.attach(bridge, self.answers, Announcer(bridge, IDENTITY, [], None, departed))
        session.facts = lambda: {"clock_synchronised": True, "under_voltage": None}
        session.replaying, session.online, session._marker = False, True, "m"
        return session

    def _connect(self) -> KeeperLink:
        pictures = Pictures(MqttOptions(), "x", self.model)
        bridge = cast("Any", self.broker)
        reports = Reports(self.model, self.answers, bridge, self.memory, self.session, pictures)
        ours, theirs = pair()
        self.keeper_end, self._answers = Link(theirs, 1), select.poll()
        self._answers.register(ours, select.POLLIN)
        specs = [device.model_dump(mode="json", exclude_unset=True) for device in DEVICES]
        return KeeperLink(
            "",
            ours,
            specs,
            tell=reports.take,
            ask_beat=lambda _who: None,
            after=lambda: self.intake.pump(),  # noqa: PLW0108 - it is made later
        )

    def _take_in(self, own: Own) -> Intake:
        return Intake(
            self.model,
            self.answers,
            lambda _device: self.link,
            lambda job, done: own.press(job, done, lambda _device: self.link),
            memory=self.memory,
            wall_s=self.clock.time,
            priority_cap=lambda owner: OWNERS.get(owner, 9),
            may_simulate=True,
        )

    def _route(self, own: Own) -> Router:
        return Router(
            model=self.model,
            bridge=cast("Any", self.broker),
            session=self.session,
            intake=self.intake,
            answers=self.answers,
            calls=Calls(self.model, lambda _device: self.link, own.readings),
            memory=self.memory,
            keeper=lambda _device: self.link,
            again=lambda: None,
        )

    def work(self) -> None:
        """Let keeper and agent do what waits between them."""
        for _ in range(200):
            self.keeper_end.hold()
            came = self.keeper_end.receive()
            for _, message in came:
                self.asked.append(message)
                self.shell.handle(message, self.clock.now_s)
            self.keeper_end.release()
            if not came and not self._hear():
                return
        raise Finding("agent and keeper talk without end")

    async def settle(self) -> None:
        """Let tasks go on, too."""
        for _ in range(40):
            self.work()
            await asyncio.sleep(0)
            if not self.router._tasks and not self.loop._ready:  # type: ignore[attr-defined]
                break
        self.work()
        self.loop.raise_trouble()

    def forget(self) -> None:
        """Forget what was noted of earlier messages."""
        self.broker.told.clear()
        self.board.changes.clear()
        self.asked.clear()
        self.restarts = 0

    async def read(self, *messages: Incoming) -> None:
        """Read messages, as one wake-up."""
        self.router.batch(list(messages), drained=len(messages) == 1)
        self.intake.pump()
        await self.settle()

    async def wait(self, seconds: float) -> None:
        """Let time go on, the keeper waking as often as it wants to."""
        end_s = self.clock.now_s + seconds
        for _ in range(1000):
            due_s = min(self.shell.deadline_s(), end_s)
            self.clock.now_s = max(self.clock.now_s, due_s)
            self.shell.tick(self.clock.now_s)
            if due_s >= end_s:
                break
        self.clock.now_s = end_s
        self.router._alive_s = end_s
        self.shell.tick(end_s)
        await self.settle()

    async def clean(self) -> None:
        """Put everything to rest, as far as the ones who use it could: the next input begins there."""
        session = self.session
        session.read_back._reading, session.read_back._missing = False, set()
        if session.replaying or not session.online:
            session.replaying, session.online, session.held = False, True, []
            session._foreign = session._availability = ""
        if any(self.model.latched.values()) or self.board.levels != self._rest or self.shell._ledger.leased:
            for word in (b"ON", b"OFF"):
                await self.read(Incoming(TOPICS.all_stop, word, 0, False, self.clock.now_s))
            for name in ("car/limit", "truck/limit"):
                await self.read(Incoming(f"pimqtt/car1/{name}/set", b"100", 0, False, self.clock.now_s))
            await self.wait(3.0)

    async def close(self) -> None:
        """Give back what a process's end would."""
        for task in (*self.router._tasks, *self.session.announcer._tasks):
            task.cancel()
        self.session.read_back.stop()
        self.link.stop()
        self.memory._digests._close()
        await asyncio.sleep(0)
        self.link._link.socket.close()
        self.keeper_end.socket.close()

    def _restart(self) -> None:
        self.restarts += 1

    def _hear(self) -> bool:
        if not self._answers.poll(0):
            return False
        self.link._readable()
        return True
