"""What the next start must know survives a run in which nobody could say anything about it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.broker.frail import Frail
from tests.broker.steps import CAR, Start, online, told
from tests.rig import Observer

pytestmark = pytest.mark.broker

LAST = "{id: lamp, kind: switch, pin: 27, initial: last}"


async def test_a_latch_and_a_resting_value_outlive_a_run_whose_keeper_never_came_up(
    node: Start, watch: Observer, tmp_path: Path
) -> None:
    frail = Frail(tmp_path / "site")
    running = node(CAR, LAST, "{id: it, kind: frail, pin: 4}", env=frail.env)
    state = running.folder / "state" / "pimqtt" / "car1" / "state.json"
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await watch.send("pimqtt/car1/car/stop/set", "ON")
    await watch.wait("pimqtt/car1/car/stop/state", lambda s: s.text == "ON")
    running.stop()
    known = state.read_text()
    assert ('"lamp":true' in known, '"car"' in known) == (True, True)
    frail.fails("crash")  # every keeper at its start
    since = len(watch.seen)
    running.start(wait=False)
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 15, since)
    await asyncio.sleep(1.5)
    running.stop()
    assert not [s for s in watch.seen[since:] if s.topic == "pimqtt/car1/car/stop/state"]  # nobody spoke for the pins
    assert state.read_text() == known
    frail.works("crash")
    since = len(watch.seen)
    running.start()
    await watch.wait("pimqtt/car1/car/stop/state", lambda s: s.text == "ON", 15, since)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"}))["code"] == "latched"
    assert running.levels(27)[-1] == 1
    assert 1 not in running.levels(5)
