"""The agent as a whole in this process: how it ends, also where a part of it fails."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent import config
from pimqtt_agent.agent import Agent
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper import process
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.store import Saved, load
from tests.rig import config as text
from tests.rig import free_port

LAMP = "{id: lamp, kind: switch, pin: 27, initial: last}"


class Bench:
    """An agent between a keeper's end and a supervisor's end, which the test holds."""

    def __init__(self, folder: Path) -> None:
        file = folder / "config.yaml"
        file.write_text(text(free_port(), LAMP, extra=f"state_dir: {folder / 'state'}\n"))
        self.folder = folder
        settings = config.load(file)
        self.supervisor, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.setblocking(False)
        self.agent_end, self.keeper_end = pair()
        self.keeper = Link(self.keeper_end, 1)
        self.agent = Agent(settings, {"": self.agent_end}, control)
        self.control = control

    async def run(self, then: Callable[[], Awaitable[None]]) -> None:
        """Run the agent; greet it as a keeper does, and tell it that the lamp rests at ON; then do what is wanted."""
        running = asyncio.ensure_future(self.agent.run())
        try:
            async with asyncio.timeout(5):
                while not (asked := self.keeper.receive()):
                    await asyncio.sleep(0.005)
                ((_, hello),) = asked
                assert isinstance(hello, wire.Hello)
                self.keeper.send(wire.Welcome(wire.VERSION, hello.session, []))
                self.keeper.send(wire.Held("lamp", "", None, None, None, True, 0.0))
                lamp = self.agent.model.thing("lamp", "")
                assert lamp
                while lamp.resting is not True:
                    await asyncio.sleep(0.005)
                await then()
                await running
        finally:
            running.cancel()

    @property
    def saved(self) -> Saved:
        (found,) = self.folder.rglob("state.json")
        return load(found.parent)

    def close(self) -> None:
        for end in (self.supervisor, self.control, self.agent_end, self.keeper_end):
            end.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def listening(*ends: socket.socket) -> list[bool]:
    """Tell of which descriptors the loop still listens; it forgets them."""
    return [asyncio.get_running_loop().remove_reader(end.fileno()) for end in ends]


@pytest.mark.parametrize("part", ["own", "pictures", "router"])
async def test_a_part_that_fails_ends_the_agent_and_what_it_knows_is_saved(
    bench: Bench, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = asyncio.Event()

    async def fails(*_arguments: Any) -> None:
        await failing.wait()
        raise RuntimeError("a fault of ours")

    name = "watch_stalls" if part == "router" else "run"
    monkeypatch.setattr(getattr(bench.agent, part), name, fails)

    async def then() -> None:
        assert not list(bench.folder.rglob("state.json")), "not yet: it is written in a second"
        failing.set()

    with pytest.raises(ExceptionGroup, match="TaskGroup") as caught:
        await bench.run(then)
    assert caught.group_contains(RuntimeError, match="a fault of ours")
    assert bench.saved == Saved(resting={"lamp": True})
    assert listening(bench.control, bench.agent_end) == [False, False]


@pytest.mark.parametrize("by", ["supervisor", "signal"])
async def test_a_stop_saves_and_closes_too(bench: Bench, by: str) -> None:
    async def then() -> None:
        bench.keeper.send(wire.Bye("stopped"))
        if by == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            bench.supervisor.send(process.STOP)

    await bench.run(then)
    assert bench.saved == Saved(resting={"lamp": True})
    assert listening(bench.control, bench.agent_end) == [False, False]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
