"""A keeper is killed in the middle of a write to what keepers share: its successor trusts nothing."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.broker.steps import LAMP, PUMP, Start, eventually_told, online, reached, replaced, told
from tests.rig import Observer

pytestmark = pytest.mark.broker


def tear(pid: int, name: bytes) -> None:
    """Spoil one byte of an output's slot in the memory that the supervisor shares with its keepers."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    shared = re.search(r"^(\w+)-(\w+) rw-s .* /dev/zero \(deleted\)$", maps, re.MULTILINE)
    assert shared
    start, end = (int(number, 16) for number in shared.groups())
    with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
        memory.seek(start)
        place = memory.read(end - start).find(name)
        assert place > 0
        memory.seek(start + place)
        memory.write(name[:-1] + b"?")


async def test_every_output_is_latched_until_a_reset(node: Start, watch: Observer) -> None:
    running = node(LAMP, PUMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    keeper, since = running.pid("keeper pins"), len(watch.seen)
    tear(keeper, b"lamp")
    running.signal("keeper pins", signal.SIGKILL)
    await replaced(running, "keeper pins", keeper)
    await watch.wait("pimqtt/car1/stop/state", lambda seen: seen.text == "ON", since=since)
    assert "torn" in running.log.read_text()
    assert await reached(running, 27, 0)
    assert await reached(running, 17, 0)
    assert (await eventually_told(watch, "lamp", {"value": "ON"}))["code"] == "latched"
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await online(watch, since)
    assert (await eventually_told(watch, "lamp", {"value": "ON"}))["code"] == "latched"
    since = len(watch.seen)
    await watch.send("pimqtt/car1/stop/set", "OFF")
    await watch.wait("pimqtt/car1/stop/state", lambda seen: seen.text == "OFF", since=since)
    assert running.levels(27)[-1] == 0
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
