"""Ways to the broker: other prefixes, small packets, a WebSocket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.broker.session import AVAILABILITY, running_at, words
from tests.broker.steps import CAR, FAN, LAMP, PUMP, called, online, results, stored, told
from tests.rig import Mosquitto, free_port, observer

pytestmark = pytest.mark.broker


async def test_base_and_discovery_prefix_can_be_others(tmp_path: Path, broker: Mosquitto) -> None:
    with running_at(tmp_path, broker.port, "base: site/pi, discovery_prefix: ha", LAMP, PUMP) as running:
        async with observer(broker.port, ("#",)) as watch:
            await watch.wait("site/pi/car1/availability", lambda s: s.text == "online", 10)
            config_seen = (await watch.wait("ha/device/car1/lamp/config")).json()
            assert config_seen["components"]["main"]["command_topic"] == "site/pi/car1/lamp/set"
            reply = "site/pi/reply/me"
            await watch.send("site/pi/car1/lamp/set", "ON", ResponseTopic=reply, CorrelationData=b"1")
            assert (await watch.wait(reply)).json()["outcome"] == "accepted"
            since = len(watch.seen)
            await watch.send("homeassistant/status", "online")
            await watch.wait("site/pi/car1/lamp/state", since=since)
            assert {s.topic.split("/")[0] for s in watch.seen} == {"site", "ha", "homeassistant"}
            assert running.levels(27) == [0, 1]


async def test_the_largest_packet_of_the_broker_is_respected(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path, "max_packet_size 2500\n") as broker,
        running_at(tmp_path, broker.port, "keepalive: 15", LAMP, CAR, PUMP) as running,
    ):
        async with observer(broker.port) as watch:
            await watch.wait("homeassistant/device/car1/lamp/config", timeout_s=10)
            assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
            since = len(watch.seen)
            await watch.send("pimqtt/car1/lamp/set", json.dumps({"value": "x" * 1500}))
            assert (await watch.wait("pimqtt/car1/lamp/result", since=since)).json()["code"] == "invalid"
            await watch.send("pimqtt/car1/call", [{"action": "dance", "mine": "y" * 60}] * 12)
            await called(watch, action="get_version")
            assert words(watch, AVAILABILITY).count("offline") == 0
            assert not await stored(broker.port, "homeassistant/device/car1/car/config")
    log = running.log.read_text()
    assert "could not be announced" in log
    assert "Traceback" not in log
    assert "oversize" not in (tmp_path / "mosquitto.log").read_text()


async def test_a_websocket_is_a_way_in(tmp_path: Path) -> None:
    port = free_port()
    extra = f"listener {port}\nprotocol websockets\nsocket_domain ipv4\n"
    with (
        Mosquitto(tmp_path, extra) as broker,
        running_at(tmp_path, port, "transport: websockets, path: /mqtt", PUMP, FAN) as running,
    ):
        async with observer(broker.port) as watch:
            await online(watch)
            assert (await told(watch, "pump", {"value": "ON", "ttl": 0.4}, qos=1))["outcome"] == "accepted"
            await watch.result("pump", cause="expired")
            since = len(watch.seen)
            for number in range(50):  # Mosquitto writes 4 KB to a WebSocket and waits up to 100 ms before the next
                await watch.send("pimqtt/car1/pump/set", {"value": "ON" if number % 2 else "OFF", "id": f"w{number}"})
            await watch.result("pump", "w49", 5)
            assert len(results(watch, "pump", since, outcome="accepted")) == 50
            await watch.send("pimqtt/car1/pump/set", b"x" * 20_000)
            await watch.result("pump", timeout_s=5, code="invalid")
    assert "Traceback" not in running.log.read_text()
