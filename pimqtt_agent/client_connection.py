"""An operator's connection to the broker, on aiomqtt: MQTT 5, else 3.1.1; every message goes to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import aiomqtt
from aiomqtt.client import ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from pimqtt_agent.errors import BrokerError

if TYPE_CHECKING:
    from pimqtt_agent.settings import MqttOptions

T = TypeVar("T")

#: MQTT 5 is given up for 3.1.1 where no CONNACK came within this (s).
CONNACK_5_S, CONNACK_S, CALL_S = 2.0, 10.0, 5.0
#: Reason codes of MQTT 5: this version is not spoken, nobody listens there, no right to; from REFUSED on it failed.
UNSUPPORTED, NOBODY_LISTENS, REFUSED, NOT_ALLOWED = frozenset({1, 132}), 0x10, 0x80, 0x87
_LOGIN = frozenset({4, 5, 134, 135})
_NO_CONNACK = "Operation timed out"
_NO_DELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where a broker is, and how to log in."""

    host: str = "127.0.0.1"
    port: int = 1883
    user: str | None = None
    password: str | None = None
    tls: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = "/mqtt"
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    base: str = "pimqtt"
    discovery_prefix: str = "homeassistant"

    def __str__(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, options: MqttOptions) -> Self:
        """Take what a configuration says."""
        tls = options.tls
        return cls(
            host=options.host, port=options.port_number, user=options.user,
            password=options.password.get_secret_value() if options.password else None,
            tls=tls is not None, ca=tls.ca if tls else None, cert=tls.cert if tls else None,
            key=tls.key if tls else None, insecure=bool(tls and tls.insecure), transport=options.transport,
            path=options.path, protocol=options.protocol, base=options.base, discovery_prefix=options.discovery_prefix,
        )  # fmt: skip


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
        expiry_s: float | None = None,
    ) -> int:
        """Publish; return the broker's reason code (0 without MQTT 5), see ``NOBODY_LISTENS`` and ``NOT_ALLOWED``."""
        properties = None
        if self.version == "5" and expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, math.ceil(expiry_s))
        client = self._open()
        if qos == 0:
            await self._ask(client.publish(topic, payload, 0, properties=properties))
            return 0
        async with self._publishing:  # one at a time: the last reason code is then ours
            await self._ask(client.publish(topic, payload, qos, properties=properties, timeout=CALL_S))
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
            timeout=CONNACK_5_S if falls_back else CONNACK_S, keepalive=15, tls_context=_tls(broker),
            socket_options=_NO_DELAY,
        )  # fmt: skip
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            client.abandon()
            code = int(getattr(getattr(error, "rc", None), "value", 0))
            if falls_back and (code in UNSUPPORTED or str(error) == _NO_CONNACK):
                raise _OtherVersionError from None
            raise BrokerError(_sentence(broker, error, code)) from None
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
            self._client = None
            self._lost.set_exception(BrokerError(f"the connection to broker {self.broker} was lost ({reason})"))

    def _open(self) -> _Client:
        if self._client is None:
            raise BrokerError(f"not connected to broker {self.broker}")
        return self._client


def _tls(broker: Broker) -> ssl.SSLContext | None:
    if not broker.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca)
        if broker.cert:
            context.load_cert_chain(broker.cert, broker.key)
    except OSError as error:
        name = broker.ca if broker.cert is None else f"{broker.ca or 'the system'}, {broker.cert}, {broker.key}"
        raise BrokerError(f"TLS: {error.strerror or error} ({name})") from None
    if broker.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _sentence(broker: Broker, error: aiomqtt.MqttError, code: int) -> str:
    """Say in plain words why there is no connection."""
    cause = error.__context__
    if code in _LOGIN:
        who = f"the login of {broker.user!r}" if broker.user else "a connection without a login"
        return f"broker {broker} refuses {who}"
    if isinstance(cause, socket.gaierror):
        return f"broker {broker}: there is no host {broker.host!r} ({cause.strerror})"
    if isinstance(cause, ssl.SSLError):
        return f"broker {broker}: TLS failed ({getattr(cause, 'verify_message', '') or cause.reason or cause})"
    if str(error) == _NO_CONNACK:
        return f"what listens at {broker} does not answer as an MQTT broker" + ("" if broker.tls else "; is it TLS?")
    if isinstance(cause, OSError):
        return f"broker {broker} can't be reached: {cause.strerror or cause}"
    return f"broker {broker} refuses us: {error}"
