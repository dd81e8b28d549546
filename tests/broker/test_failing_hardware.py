"""Hardware that can't be opened or fails later, under both kernel rules: told, tried again, never left on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimqtt_agent.hardware.levels import OUTPUT, Levels, Release
from tests.broker.frail import Frail
from tests.broker.steps import LAMP, LATE_S, PUMP, Start, eventually, kill_all, online, reached, replaced, seconds, told
from tests.rig import ROOT, Node, Observer

pytestmark = pytest.mark.broker

IT = "{id: it, kind: frail, pin: 4, ttl: {max: 60}}"
AVAILABILITY = "pimqtt/car1/it/availability"


@pytest.fixture
def frail(tmp_path: Path) -> Frail:
    return Frail(tmp_path / "site")


@pytest.fixture
def chip(tmp_path: Path) -> Iterator[Levels]:
    """The simulated chip as another program holds it."""
    folder = tmp_path / "node/run/pimqtt/car1"
    folder.mkdir(parents=True)
    for part in (folder, folder.parent, folder.parent.parent):
        part.chmod(0o700)
    levels = Levels(folder / "levels", Release())
    yield levels
    levels.close()


@pytest.mark.parametrize(("rule", "fell"), [("latch", []), ("pull", [0])])
async def test_an_output_that_can_no_longer_be_written_is_claimed_anew_at_rest_at_once(
    node: Start, watch: Observer, frail: Frail, rule: str, fell: list[int]
) -> None:
    running = node(IT, PUMP, env=frail.env, hardware=f", on_release: {rule}")
    await online(watch)
    await told(watch, "it", {"value": "ON", "ttl": 30, "id": "a", "owner": "me"})
    await asyncio.sleep(1)
    frail.fails("unwritable")
    since = len(watch.seen)
    answer = await told(watch, "it", {"value": "OFF", "ttl": 20, "owner": "me"})
    assert (answer["code"], answer["reason"]) == ("unavailable", "'OFF': it can't be written")
    ended = await watch.result("it", outcome="reverted")
    assert {"owner": "me", "cause": "stopped", "state": "OFF"}.items() <= ended.items()
    assert running.levels(4) == [0, 1, *fell, 0]
    words = [s.text for s in watch.seen[since:] if s.topic == AVAILABILITY]
    assert words == ["offline", "online"]
    await watch.wait("pimqtt/car1/it/state", lambda s: s.text == "OFF", since=since)
    await watch.wait("pimqtt/car1/it/lease", lambda s: s.payload == b"{}", since=since)
    frail.works("unwritable")
    assert (await told(watch, "it", {"value": "ON", "ttl": 30}))["outcome"] == "accepted"


async def test_a_lease_whose_end_can_not_be_written_still_ends_on_time(
    node: Start, watch: Observer, frail: Frail
) -> None:
    running = node(IT, env=frail.env)
    await online(watch)
    await told(watch, "it", {"value": "ON", "ttl": 1.2})
    frail.fails("unwritable")
    since = len(watch.seen)
    await reached(running, 4, 0)
    on, off = (row["t_ns"] for row in running.rows()[-2:])
    assert 0.9 < seconds(on, off) <= 1.2 + LATE_S
    await watch.wait("pimqtt/car1/it/state", lambda s: s.text == "OFF", since=since)


async def test_what_can_not_be_claimed_anew_is_told_once_and_tried_every_second(
    node: Start, watch: Observer, frail: Frail
) -> None:
    running = node(IT, PUMP, env=frail.env)
    await online(watch)
    await told(watch, "it", {"value": "ON", "ttl": 30})
    await asyncio.sleep(1)
    for how in ("unwritable", "unopenable"):
        frail.fails(how)
    since = len(watch.seen)
    await told(watch, "it", {"value": "OFF", "ttl": 20})
    await asyncio.sleep(3)
    assert running.levels(4) == [0, 1]  # nobody can say more of a line that can't be had
    assert [s.text for s in watch.seen[since:] if s.topic == AVAILABILITY] == ["offline", "offline"]
    assert running.log.read_text().count("it can't be opened") == 1
    assert (await told(watch, "pump", {"value": "ON"}))["outcome"] == "accepted"
    rows = json.loads((running.folder / "run/pimqtt/car1/safe.json").read_text())["rows"]
    assert sorted(row["device"] for row in rows) == ["it", "pump"]  # `pimqtt safe` still knows of it
    frail.works("unopenable")
    frail.works("unwritable")
    await reached(running, 4, 0, 1.3)
    await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since)


async def test_a_busy_line_is_told_tried_again_and_then_listed_for_safe(
    node: Start, watch: Observer, chip: Levels
) -> None:
    chip.claim(17, OUTPUT, 1)
    running = node(PUMP, LAMP)
    await watch.wait("pimqtt/car1/pump/availability", lambda s: s.text == "offline", 10)
    await online(watch)
    refused = await told(watch, "pump", {"value": "ON"})
    assert (refused["code"], refused["reason"]) == ("unavailable", f"'ON': line 17 is held by process {os.getpid()}")
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert running.levels(17) == []
    await asyncio.sleep(2)
    since = len(watch.seen)
    chip.free(17)
    await reached(running, 17, 0, 1.3)
    await watch.wait("pimqtt/car1/pump/availability", lambda s: s.text == "online", since=since)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    kill_all(running)
    assert running.levels(17)[-1] == 1
    command = [sys.executable, "-m", "pimqtt_agent", "safe", "-c", str(running.config)]
    done = await asyncio.to_thread(
        subprocess.run, command, env=running.env, cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (running.levels(17)[-1], running.levels(27)[-1]) == (0, 0)


async def test_a_line_that_is_taken_while_its_keeper_is_replaced_is_told(
    node: Start, watch: Observer, chip: Levels
) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    keeper = running.pid("keeper pins")
    taken_from(running, keeper, chip, 17)
    await replaced(running, "keeper pins", keeper)
    await watch.wait("pimqtt/car1/pump/availability", lambda s: s.text == "offline")
    assert (await watch.result("pump", cause="keeper_lost"))["owner"] == "me"
    chip.free(17)
    await reached(running, 17, 0, 1.3)


def taken_from(running: Node, keeper: int, chip: Levels, line: int) -> None:
    """Take a line the moment its keeper has been killed, before the supervisor knows."""
    assert running.process
    running.process.send_signal(signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    while chip.holder(line):
        pass
    chip.claim(line, OUTPUT, 1)
    running.process.send_signal(signal.SIGCONT)


async def test_a_keeper_whose_every_device_fails_lives(node: Start, watch: Observer, frail: Frail) -> None:
    frail.fails("unopenable")
    running = node(IT, env=frail.env)
    keeper = running.pid("keeper pins")
    await watch.wait(AVAILABILITY, lambda s: s.text == "offline", 10)
    await asyncio.sleep(1)
    assert running.pid("keeper pins") == keeper
    frail.works("unopenable")
    await eventually(lambda: running.levels(4) == [0], 1.5)
