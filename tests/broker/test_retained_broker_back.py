"""A broker that comes back, with what it had retained or without."""

from __future__ import annotations

import asyncio
import getpass
import signal
from pathlib import Path

import pytest

from tests.broker.retained import V311, both, commands_left, eventually_clear
from tests.broker.steps import CAR, LAMP, PUMP, Start, online, retain, stored, text, told
from tests.rig import Mosquitto, Node, Observer, observer, wait_for

pytestmark = pytest.mark.broker

PERSISTENT = "user {user}\npersistence true\npersistence_location {folder}/\nautosave_interval 1800\n"


@both
async def test_what_was_done_live_is_not_done_again_after_a_broker_with_persistence_came_back(
    tmp_path: Path, protocol: str
) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder, PERSISTENT.format(folder=folder, user=getpass.getuser())) as broker:
        content = text(broker.port, LAMP, CAR, mqtt=f'protocol: "{protocol}"')
        with Node(tmp_path / "node", content) as running:
            async with observer(broker.port) as watch:
                await online(watch)
                await told(watch, "lamp", {"value": "ON"}, retain=True)
                await told(watch, "lamp", {"value": "OFF"})
            broker.stop()
            running.signal("agent", signal.SIGSTOP)
            broker.start()
            left = {"pimqtt/car1/lamp/set"} if protocol == V311 else set()
            assert set(await commands_left(broker.port)) == left  # it has kept what nobody cleared
            await retain(broker.port, "pimqtt/car1/car/set", {"value": {"x": 0, "y": 1}, "id": "b"})
            running.signal("agent", signal.SIGCONT)
            async with observer(broker.port) as watch:
                await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10)
                assert (await watch.result("car", "b"))["code"] == "retained"
                assert (await told(watch, "car", {"value": {"x": 0, "y": 0.5}}))["outcome"] == "accepted"
            await eventually_clear(broker.port)
            assert running.levels(27) == [0, 1, 0]
            assert running.levels(5)[:2] == [0, 0.5]


@both
async def test_a_broker_that_lost_what_it_had_retained_gets_all_of_it_again(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = start(LAMP, PUMP, CAR)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 50, "owner": "me"})
    changing = ("pimqtt/car1/system/", "pimqtt/car1/pump/lease")

    async def kept() -> dict[str, bytes]:
        return {
            topic: payload
            for filtered in ("pimqtt/#", "homeassistant/#")
            for topic, payload in (await stored(broker.port, filtered)).items()
            if not topic.startswith(changing)
        }

    before = await kept()
    assert {"pimqtt/car1/availability", "pimqtt/car1/info", "pimqtt/car1/lamp/state"} < set(before)
    broker.stop(signal.SIGKILL)
    broker.start()
    async with observer(broker.port) as later:
        await online(later)
        await later.wait("pimqtt/car1/pump/lease", lambda s: s.json()["owner"] == "me")
        for _ in range(40):
            if (after := await kept()) == before:
                break
            await asyncio.sleep(0.05)
    assert after == before
    assert running.levels(27) == [0, 1]
    wait_for(lambda: running.levels(17) == [0, 1])


@both
async def test_a_broker_that_comes_back_with_the_info_of_an_agent_before_is_no_other_board(
    tmp_path: Path, protocol: str
) -> None:
    """It stores every half an hour: a crash brings back what was retained before the agent was replaced."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder, PERSISTENT.format(folder=folder, user=getpass.getuser())) as broker:
        content = text(broker.port, LAMP, mqtt=f'protocol: "{protocol}"')
        with Node(tmp_path / "node", content) as running:
            async with observer(broker.port) as watch:
                await online(watch)
                first = (await watch.wait("pimqtt/car1/info")).json()["instance"]
            broker.stop()
            broker.start()
            async with observer(broker.port) as watch:
                await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10)
                old = running.signal("agent", signal.SIGKILL)
                wait_for(lambda: running.pid("agent") not in (0, old), what="another agent")
                await watch.wait("pimqtt/car1/info", lambda s: s.json()["instance"] != first, 10)
                await told(watch, "lamp", {"value": "ON"})
            broker.stop(signal.SIGKILL)
            broker.start()
            async with observer(broker.port) as watch:
                await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "ON", 10)
                await watch.wait("pimqtt/car1/info", lambda s: s.json()["instance"] != first, 10)
                assert (await told(watch, "lamp", {"value": "OFF"}))["outcome"] == "accepted"
            assert "another agent" not in running.log.read_text()
