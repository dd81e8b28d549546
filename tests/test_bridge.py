"""The bridge on a raw broker: what is read and written at once, and what waits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Any

import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from pimqtt_agent import outbox
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import Incoming, SessionEnded
from pimqtt_agent.mqtt_client import Client
from pimqtt_agent.settings import MqttOptions

pytestmark = pytest.mark.asyncio

CONNACK, CONNACK_3 = b"\x20\x03\0\0\0", b"\x20\x02\0\0"
#: With Server Keep Alive 0.
CONNACK_NO_KEEPALIVE = b"\x20\x06\0\0\x03\x13\0\0"
#: With Server Keep Alive 1 (s).
CONNACK_KEEPALIVE_1 = b"\x20\x06\0\0\x03\x13\0\x01"
#: What sockets hold back, and readers (bytes): much less than what the outbox takes for full.
SMALL = 65536
PING, PONG = b"\xc0\0", b"\xd0\0"
#: A Message Expiry Interval of a minute, as properties.
EXPIRY = b"\x05\x02\0\0\0\x3c"
TOPIC = b"\0\x11pimqtt/n/pump/set"


class Broker:
    """Says yes to whoever connects, and reads as much as it ``may``."""

    def __init__(self, connack: bytes) -> None:
        self.connack = connack
        self.may = 1 << 40
        self.seen = bytearray()
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        self._writer = writer
        writer.write(self.connack)
        with contextlib.suppress(OSError):
            while True:
                while len(self.seen) >= self.may:
                    await asyncio.sleep(0.01)
                data = await reader.read(min(65536, self.may - len(self.seen)))
                if not data:
                    break
                self.seen += data
        writer.close()

    def write(self, data: bytes) -> None:
        assert self._writer
        self._writer.write(data)

    def end(self) -> None:
        assert self._writer
        self._writer.transport.abort()


@asynccontextmanager
async def connected(
    messages: list[Incoming], version: Any = "5", *, moves: bool = False, connack: bytes = b""
) -> AsyncIterator[tuple[Broker, Bridge]]:
    async def nothing() -> None:
        pass

    broker = Broker(connack or (CONNACK if version == "5" else CONNACK_3))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    server = await asyncio.start_server(broker.serve, sock=listener, limit=SMALL)
    options = MqttOptions(host="127.0.0.1", port=listener.getsockname()[1], protocol=version)
    bridge = Bridge(
        options, "n", on_session=nothing, on_batch=lambda batch, _drained: messages.extend(batch), moves=moves
    )
    session = asyncio.create_task(bridge.session())
    try:
        async with asyncio.timeout(5):
            while not bridge.connected:
                await asyncio.sleep(0.01)
        yield broker, bridge
    finally:
        session.cancel()
        with contextlib.suppress(asyncio.CancelledError, SessionEnded):
            await session
        server.close()


class Pinging(Client):
    """Counts the pings that it would send."""

    pings = 0

    def _packet_queue(self, *_packet: Any) -> MQTTErrorCode:
        self.pings += 1
        return MQTTErrorCode.MQTT_ERR_SUCCESS


class Clock:
    """What the client takes for the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        monkeypatch.setattr("pimqtt_agent.mqtt_client.boottime_s", lambda: self.now_s)

    def client(self) -> Pinging:
        return Pinging(callback_api_version=CallbackAPIVersion.VERSION2)

    def at(self, now_s: float, deed: Callable[[], object]) -> None:
        self.now_s = now_s
        deed()


def command(payload: bytes, *, properties: bytes = b"\0") -> bytes:
    body = TOPIC + properties + payload
    return bytes((0x30, len(body))) + body


@pytest.mark.parametrize("properties", [b"\0", b"\x02\x01\x01"], ids=["plain", "with a property"])
@pytest.mark.parametrize("count", [300, 2300, 9000])
async def test_a_stop_behind_very_many_commands_is_read_at_once(count: int, properties: bytes) -> None:
    """All of it may be in our buffer, of which no poller knows."""
    messages: list[Incoming] = []
    async with connected(messages) as (broker, _):
        broker.write(command(b"9", properties=properties) * count + command(b"stop", properties=properties))
        async with asyncio.timeout(2):
            while not messages or messages[-1].payload != b"stop":
                await asyncio.sleep(0.01)
    assert len(messages) == count + 1


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.01)


async def test_of_a_state_the_newest_is_the_last_that_a_slow_broker_reads() -> None:
    state = "pimqtt/n/heater/state"
    async with connected([], "3.1.1") as (broker, bridge):
        client: Any = bridge._client
        client.socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        bridge.publish(state, b"OFF", retain=True)
        bridge.flush()
        await until(lambda: broker.seen)
        broker.may = 0
        while len(client.out) <= outbox.FULL_BYTES:
            bridge.publish("pimqtt/n/eye", bytes(60_000))
            bridge.flush()
        bridge.publish(state, b"ON", retain=True)  # waits for the broker
        broker.may = len(broker.seen) + 1_000_000
        await until(lambda: len(client.out) <= outbox.FULL_BYTES)
        assert client.out
        bridge.publish(state, b"OFF", retain=True)
        bridge.flush()
        broker.may = 1 << 40
        await until(lambda: not client.out and not bridge._writing)
        await until(lambda: bytes(broker.seen).endswith(state.encode() + b"OFF"))  # at once
        assert state.encode() + b"ON" not in broker.seen


