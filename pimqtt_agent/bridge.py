"""The agent's connection to the broker: the only importer of paho, driven by the asyncio loop.

TCP_NODELAY is set by us: without it a QoS 1 answer waits 40 ms for the peer's delayed acknowledgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from pimqtt_agent.broker import Incoming, SessionEnded, from_client, login
from pimqtt_agent.buffered import Buffered
from pimqtt_agent.settings import MqttOptions

log = logging.getLogger(__name__)

#: MQTT 5 is given up for 3.1.1 where no CONNACK came within this (s).
CONNACK_5_S, CONNACK_S = 2.0, 10.0
#: More waiting bytes than this: the broker does not read; only the newest states are kept.
FULL_BYTES = 4 << 20
#: Larger messages are the client's to send.
PLAIN_BYTES = 65536
_TAKEN_OVER = 0x8E


class _Client(Buffered, paho.Client):
    """paho with whole buffers, and a ping at will."""

    def ping(self) -> None:
        """Ask the broker for a sign of life."""
        if self._ping_t == 0:
            self._send_pingreq()


class Bridge:
    """One connection, renewed for ever."""

    def __init__(
        self,
        options: MqttOptions,
        client_id: str,
        *,
        on_session: Callable[[], Awaitable[None]],
        on_batch: Callable[[list[Incoming], bool], None],
        will: tuple[str, str] | None = None,
        ping_s: float | None = None,
    ) -> None:
        """``on_batch`` gets what one wake-up brought and whether the socket was read empty."""
        self.options = options
        self.version = "3.1.1" if options.protocol == "3.1.1" else "5"
        self.connected = False
        self.last_in_s = 0.0
        self.max_packet: int | None = None
        self._client_id = client_id
        self._on_session, self._on_batch = on_session, on_batch
        self._will = will
        self._ping_s = ping_s
        self._client: _Client | None = None
        self._batch: list[Incoming] = []
        self._ended: asyncio.Future[None] | None = None
        self._late: dict[str, tuple[bytes | str, int]] = {}
        self._writing = False

    def subscribe(self, topics: list[str]) -> None:
        """Subscribe at QoS 1; with MQTT 5 the retain flag stays as it was published."""
        options: Any = SubscribeOptions(qos=1, retainAsPublished=True) if self.version == "5" else 1
        if self._client:
            self._client.subscribe([(topic, options) for topic in topics])

    def unsubscribe(self, topics: list[str]) -> None:
        """Unsubscribe."""
        if self._client:
            self._client.unsubscribe(topics)

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        """Publish where connected; False where the message was not taken. A slow broker gets the newest states only."""
        client = self._client
        if client is None or not self.connected:
            return False
        if len(client.out) > FULL_BYTES:
            if retain:
                self._late[topic] = (payload, qos)
            return retain
        properties = None
        if correlation is not None and self.version == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation
        if self.max_packet and len(payload) + len(topic) + 64 > self.max_packet:
            return False
        if qos == 0 and properties is None and len(payload) < PLAIN_BYTES:
            client.publish_plain(topic, payload.encode() if isinstance(payload, str) else payload, retain=retain)
            return True
        info = client.publish(topic, payload, qos, retain, properties)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def flush(self) -> None:
        """Write what was published since the last flush, in one go."""
        client = self._client
        if client is None:
            return
        client.loop_write()
        done = client.flush()
        sock = client.socket()
        if sock is None:
            return
        loop = asyncio.get_running_loop()
        if done and self._writing:
            loop.remove_writer(sock)
            self._writing = False
            late, self._late = self._late, {}
            for topic, (payload, qos) in late.items():
                self.publish(topic, payload, qos=qos, retain=True)
        elif not done and not self._writing:
            loop.add_writer(sock, self.flush)
            self._writing = True

    def drop(self, reason: str) -> None:
        """Leave the broker for a while and say why; nothing is published, not even our will."""
        log.error("%s", reason)
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(SessionEnded(reason, taken_over=True))
        if self._client is not None:
            self._client.disconnect()
            self.flush()

    async def close(self, timeout_s: float) -> None:
        """Write out what waits, for at most ``timeout_s``, and disconnect."""
        client = self._client
        if client is None or not self.connected:
            return
        self.flush()
        end = time.monotonic() + timeout_s
        while client.out and time.monotonic() < end:
            await asyncio.sleep(0.01)
        client.disconnect()
        self.flush()
        self.connected = False

    async def session(self) -> None:
        """Connect once and stay until it ends; raises ``SessionEnded``."""
        loop = asyncio.get_running_loop()
        client = self._client = self._make()
        self._ended = loop.create_future()
        accepted: asyncio.Future[None] = loop.create_future()
        client.on_connect = lambda _c, _u, _f, code, properties: self._connack(accepted, code, properties)
        client.on_disconnect = lambda _c, _u, _f, code, _p: self._lost(code)
        client.on_message = self._message
        client.take, client.five = self._plain, self.version == "5"
        sock: Any = None
        try:
            await asyncio.to_thread(self._dial, client)
            sock = client.socket()
            if sock is None:
                raise SessionEnded("closed before a CONNACK", fallback=True)
            loop.add_reader(sock, self._readable)
            client.on_socket_close = lambda _c, _u, gone: self._closing(gone)
            self.flush()
            await self._await_connack(accepted, self._ended)
            self.connected = True
            await self._begin()
            self.flush()
            await self._stay(client)
        finally:
            self.connected = False
            self._client = None
            self._late.clear()
            self._writing = False
            client.on_disconnect = client.on_message = client.take = None
            if sock is not None and client.socket() is not None:
                self._closing(sock)
                with contextlib.suppress(OSError):
                    sock.close()

    async def _await_connack(self, accepted: asyncio.Future[None], ended: asyncio.Future[None]) -> None:
        auto = self.version == "5" and self.options.protocol == "auto"
        timeout_s = CONNACK_5_S if auto else CONNACK_S
        await asyncio.wait({accepted, ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if accepted.done():
            accepted.result()
            return
        reason = "closed before a CONNACK" if ended.done() else f"no CONNACK within {timeout_s:g} s"
        raise SessionEnded(reason, fallback=True)

    async def _begin(self) -> None:
        """Begin the session; a connection that ends meanwhile ends that, too."""
        begun = asyncio.ensure_future(self._on_session())
        try:
            if self._ended is not None:
                await asyncio.wait({begun, self._ended}, return_when=asyncio.FIRST_COMPLETED)
            if begun.done():
                begun.result()
        finally:
            begun.cancel()

    async def _stay(self, client: _Client) -> None:
        """Keep the connection alive until it ends."""
        every_s = min(self._ping_s or 5.0, 5.0, self.options.keepalive / 2)
        while True:
            if self._ended is None or self._ended.done():
                if self._ended is not None:
                    self._ended.result()
                raise SessionEnded("the connection ended")
            if self._ping_s:
                client.ping()
            client.loop_misc()
            self.flush()
            await asyncio.wait({self._ended}, timeout=every_s)

    def _make(self) -> _Client:
        options = self.options
        version = paho.MQTTv5 if self.version == "5" else paho.MQTTv311
        kwargs: dict[str, Any] = {} if self.version == "5" else {"clean_session": True}
        client = _Client(
            callback_api_version=CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=version,
            transport=options.transport, **kwargs,
        )  # fmt: skip
        client.suppress_exceptions = False
        client.max_inflight_messages_set(1000)
        client.connect_timeout = 5.0
        login(client, options)
        if self._will:
            client.will_set(*self._will, qos=1, retain=True)
        return client

    def _dial(self, client: _Client) -> None:
        """Connect; blocking, in a thread."""
        options = self.options
        kwargs: dict[str, Any] = {"clean_start": True} if self.version == "5" else {}
        # a callback keeps paho from writing by itself; we do it in flush()
        client.on_socket_register_write = lambda _c, _u, _s: None
        try:
            client.connect(options.host, options.port_number, options.keepalive, **kwargs)
        except (OSError, ValueError, paho.WebsocketConnectionError) as error:
            raise SessionEnded(f"can't be reached: {error}") from None
        sock = client.socket()
        if sock is not None:
            sock.setblocking(False)
            with contextlib.suppress(OSError, AttributeError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[attr-defined]

    def _readable(self) -> None:
        client = self._client
        if client is None:
            return
        client.drained = False
        self.last_in_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        for _ in range(2000):
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or client.drained or client.socket() is None:
                break
            if not client.buffered and len(self._batch) > 200:
                break
        batch, self._batch = self._batch, []
        if batch:
            self._on_batch(batch, client.drained)
        self.flush()

    def _plain(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:  # noqa: FBT001 - the wire's
        self._batch.append(Incoming(topic, payload, qos, retain, self.last_in_s))

    def _message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        incoming = from_client(message, self.last_in_s)
        if incoming is not None:
            self._batch.append(incoming)

    def _connack(self, accepted: asyncio.Future[None], code: Any, properties: Properties | None) -> None:
        if accepted.done():
            return
        if not code.is_failure:
            self.max_packet = getattr(properties, "MaximumPacketSize", None)
            accepted.set_result(None)
            return
        version = "version" in str(code).lower()
        accepted.set_exception(SessionEnded(f"refused: {code}", fallback=version))

    def _lost(self, code: Any) -> None:
        if self._ended is not None and not self._ended.done():
            taken_over = getattr(code, "value", None) == _TAKEN_OVER
            taken = "our session was taken over: another agent uses this node's name"
            reason = taken if taken_over else f"lost: {code}"
            self._ended.set_exception(SessionEnded(reason, taken_over=taken_over))

    def _closing(self, sock: Any) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ValueError, OSError):
            loop.remove_reader(sock)
            loop.remove_writer(sock)
        self._writing = False
