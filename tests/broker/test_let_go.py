"""Who was stopped must let go first: what the agent refuses before its keeper sees it is no letting go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.broker.steps import FAN, Start, eventually, online, reached, results, told
from tests.rig import Observer

pytestmark = pytest.mark.broker

REFUSED: dict[str, dict[str, Any]] = {
    "out_of_range": {"value": 101},
    "ttl_range": {"value": 50, "ttl": 9},
    "invalid": {"value": "fast"},
    "retained": {"value": 50},
}


@pytest.mark.parametrize("code", REFUSED)
async def test_refused_commands_are_not_letting_go(node: Start, watch: Observer, code: str) -> None:
    running = node(FAN)
    await online(watch)
    assert (await told(watch, "fan", {"value": 40, "owner": "me"}))["outcome"] == "accepted"
    assert (await told(watch, "fan", {"value": 0, "owner": "you"}))["outcome"] == "accepted"
    await reached(running, 23, 0)
    for _ in range(9):  # at 10 Hz, for nearly two dead-men
        command = {**REFUSED[code], "owner": "me"}
        await watch.send("pimqtt/car1/fan/set", command, retain=code == "retained")
        await asyncio.sleep(0.1)
    await eventually(lambda: len(results(watch, "fan", code=code)) == 9, what="refused")
    assert (await told(watch, "fan", {"value": 50, "owner": "me"}))["code"] == "let_go"
    assert (await told(watch, "fan", {"value": 30, "owner": "you"}))["outcome"] == "accepted"  # theirs alone
    await told(watch, "fan", {"value": 0, "owner": "you"})
    await asyncio.sleep(0.6)
    assert (await told(watch, "fan", {"value": 50, "owner": "me"}))["outcome"] == "accepted"
    assert [level for level in running.levels(23) if level] == [0.4, 0.3, 0.5]


async def test_whoever_has_let_go_is_not_held_for_a_mistake(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    await told(watch, "fan", {"value": 40, "owner": "me"})
    await told(watch, "fan", {"value": 0, "owner": "you"})
    await asyncio.sleep(0.7)
    assert (await told(watch, "fan", {"value": 101, "owner": "me"}))["code"] == "out_of_range"
    assert (await told(watch, "fan", {"value": 50, "owner": "me"}))["outcome"] == "accepted"
    await reached(running, 23, 0.5)
