"""A keeper that is new to its agent hears at once when the broker was last alive: for it the delay goes on."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, cast

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import messages as wire
from tests.node_bench import Agent

HEATER = {"id": "heater", "kind": "switch", "pin": 27, "on_disconnect": {"after": 1}}
#: So often it is told anyway, and so long an agent may be away: too seldom for this test (s).
SELDOM_S, LINGER_S = 60.0, 300.0


async def test_the_last_sign_of_life_is_told_as_soon_as_a_keeper_is_there(tmp_path: Path) -> None:
    agent = Agent(tmp_path, HEATER)
    keeper = agent.keepers[""]
    heard_s = cast("Any", agent.wire).last_in_s = boottime_s()
    telling = asyncio.create_task(agent.session.prove(SELDOM_S, {"": keeper.link}, LINGER_S))
    await asyncio.sleep(0)
    keeper.link.start()
    await agent.settle()
    await agent.settle()
    told = [message.broker_s for message in keeper.asked if isinstance(message, wire.Proof)]
    telling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await telling
    keeper.close()
    assert told == [heard_s]
