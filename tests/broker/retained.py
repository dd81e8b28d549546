"""What the tests of retained commands share: both versions of MQTT, and what the broker has left."""

from __future__ import annotations

import asyncio

import pytest

from tests.broker.steps import stored

V5, V311 = "5", "3.1.1"
both = pytest.mark.parametrize("protocol", [V5, V311])


async def commands_left(port: int) -> dict[str, bytes]:
    """Return the commands that the broker has retained."""
    return {topic: payload for topic, payload in (await stored(port, "pimqtt/#")).items() if topic.endswith("/set")}


async def eventually_clear(port: int) -> None:
    for _ in range(40):
        if not await commands_left(port):
            return
        await asyncio.sleep(0.05)
    assert await commands_left(port) == {}
