"""The answer to a single command is watched for, for a moment, before the agent sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pimqtt_agent import keepers
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keepers import KeeperLink

pytestmark = pytest.mark.asyncio


class Asking:
    """An agent's end that has been welcomed, and the keeper's end."""

    def __init__(self) -> None:
        mine, other = pair()
        self.keeper, self.answers = Link(other, 1), list[wire.Answer]()
        self.link = KeeperLink("", mine, [], tell=lambda *_: None, ask_beat=lambda _: None, after=lambda: None)
        self._ends = mine, other
        self.link.start()
        hello = self.keeper.receive()[0][1]
        assert isinstance(hello, wire.Hello)
        self.keeper.send(wire.Welcome(wire.VERSION, hello.session, []))
        self.link._readable()

    def ask(self) -> int:
        """Ask for something; gives its number."""
        asked: list[int] = []

        def make(seq: int) -> Any:
            asked.append(seq)
            return wire.Token(seq, "pump", "")

        self.link.ask(make, self.answers.append)
        return asked[0]

    def answer(self, seq: int) -> None:
        """Answer as the keeper."""
        self.keeper.send(wire.Answer(seq, "", "", True, None, None, None, None))

    def close(self) -> None:
        """Close both ends."""
        asyncio.get_running_loop().remove_reader(self._ends[0].fileno())
        for end in self._ends:
            end.close()


@pytest_asyncio.fixture
async def asking(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asking]:
    monkeypatch.setattr(keepers, "WATCH_S", 0.05)
    asking = Asking()
    yield asking
    asking.close()


async def test_an_answer_that_is_there_is_taken_without_sleeping(asking: Asking) -> None:
    asking.answer(asking.ask())
    asking.link.watch()
    assert len(asking.answers) == 1


async def test_what_else_is_told_does_not_end_the_watch(asking: Asking) -> None:
    seq = asking.ask()
    asking.keeper.send(wire.State("pump", "", True))
    asking.answer(seq)
    asking.link.watch()
    assert len(asking.answers) == 1


async def test_without_an_answer_it_ends_by_itself(asking: Asking) -> None:
    asking.ask()
    began_s = time.monotonic()
    asking.link.watch()
    assert 0.05 <= time.monotonic() - began_s < 1
    assert not asking.answers


async def test_an_older_question_that_waits_is_not_watched_for(asking: Asking) -> None:
    asking.ask()
    asking.answer(asking.ask())
    asking.link.watch()
    began_s = time.monotonic()
    asking.link.watch()
    assert time.monotonic() - began_s < 0.05
    assert len(asking.answers) == 1


async def test_what_has_to_wait_is_not_watched_for(asking: Asking) -> None:
    asking.keeper.send(wire.Pending(asking.ask()))
    began_s = time.monotonic()
    asking.link.watch()
    assert time.monotonic() - began_s < 0.04


async def test_a_single_processor_is_the_keepers(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "WATCH_S", 0.0)
    asking.answer(asking.ask())
    asking.link.watch()
    assert not asking.answers
