"""An operator's connection to the broker, on aiomqtt: MQTT 5, else 3.1.1; every message goes to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import aiomqtt
from aiomqtt.client import ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from pimqtt_agent.client_broker import NO_CONNACK, Broker, tls_context, trouble
from pimqtt_agent.errors import BrokerError

T = TypeVar("T")

#: MQTT 5 is given up for 3.1.1 where no CONNACK came within this (s).
CONNACK_5_S, CONNACK_S, CALL_S = 2.0, 6.0, 5.0
#: Reason codes of MQTT 5: this version is not spoken, nobody listens there, no right to; from REFUSED on it failed.
UNSUPPORTED, NOBODY_LISTENS, REFUSED, NOT_ALLOWED = frozenset({1, 132}), 0x10, 0x80, 0x87
_NO_DELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message."""

    topic: str
    payload: bytes
    retain: bool


class _OtherVersionError(BrokerError):
    """The broker does not speak MQTT 5."""


class _Client(aiomqtt.Client):
    """aiomqtt, which drops the reason code that an acknowledgement bears."""

    acknowledged = 0

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if mid in self._pending_publishes:
            self.acknowledged = int(reason_code.value)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def abandon(self) -> None:
        """Close a connection that never came to be."""
        self._client.disconnect()


class Connection:
    """One connection; not renewed. ``version`` is the protocol that was agreed on."""

    def __init__(self, broker: Broker) -> None:
        """Connect with ``async with``."""
        self.broker = broker
        self.version = "3.1.1" if broker.protocol == "3.1.1" else "5"
        self._client: _Client | None = None
        self._listeners: list[Callable[[Incoming], None]] = []
        self._publishing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect; raises ``BrokerError``."""
        try:
            self._client = await self._connect()
        except _OtherVersionError:
            self.version = "3.1.1"
            self._client = await self._connect()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
        self._pump = asyncio.create_task(self._read(self._client), name="client")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        self._pump.cancel()
        await asyncio.wait({self._pump})
        if self._client is not None:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.__aexit__(None, None, None)

    async def subscribe(self, topics: Sequence[str]) -> list[int]:
        """Subscribe at QoS 1; return the broker's answers: 0 to 2 granted, from ``REFUSED`` on not."""
        wanted: Any = SubscribeOptions(qos=1) if self.version == "5" else 1
        granted = await self._ask(self._open().subscribe([(topic, wanted) for topic in topics], timeout=CALL_S))
        return [code if isinstance(code, int) else code.value for code in granted]

    async def publish(
        self,
        topic: str,
        payload: bytes | str,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: float | None = None,
    ) -> int:
        """Publish; return the broker's reason code (0 without MQTT 5), see ``NOBODY_LISTENS`` and ``NOT_ALLOWED``."""
        properties = None
        if self.version == "5" and expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, math.ceil(expiry_s))
        client = self._open()
        if qos == 0:
            await self._ask(client.publish(topic, payload, 0, retain, properties))
            return 0
        async with self._publishing:  # one at a time: the last reason code is then ours
            await self._ask(client.publish(topic, payload, qos, retain, properties, timeout=CALL_S))
            return client.acknowledged

    @contextlib.contextmanager
    def listen(self, take: Callable[[Incoming], None]) -> Iterator[None]:
        """Hand every message to ``take`` meanwhile."""
        self._listeners.append(take)
        try:
            yield
        finally:
            self._listeners.remove(take)

    async def unless_lost(self, answer: Awaitable[T]) -> T:
        """Wait for something; raises ``BrokerError`` when the connection is lost before."""
        waited: asyncio.Future[T] = asyncio.ensure_future(answer)
        try:
            either: set[asyncio.Future[Any]] = {waited, self._lost}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not waited.done():
                self._lost.result()
            return await waited
        finally:
            waited.cancel()

    async def _ask(self, work: Awaitable[T]) -> T:
        try:
            return await self.unless_lost(work)
        except aiomqtt.MqttError as error:
            raise BrokerError(f"broker {self.broker}: {error}") from None

    async def _connect(self) -> _Client:
        broker, five = self.broker, self.version == "5"
        falls_back = five and broker.protocol == "auto"
        client = _Client(
            broker.host, broker.port, username=broker.user, password=broker.password,
            identifier=f"pimqtt-client-{secrets.token_hex(6)}",
            protocol=ProtocolVersion.V5 if five else ProtocolVersion.V311, clean_session=None if five else True,
            transport=broker.transport, websocket_path=broker.path if broker.transport == "websockets" else None,
            timeout=CONNACK_5_S if falls_back else CONNACK_S, keepalive=15, tls_context=tls_context(broker),
            socket_options=_NO_DELAY,
        )  # fmt: skip
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            client.abandon()
            code = int(getattr(getattr(error, "rc", None), "value", 0))
            if falls_back and (code in UNSUPPORTED or str(error) == NO_CONNACK):
                raise _OtherVersionError from None
            raise BrokerError(trouble(broker, error, code)) from None
        except ValueError as error:
            raise BrokerError(f"broker {broker}: {error}") from None
        return client

    async def _read(self, client: _Client) -> None:
        try:
            async for message in client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
                incoming = Incoming(message.topic.value, payload, bool(message.retain))
                for take in list(self._listeners):
                    take(incoming)
        except aiomqtt.MqttError as error:
            reason = error.__cause__ or error
            self._lost.set_exception(BrokerError(f"the connection to broker {self.broker} was lost ({reason})"))

    def _open(self) -> _Client:
        if self._client is None:
            raise BrokerError(f"not connected to broker {self.broker}")
        if self._lost.done():
            self._lost.result()
        return self._client
