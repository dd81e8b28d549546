"""The typed client: results, watching, driving by renewal, protocol versions, words for every trouble."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from pimqtt_agent.client import Client
from pimqtt_agent.client_broker import Broker
from pimqtt_agent.client_results import NoAnswerError, NotAllowedError
from pimqtt_agent.console.embedded import embedded
from pimqtt_agent.errors import BrokerError, PimqttError
from tests.console.test_doctor import closed_broker
from tests.rig import Mosquitto, Node, free_port, observer

pytestmark = pytest.mark.broker


@pytest.fixture
def broker5(house: Mosquitto) -> Broker:
    return Broker(port=house.port)


@pytest.mark.usefixtures("car1")
async def test_send_gives_the_result_and_bears_what_it_must(broker5: Broker) -> None:
    async with observer(broker5.port) as watcher, Client(broker5, owner="anna") as client:
        assert client.connection.version == "5"
        result = await client.send("car1/pump", "ON", ttl=0.3, priority=2)
        assert (result.accepted, result.state, result.ttl, result.holder) == (True, "ON", 0.3, "anna")
        assert result.round_trip_s
        sent = await watcher.wait("pimqtt/car1/pump/set", lambda seen: seen.json().get("owner") == "anna")
        message = sent.json()
        assert set(message) == {"value", "ttl", "priority", "owner", "id", "at", "expiry"}
        assert abs(message["at"] - time.time()) < 5
        assert sent.properties.MessageExpiryInterval == message["expiry"] == 3
        refused = await client.send("car1/pump", "maybe", owner="anonymous")
        assert (refused.outcome, refused.code, refused.owner) == ("rejected", "invalid", "anonymous")
        with pytest.raises(NoAnswerError):
            await client.send("car9/pump", "ON", timeout=0.3)
        with pytest.raises(PimqttError):
            await client.send("car1", "ON")


async def test_an_answer_that_never_comes_is_told(broker5: Broker) -> None:
    async with observer(broker5.port), Client(broker5) as client:  # somebody listens, nobody answers
        start_s = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"no answer from car7/pump within 0\.3 s"):
            await client.send("car7/pump", "ON", timeout=0.3)
        assert time.monotonic() - start_s >= 0.3


@pytest.mark.usefixtures("car1")
async def test_nodes_calls_stops_and_changes(broker5: Broker) -> None:
    async with Client(broker5) as client:
        (node,) = [node for node in await client.nodes() if node.id == "car1"]
        assert node.online
        assert (node.device("car") or {})["kind"] == "drive"
        assert (await client.call("car1", "get_version")).result["protocol"] == 1
        assert [result.target for result in await client.stop("car1/pump")] == ["car1/pump"]
        assert (await client.send("car1/pump", "ON", ttl=1)).code == "latched"
        assert all(result.accepted for result in await client.reset())
        async for change in client.watch("car1"):
            if change.name == "car1/pump" and change.what == "state":
                assert (change.content, change.retained) == ("OFF", True)
                break


async def test_driving_renews_without_a_gap_and_stops_at_the_end(broker5: Broker, car1: Node) -> None:
    since = len(car1.rows())
    async with Client(broker5) as client, client.drive("car1/car") as car:
        car.go({"x": 0, "y": 1})
        await asyncio.sleep(1.2)
        assert car.last is not None
        assert car.last.accepted
        assert car.last.token
        assert car.round_trip_s is not None
        car.go({"x": 0, "y": 0.5})
        await asyncio.sleep(0.3)
    levels = [row["value"] for row in car1.rows()[since:] if row["pin"] == 5]
    assert levels == [1, 0.5, 0]


async def test_an_exception_while_driving_stops(broker5: Broker, car1: Node) -> None:
    async def crash() -> None:
        async with Client(broker5) as client, client.drive("car1/car") as car:
            car.go({"x": 0, "y": 1})
            await asyncio.sleep(0.3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()
    assert car1.levels(5)[-1] == 0


async def test_a_stop_by_another_is_obeyed_until_go(broker5: Broker, car1: Node) -> None:
    async with Client(broker5) as client, Client(broker5) as other, client.drive("car1/car") as car:
        car.go({"x": 0, "y": 1})
        await asyncio.sleep(0.3)
        await other.send("car1/car", "stop")
        await asyncio.sleep(0.3)
        assert car.value is None
        assert car.refusal is not None
        assert car1.levels(5)[-1] == 0
        await asyncio.sleep(0.5)
        car.go({"x": 0, "y": 1})
        await asyncio.sleep(0.3)
        assert car1.levels(5)[-1] == 1


async def test_letting_go_of_what_another_holds_does_not_stop_it(broker5: Broker, car1: Node) -> None:
    async with Client(broker5) as client, Client(broker5) as other, other.drive("car1/car", priority=1) as theirs:
        theirs.go({"x": 0, "y": 0.6})
        await asyncio.sleep(0.2)
        since = len(car1.rows())
        async with client.drive("car1/car") as car:
            car.go({"x": 0, "y": 1})
            await asyncio.sleep(0.3)
            assert car.refusal is not None
            assert car.refusal.code == "held"
        await asyncio.sleep(0.2)
        assert [row for row in car1.rows()[since:] if row["pin"] == 5] == []


@pytest.mark.usefixtures("car1")
async def test_what_can_not_be_driven_is_told(broker5: Broker) -> None:
    async with Client(broker5) as client:
        with pytest.raises(PimqttError, match="can't be driven"):
            async with client.drive("car1/eye"):
                pass


async def test_3_1_1_where_the_broker_refuses_5() -> None:
    async with embedded(free_port()) as broker:
        start_s = time.monotonic()
        async with Client(Broker(port=broker.port)) as client:
            assert client.connection.version == "3.1.1"
            assert await client.nodes(settle=0.1) == []
        assert time.monotonic() - start_s < 2


async def test_a_lost_connection_ends_what_waits(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        async with Client(Broker(port=broker.port)) as client:
            watching = client.watch()
            waiting = asyncio.ensure_future(anext(watching))
            await asyncio.sleep(0.3)
            broker.stop()
            with pytest.raises(BrokerError, match="was lost"):
                await waiting
            with pytest.raises(BrokerError, match="was lost"):
                await client.send("car1/pump", "ON")


@pytest.mark.parametrize(("broker", "words"), [
    (Broker(port=1), "can't be reached: Connection refused"),
    (Broker(host="no.such.host.invalid"), "there is no host 'no.such.host.invalid'"),
    (Broker(tls=True, ca="/missing.crt"), "TLS: No such file or directory"),
])  # fmt: skip
async def test_trouble_is_told_in_a_sentence(broker: Broker, words: str) -> None:
    with pytest.raises(BrokerError) as trouble:
        await Client(broker).__aenter__()
    assert words in str(trouble.value)
    assert "\n" not in str(trouble.value)


async def test_a_silent_listener_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client(Broker(port=server.getsockname()[1], protocol="3.1.1"))
        with pytest.raises(BrokerError, match="does not answer as an MQTT broker"):
            await client.__aenter__()


async def test_missing_rights_are_told(tmp_path: Path) -> None:
    with closed_broker(tmp_path, "pattern read pimqtt/#\n") as broker:
        async with Client(Broker(port=broker.port, user="car1", password="secret")) as client:
            with pytest.raises(NotAllowedError, match=r"does not let 'car1' publish to pimqtt/car1/pump/set"):
                await client.send("car1/pump", "ON", timeout=0.3)
        with pytest.raises(BrokerError, match="refuses the login of 'car2'"):
            await Client(Broker(port=broker.port, user="car2", password="secret")).__aenter__()
