"""What one read of the socket brings at once: the order in which it reaches the pins, and what never does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

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
CAR = {
    "id": "car", "kind": "drive", "left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19},
    "deadman": 0.5,
}  # fmt: skip
FAN = {"id": "fan", "kind": "motor", "forward": 23, "backward": 24, "deadman": 0.5}
LAMP = {"id": "lamp", "kind": "switch", "pin": 27}
EYE = {"id": "eye", "kind": "camera", "source": "synthetic"}


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
        asyncio.get_running_loop().remove_reader(self.link._link.fileno())
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


Start = Callable[..., Any]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[Agent] = []

    async def start(*specs: dict[str, Any]) -> Agent:
        started.append(Agent(tmp_path, *specs))
        for keeper in started[-1].keepers.values():
            keeper.link.start()
        await started[-1].settle()
        return started[-1]

    yield start
    for one in started:
        for keeper in one.keepers.values():
            keeper.close()


def forward(owner: str = "me", **more: Any) -> tuple[str, Any]:
    return "car/set", {"value": {"x": 0, "y": 1}, "owner": owner, **more}


@pytest.mark.parametrize("topic", ["pimqtt/stop/set", "stop/set", "car/stop/set"])
async def test_motion_that_was_read_before_an_emergency_stop_is_never_done_after_its_reset(
    agent: Start, topic: str
) -> None:
    running = await agent(CAR)
    await running.read(forward(id="m"), (topic, "ON"), (topic, "OFF"))
    assert [running.levels(line) for line in (5, 6, 13, 19)] == [[0]] * 4
    (refused,) = running.results("car")
    assert {"id": "m", "outcome": "rejected", "code": "latched", "owner": "me"}.items() <= refused.items()
    assert "'y': 1" in refused["reason"]
    await running.read(forward())  # its next renewal would undo the stop
    assert [result["code"] for result in running.results("car")] == ["let_go"]
    await running.read(forward("you", id="y"))
    assert [result["outcome"] for result in running.results("car")] == ["accepted"]
    assert running.levels(5) == [0, 1]


async def test_so_is_motion_that_came_before_our_marker(agent: Start) -> None:
    running = await agent(CAR, LAMP)
    running.session.replaying = True
    await running.read(forward(), ("lamp/set", "ON"), ("stop/set", "ON"), ("stop/set", "OFF"), forward("you"))
    assert running.results("car") == []
    running.session.replaying, held = False, running.session.held
    running.session.replayed(held)
    await running.settle()
    assert [(result["owner"], result["code"]) for result in running.results("car")] == [("me", "latched")]
    assert running.levels(5) == [0, 1]  # what came after the reset
    assert running.levels(27) == [0]


async def test_a_stop_of_one_device_leaves_what_waits_for_others(agent: Start) -> None:
    running = await agent(CAR, FAN, LAMP)
    await running.read(
        forward(), ("fan/set", 50), ("lamp/set", "ON"), ("car/limit/set", 40), ("car/stop/set", "ON"),
        ("car/stop/set", "OFF"),
    )  # fmt: skip
    assert [result["code"] for result in running.results("car")] == ["latched"]
    assert (running.levels(5), running.levels(23), running.levels(27)) == ([0], [0, 0.5], [0, 1])
    assert ("pimqtt/car1/car/limit/state", "40") in running.wire.told  # a setting: no stop changes it


async def test_a_level_that_was_read_before_it_stays_off_and_its_own_stop_is_still_done(agent: Start) -> None:
    running = await agent(LAMP, {**LAMP, "id": "horn", "pin": 4})
    await running.read(("horn/set", "ON"))
    await running.read(
        ("lamp/set", {"value": "ON", "id": "a"}), ("horn/set", {"value": "OFF", "id": "b"}), ("stop/set", "ON"),
        ("stop/set", "OFF"), ("lamp/set", {"value": "ON", "id": "c"}),
    )  # fmt: skip
    assert [(told["id"], told["code"]) for told in running.results("lamp")] == [("a", "latched"), ("c", None)]
    assert [told["outcome"] for told in running.results("horn") if told["id"] == "b"] == ["accepted"]
    assert (running.levels(27), running.levels(4)) == ([0, 1], [0, 1, 0])


@pytest.mark.parametrize("stopper", ["me", "you"])
async def test_motion_that_was_read_before_its_stop_is_dropped(agent: Start, stopper: str) -> None:
    running = await agent(CAR)
    await running.read(forward(id="m"), ("car/set", {"value": "stop", "owner": stopper}))
    (refused,) = running.results("car")
    assert (refused["id"], refused["code"]) == ("m", "stale")
    assert "'y': 1" in refused["reason"]
    assert running.levels(5)[1:] in ([], [0])
    await running.read(forward(id="n"))
    codes = [result["code"] for result in running.results("car")]
    assert codes == ([None] if stopper == "me" else ["let_go"])  # who was stopped by another lets go first


async def test_who_sent_the_safe_value_before_an_emergency_stop_has_let_go(agent: Start) -> None:
    running = await agent(CAR)
    still = {"value": {"x": 0, "y": 0}, "owner": "me", "ttl": 0.2}
    await running.read(("car/set", still), ("stop/set", "ON"), ("stop/set", "OFF"))
    await running.read(forward(id="next"))
    assert [result["code"] for result in running.results("car")] == ["latched", None]


async def test_levels_do_not_wait_for_a_camera_that_does_not_answer(agent: Start) -> None:
    running = await agent(LAMP, EYE)
    await running.read(*[("eye/snapshot/set", "PRESS")] * 150, ("lamp/set", {"value": "ON", "id": "l"}))
    assert [result["outcome"] for result in running.results("lamp")] == ["accepted"]
    assert running.levels(27) == [0, 1]
    assert running.results("eye/snapshot") == []
    presses = [message for message in running.keepers["eye"].asked if isinstance(message, wire.Press)]
    assert len(presses) == 100  # the rest stays here
    await asyncio.sleep(0.35)
    running.intake.pump()
    await running.settle()
    told = running.results("eye/snapshot")
    assert {result["code"] for result in told} == {"unavailable"}
    assert len(told) == 150
    assert all("'PRESS'" in result["reason"] for result in told)


async def test_a_repeat_is_known_after_very_many_other_commands(agent: Start) -> None:
    running = await agent({**LAMP, "ttl": {"default": 5}})
    await running.read(("lamp/set", {"value": "ON", "id": "first"}), qos=1)
    (first,) = running.results("lamp")
    for number in range(60):
        many = [("lamp/set", {"value": "ON", "ttl": 9, "id": f"{number}-{n}"}) for n in range(50)]
        await running.read(*many, qos=1)
    assert len(running.results("lamp")) == 3000
    leases = len(running.keepers[""].asked)
    await running.read(("lamp/set", {"value": "ON", "id": "first"}), qos=1)
    assert running.results("lamp") == [first]
    assert len(running.keepers[""].asked) == leases


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("nobody/set", '{"value": NaN, "id": "q"}', "invalid"),
        ("nobody/set", '{"value": "ON", "tll": 5, "id": "q"}', "invalid"),
        ("nobody/set", '{"value": "ON", "id": "q"}', "unknown"),
        ("nobody/set", "x" * 70_000, "unknown"),
        ("system/reboot/set", '{"value": "PRESS", "ttl": "x", "id": "q"}', "invalid"),
        ("system/reboot/set", "PRESS", "forbidden"),
        ("sim/4/set", "2", "invalid"),
        ("sim/4/set", "1", "forbidden"),
    ],
)
async def test_of_several_codes_the_first_is_told(agent: Start, topic: str, payload: str, code: str) -> None:
    running = await agent(LAMP)
    await running.read((topic, payload))
    (refused,) = running.results(topic.removesuffix("/set"))
    assert (refused["outcome"], refused["code"]) == ("rejected", code)
    assert len(json.dumps(refused)) < 1000


async def test_a_long_value_is_not_repeated_whole(agent: Start) -> None:
    running = await agent(LAMP)
    await running.read(("nobody/set", {"value": "x" * 60_000, "id": "q"}))
    (refused,) = running.results("nobody")
    assert refused["id"] == "q"
    assert len(refused["value"]) < 200
