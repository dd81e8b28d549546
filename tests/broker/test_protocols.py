"""Brokers that do not take MQTT 5, each in its own way, and what a session does when it is taken over."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from tests.broker.old_broker import OldBroker
from tests.broker.steps import CAR, LAMP, PUMP, connected, eventually, online, reached, replaced, results, text, told
from tests.rig import Node, Observer, free_port, wait_for

pytestmark = pytest.mark.broker

AVAILABILITY, INFO = "pimqtt/car1/availability", "pimqtt/car1/info"


@pytest.mark.parametrize("how", ["close", "ignore", "refuse", "refuse as 3"])
async def test_a_broker_that_does_not_take_version_5_is_spoken_to_in_3_1_1(tmp_path: Path, how: str) -> None:
    async with OldBroker(how) as broker:
        with Node(tmp_path / "node", text(broker.port, LAMP)) as running:
            started = time.monotonic()
            await eventually(lambda: "online" in broker.said(AVAILABILITY), 10, "online")
            assert time.monotonic() - started < (8 if how == "ignore" else 3)
            began = [5, 4] if how.startswith("refuse") else [5, 4, 5, 4]  # who is silent may have stood still
            assert broker.versions == began
            assert '"mqtt":"3.1.1"' in broker.said(INFO)[0].replace(" ", "")
            broker.command("pimqtt/car1/lamp/set", "ON")
            await reached(running, 27, 1)
            broker.drop()
            await eventually(lambda: broker.versions == [*began, 4], 5, "3.1.1 until the next start")
            await eventually(lambda: broker.said(AVAILABILITY).count("online") == 2, 5, "back")
            old = running.signal("agent", signal.SIGKILL)
            await replaced(running, "agent", old)
            await eventually(lambda: broker.versions == [*began, 4, *began], 10, "version 5 is tried again")
            await eventually(lambda: broker.said(AVAILABILITY).count("online") == 3, 5, "online in each session")
            assert await asyncio.to_thread(running.stop) == 0
            await eventually(lambda: broker.said(AVAILABILITY)[-1] == "offline", what="offline")
        assert "Traceback" not in running.log.read_text()


@pytest.mark.parametrize("how", ["close", "ignore"])
async def test_a_broker_that_took_version_5_and_then_says_nothing_is_not_spoken_to_in_3_1_1(
    tmp_path: Path, how: str
) -> None:
    """It stands still, or starts behind a proxy: with 3.1.1 no expiry would tell what came late from then on."""
    async with OldBroker() as broker:
        with Node(tmp_path / "node", text(broker.port, LAMP)) as running:
            await eventually(lambda: "online" in broker.said(AVAILABILITY), 10, "online")
            broker.five = how
            broker.drop()
            await eventually(lambda: len(broker.versions) >= 3, 15, "it tries again")
            broker.five = "take"
            await eventually(lambda: broker.said(AVAILABILITY).count("online") == 2, 15, "back")
            assert set(broker.versions) == {5}
            broker.five = "refuse"
            broker.drop()
            await eventually(lambda: broker.said(AVAILABILITY).count("online") == 3, 15, "it believes a refusal")
            assert broker.versions[-1] == 4
            assert "Traceback" not in running.log.read_text()


async def test_a_broker_that_stood_still_as_the_agent_started_is_spoken_to_in_version_5(tmp_path: Path) -> None:
    async with OldBroker() as broker:
        broker.runs.clear()
        with Node(tmp_path / "node", text(broker.port, LAMP)) as running:
            await eventually(lambda: broker.versions == [5, 4], 10, "both are tried")
            broker.runs.set()
            await eventually(lambda: "online" in broker.said(AVAILABILITY), 10, "online")
            assert broker.versions == [5, 4, 5]
            assert '"mqtt":"5"' in broker.said(INFO)[0].replace(" ", "")
            assert "Traceback" not in running.log.read_text()


@pytest.mark.parametrize("how", ["close", "refuse the login"])
async def test_only_a_broker_that_does_not_take_version_5_is_spoken_to_in_3_1_1(tmp_path: Path, how: str) -> None:
    async with OldBroker(how) as broker:
        only_five = 'protocol: "5"' if how == "close" else "keepalive: 15"
        with Node(tmp_path / "node", text(broker.port, LAMP, mqtt=only_five)) as running:
            await eventually(lambda: len(broker.versions) >= 3, 8, "it tries again")
            assert set(broker.versions) == {5}
            broker.five = "take"
            await eventually(lambda: "online" in broker.said(AVAILABILITY), 8, "online")
            assert "Traceback" not in running.log.read_text()


async def test_a_session_that_is_taken_over_backs_off_says_so_and_moves_nothing(tmp_path: Path) -> None:
    async with OldBroker() as broker:
        with Node(tmp_path / "node", text(broker.port, CAR)) as running:
            await eventually(lambda: "online" in broker.said(AVAILABILITY), 10, "online")
            broker.take_over()
            await eventually(lambda: "taken over" in running.log.read_text(), what="said so")
            await asyncio.sleep(2)
            assert broker.versions == [5]
            assert running.levels(5) == [0]


async def test_a_connection_that_ends_before_the_marker_is_renewed_at_once(tmp_path: Path) -> None:
    async with OldBroker() as broker:
        with Node(tmp_path / "node", text(broker.port, LAMP)) as running:
            await eventually(lambda: broker.versions, 10, "connected")
            for _ in range(3):
                broker.drop()
                await eventually(lambda: broker.clients == 1, 5, "back")
            # where it had just written something it tries one topic after the other, as a broker may have denied one
            await eventually(lambda: "online" in broker.said(AVAILABILITY), 20, "online")
            broker.command("pimqtt/car1/lamp/set", "ON")
            await reached(running, 27, 1)
            assert "Traceback" not in running.log.read_text()


# ---- amqtt, the broker of the demo

AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
config = {{
    "listeners": {{"default": {{"type": "tcp", "bind": "127.0.0.1:{port}"}}}},
    "plugins": {{"amqtt.plugins.authentication.AnonymousAuthPlugin": {{"allow_anonymous": True}}}},
}}
async def main():
    await Broker(config).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def amqtt(tmp_path: Path) -> Iterator[int]:
    """Run amqtt; return its port."""
    port = free_port()
    with (tmp_path / "amqtt.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", AMQTT.format(port=port)], stdout=log, stderr=log)
    try:
        wait_for(lambda: _listens(port), 15, "amqtt listens")
        yield port
    finally:
        process.terminate()
        process.wait(5)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_everything_works_on_amqtt(amqtt: int, tmp_path: Path) -> None:
    async with connected(amqtt, "watch", protocol=aiomqtt.ProtocolVersion.V311) as client:
        watch = Observer(client)
        collecting = asyncio.create_task(watch.collect())
        await client.subscribe([("pimqtt/#", 1), ("homeassistant/#", 1)])
        await watch.send("pimqtt/car1/lamp/set", "ON", retain=True)
        with Node(tmp_path / "node", text(amqtt, LAMP, PUMP, CAR)) as running:
            await online(watch)
            await reached(running, 27, 1)
            accepted = await told(watch, "pump", {"value": "ON", "ttl": 0.4, "owner": "me"}, qos=1)
            assert accepted["holder"] == "me"
            assert (await watch.result("pump", outcome="reverted"))["cause"] == "expired"
            await watch.send("pimqtt/car1/car/set", {"x": 0, "y": 1})
            await reached(running, 5, 1)
            await watch.send("pimqtt/car1/stop/set", "ON")
            await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "ON")
            await reached(running, 5, 0)
            assert (await told(watch, "car", {"value": {"x": 0, "y": 1}}))["code"] == "latched"
            since = len(watch.seen)
            await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
            await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since, timeout_s=10)
            await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "ON", since=since)
            assert results(watch, "lamp", outcome="rejected") == []
            assert "Traceback" not in running.log.read_text()
        await watch.wait(AVAILABILITY, lambda s: s.text == "offline", since=len(watch.seen) - 3)
        collecting.cancel()
        await asyncio.wait({collecting})
