"""What belongs to another generation of a keeper is dropped, on both sides of a real socket pair."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent import config
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper import process
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keepers import KeeperLink
from tests.rig import config as text

LAMP = "{id: lamp, kind: switch, pin: 27}"


def on(seq: int, *, stop: bool = False) -> wire.Do:
    return wire.Do(seq, "lamp", "", not stop, None, stop, "ann", 0, None, None, "", boottime_s(), None, False)


def everything(link: Link) -> list[wire.Message]:
    found: list[wire.Message] = []
    while batch := link.receive():
        found += [message for _, message in batch]
    return found


# ---- the keeper


@pytest.fixture
def control() -> tuple[socket.socket, socket.socket]:
    """The supervisor's end, and the keeper's."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    return ends


@pytest.fixture
def keeper(tmp_path: Path, control: tuple[socket.socket, socket.socket]) -> Iterator[tuple[process.Keeper, Link]]:
    """A pin keeper of generation 3, and the agent's end of its link."""
    file = tmp_path / "config.yaml"
    file.write_text(text(1883, LAMP))
    settings = config.load(file)
    ends, wake = pair(), os.pipe()
    task = process.Task(
        settings=settings, devices=settings.devices, generation=3, page=Page(), link=ends[1], control=control[1],
        runtime=tmp_path, owner=os.getpid(),
    )  # fmt: skip
    keeper, agent = process.Keeper(task, wake[0]), Link(ends[0])
    assert wire.Welcome in map(type, everything(agent))
    yield keeper, agent
    keeper._poller.close()
    for end in (*ends, *control):
        end.close()
    for descriptor in wake:
        os.close(descriptor)


def lamp(keeper: process.Keeper) -> Any:
    return keeper.shell.bench.mounted["lamp"].outputs[""].applied


@pytest.mark.parametrize("generation", [2, 4])
@pytest.mark.parametrize("many", [False, True])
def test_a_keeper_drops_what_was_meant_for_another(
    keeper: tuple[process.Keeper, Link], generation: int, *, many: bool
) -> None:
    running, agent = keeper
    agent.generation = generation
    if many:
        agent.hold()
    agent.send(on(1))
    agent.send(on(2, stop=True))
    agent.send(on(3))
    agent.release()
    for _ in range(3):
        running._read_link()
    assert lamp(running) is False
    assert everything(agent) == []
    agent.generation = 3
    agent.send(on(4))
    running._read_link()
    assert lamp(running) is True
    assert [message.seq for message in everything(agent) if isinstance(message, wire.Answer)] == [4]


def test_whoever_is_told_that_it_is_on_may_rely_on_the_supervisor_to_know_it(
    keeper: tuple[process.Keeper, Link], control: tuple[socket.socket, socket.socket]
) -> None:
    """Else a keeper that froze just then would be missed only by its slow beat, and nothing would end the lease."""
    running, agent = keeper
    running._beat(boottime_s())
    while control[0].recv(9) != process.BEAT_SLOW:
        """What it said while it opened."""
    agent.generation = 3
    agent.send(on(1))
    running._read_link()
    assert [message.seq for message in everything(agent) if isinstance(message, wire.Answer)] == [1]
    assert control[0].recv(9) == process.BEAT_FAST


def test_a_keeper_hears_an_agent_that_does_not_know_it_yet(keeper: tuple[process.Keeper, Link]) -> None:
    running, agent = keeper
    spec = running._task.settings.devices[0].model_dump(mode="json", exclude_unset=True)
    agent.send(wire.Hello(wire.VERSION, 77, [spec]))
    running._read_link()
    welcome = everything(agent)[0]
    assert isinstance(welcome, wire.Welcome)
    assert welcome.session == 77


# ---- the agent


class Agent:
    """The agent's side; ``told`` is what it took of its keeper's own accord."""

    def __init__(self) -> None:
        self.ends = pair()
        self.told: list[wire.Message] = []
        self.answers: list[wire.Answer] = []
        self.link = KeeperLink(
            "", self.ends[0], [], tell=lambda _link, message: self.told.append(message),
            ask_beat=lambda _name: None, after=lambda: None,
        )  # fmt: skip
        self.keeper = Link(self.ends[1])
        self.session = 0

    async def hear(self, generation: int, *messages: wire.Message) -> list[wire.Message]:
        """Send as the keeper of a generation; return what was taken."""
        self.told.clear()
        self.keeper.generation = generation
        for message in messages:
            self.keeper.send(message)
        await asyncio.sleep(0.02)
        asked = [message for message in everything(self.keeper) if isinstance(message, wire.Hello)]
        self.session = asked[-1].session if asked else self.session
        return list(self.told)

    async def welcome(self, generation: int) -> None:
        await self.hear(generation, wire.Welcome(wire.VERSION, self.session, []))
        assert self.link.welcome

    def ask(self) -> None:
        self.link.ask(on, self.answers.append)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    made = Agent()
    made.link.start()
    await made.hear(0)
    yield made
    made.link.stop()
    for end in made.ends:
        end.close()


Messages = Callable[[], list[wire.Message]]


def states() -> list[wire.Message]:
    return [wire.State("lamp", "", True), wire.Held("lamp", "", None, None, None, True, 0.0)]


async def test_an_agent_hears_nothing_of_a_keeper_that_did_not_greet_it(agent: Agent) -> None:
    assert await agent.hear(1, *states()) == []
    await agent.welcome(1)
    assert await agent.hear(1, *states()) == states()


async def test_an_agent_drops_what_the_keeper_before_said(agent: Agent) -> None:
    await agent.welcome(1)
    await agent.welcome(2)
    assert agent.link.replaced
    assert await agent.hear(1, *states()) == []
    assert await agent.hear(3, *states()) == [], "nor is the next one believed before it greets"
    assert await agent.hear(2, *states()) == states()


async def test_an_answer_of_another_generation_answers_nothing(agent: Agent) -> None:
    await agent.welcome(1)
    await agent.welcome(2)
    agent.ask()
    (asked,) = everything(agent.keeper)
    assert isinstance(asked, wire.Do)
    answer = wire.Answer(asked.seq, "", "", None, None, None, None, None)
    await agent.hear(1, answer)
    assert agent.answers == []
    await agent.hear(2, answer)
    assert agent.answers == [answer]


async def test_what_the_keeper_before_was_asked_is_refused_when_the_next_greets(agent: Agent) -> None:
    await agent.welcome(1)
    agent.ask()
    await agent.welcome(2)
    (refused,) = agent.answers
    assert (refused.code, refused.reason) == ("unavailable", "the keeper was replaced")