async def test_states_that_waited_leave_also_where_one_write_took_everything() -> None:
    state = "pimqtt/n/heater/state"
    async with connected([], "3.1.1") as (broker, bridge):
        client: Any = bridge._client
        client.out += b"\xc0\0" * (outbox.FULL_BYTES // 2 + 1)  # pings, in one batch
        bridge.publish(state, b"ON", retain=True)
        bridge.flush()
        await until(lambda: bytes(broker.seen).endswith(state.encode() + b"ON"))
        bridge.publish(state, b"OFF", retain=True)
        bridge.flush()
        await until(lambda: bytes(broker.seen).endswith(state.encode() + b"OFF"))


async def test_the_answer_to_a_ping_dates_what_comes_behind_it_and_a_late_one_is_asked_for_again_at_once() -> None:
    messages: list[Incoming] = []
    async with connected(messages, moves=True) as (broker, _):
        await until(lambda: PING in broker.seen)
        broker.write(command(b"0", properties=EXPIRY) + PONG + command(b"0", properties=EXPIRY))
        await until(lambda: len(messages) == 2)
        assert [message.way_s for message in messages] == [inf, inf], "it may have stood still before the session"
        await until(lambda: broker.seen.count(PING) == 2)
        await asyncio.sleep(0.6)
        broker.write(command(b"1", properties=EXPIRY) + PONG + command(b"2", properties=EXPIRY))
        await until(lambda: len(messages) == 4)
        before, behind = (message.way_s for message in messages[2:])
        assert before > behind > 0.55, "the ping left 0.6 s ago"
        async with asyncio.timeout(0.35):  # a regular one would come after 0.4 s
            await until(lambda: broker.seen.count(PING) == 3)
        broker.write(PONG + command(b"3", properties=EXPIRY))
        await until(lambda: len(messages) == 5)
        assert messages[-1].way_s < 0.4
        assert messages[-1].expiry_s == 60


@pytest.mark.parametrize(("version", "moves"), [("5", False), ("3.1.1", True)])
async def test_where_nothing_moves_or_bears_an_expiry_nobody_is_pinged_for_it(version: str, moves: bool) -> None:  # noqa: FBT001
    messages: list[Incoming] = []
    async with connected(messages, version, moves=moves) as (broker, _):
        broker.write(command(b"1", properties=EXPIRY if version == "5" else b""))
        await until(lambda: messages)
        assert messages[0].way_s == 0
        assert PING not in broker.seen


async def test_an_answer_belongs_to_the_ping_that_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client may ask once more of itself before the first answer has come."""
    now = Clock(monkeypatch)
    client = now.client()
    now.at(1.0, client._send_pingreq)
    now.at(1.3, client._send_pingreq)
    assert client.proven_s == 0
    for asked_s in (1.0, 1.3, 1.3):  # one that nobody asked for dates nothing
        now.at(1.4, client._handle_pingresp)
        assert client.proven_s == asked_s


@pytest.mark.parametrize("late_s", [1.1, 5.0])
async def test_who_answers_very_late_has_more_before_it_and_proves_nothing_for_a_while(
    monkeypatch: pytest.MonkeyPatch, late_s: float
) -> None:
    """A broker that stood still answers the ping that waited, and only then reads the commands that waited with it."""
    now, again = Clock(monkeypatch), list[float]()
    client = now.client()
    now.at(0.0, lambda: client.date(again.append))
    now.at(1.0, client.ping)
    now.at(1.0 + late_s, client._handle_pingresp)
    assert client.proven_s == -inf
    assert again == [0, pytest.approx(late_s / 4)]
    soon_s = 1.0 + late_s * 1.1
    now.at(soon_s, client.ping)
    now.at(soon_s + 0.01, client._handle_pingresp)
    assert client.proven_s == -inf
    assert again[2:] == [pytest.approx(late_s * 0.15 - 0.01)], "asked for within that while, it is asked for once more"
    later_s = 1.0 + late_s * 1.26
    now.at(later_s, client.ping)
    now.at(later_s + 0.01, client._handle_pingresp)
    assert client.proven_s == later_s
    assert len(again) == 3


async def test_as_a_session_begins_nothing_is_proven_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker may have been silent because it stood still, and what waited for it comes now."""
    now, again = Clock(monkeypatch), list[float]()
    client = now.client()
    now.at(10.0, lambda: client.date(again.append))
    assert client.proven_s == -inf
    for asked_s, proven_s in ((10.0, -inf), (10.9, -inf), (11.0, 11.0)):
        now.at(asked_s, client.ping)
        now.at(asked_s + 0.01, client._handle_pingresp)
        assert client.proven_s == proven_s


async def test_a_broker_that_wants_no_keepalive_is_not_taken_for_dead_by_the_first_ping() -> None:
    async with connected([], moves=True, connack=CONNACK_NO_KEEPALIVE) as (broker, bridge):
        await until(lambda: PING in broker.seen)
        await asyncio.sleep(1.2)  # the loop looks for the answer
        assert bridge.connected


async def test_a_broker_that_wants_to_hear_of_us_every_second_does() -> None:
    async with connected([], connack=CONNACK_KEEPALIVE_1) as (broker, bridge):
        async with asyncio.timeout(1.5):  # then it would hang up
            await until(lambda: PING in broker.seen)
        assert bridge.connected


async def test_the_end_of_a_connection_is_no_sign_of_life() -> None:
    """What is switched off some seconds after the last sign must not be on for longer since the broker was killed."""
    messages: list[Incoming] = []
    async with connected(messages) as (broker, bridge):
        broker.write(command(b"1"))
        await until(lambda: messages)
        heard_s = bridge.last_in_s
        assert heard_s == messages[0].at_s
        await asyncio.sleep(0.1)
        broker.end()
        await until(lambda: not bridge.connected)
        assert bridge.last_in_s == heard_s
