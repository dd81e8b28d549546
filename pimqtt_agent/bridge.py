"""The agent's connection to the broker, driven by the asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from pimqtt_agent.broker import Incoming, SessionEnded, dial, from_client
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.lifetime import Lifetime
from pimqtt_agent.mqtt_client import Client, correlation, made
from pimqtt_agent.outbox import Outbox
from pimqtt_agent.rights import Rights
from pimqtt_agent.settings import MqttOptions
from pimqtt_agent.spoken import Spoken

log = logging.getLogger(__name__)

#: MQTT 5 is given up for 3.1.1 where no CONNACK came within this (s).
CONNACK_5_S, CONNACK_S = 2.0, 10.0
#: How often the broker is asked for a sign of life where something moves (s): the answers date what comes behind them.
MOVING_PING_S = 1.0
_TAKEN_OVER = 0x8E
#: How a broker ends a connection over a topic: without a word, "not authorized", "quota exceeded".
_CUT = (0x80, 0x87, 0x97)


class Bridge:
    """One connection, renewed for ever."""

    def __init__(
        self,
        options: MqttOptions,
        client_id: str,
        *,
        on_session: Callable[[], Coroutine[Any, Any, None]],
        on_batch: Callable[[list[Incoming], bool], None],
        will: tuple[str, str] | None = None,
        ping_s: float | None = None,
        moves: bool = False,
    ) -> None:
        """``on_batch`` gets what a wake-up brought and whether the socket was read empty; ``moves``: pings date it."""
        self.options = options
        self.spoken = Spoken(options.protocol)
        self.connected = False
        self.last_in_s = 0.0
        self.rights = Rights(options.user)
        self._client_id = client_id
        self._on_session, self._on_batch = on_session, on_batch
        self._will = will
        self._ping_s, self._moves = ping_s, moves
        self._client: Client | None = None
        self._batch: list[Incoming] = []
        self._lifetime: Lifetime | None = None
        self._outbox: Outbox | None = None
        self._writing = self._cut = False

    @property
    def version(self) -> str:
        """The version of MQTT that is spoken, or tried."""
        return self.spoken.version

    @property
    def _dates(self) -> bool:
        """Whether what comes is dated by pings; with MQTT 3.1.1 nothing bears an expiry."""
        return self._moves and self.version == "5"

    def subscribe(self, topics: list[str]) -> None:
        """Subscribe at QoS 1; with MQTT 5 the retain flag stays as it was published."""
        options: Any = SubscribeOptions(qos=1, retainAsPublished=True) if self.version == "5" else 1
        if self._client:
            _, number = self._client.subscribe([(topic, options) for topic in topics])
            self.rights.asked[number or 0] = topics

    def unsubscribe(self, topics: list[str]) -> None:
        """Unsubscribe."""
        if self._client:
            self._client.unsubscribe(topics)

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        """Publish where connected; False where the message was not taken. A slow broker gets the newest states only."""
        outbox = self._outbox
        if outbox is None or not self.connected:
            return False
        data = payload.encode() if isinstance(payload, str) else payload
        correlation = correlation if self.version == "5" else None
        return outbox.publish(topic, data, qos=qos, retain=retain, correlation=correlation)

    @property
    def max_packet_size(self) -> int | None:
        """The largest packet that the broker takes (bytes); None where it has set no limit."""
        return None if self._outbox is None else self._outbox.max_packet

    def room(self, topic: str, correlation: bytes | None = None) -> float:
        """Tell how many bytes of payload the broker takes there, as far as it has said; ``inf`` for any number."""
        return inf if self._outbox is None else self._outbox.room(topic, correlation)

    def flush(self) -> None:
        """Write what was published since the last flush, in one go."""
        client = self._client
        if client is None or (client.idle and not self._writing):
            return
        done = client.flush()
        sock = client.socket()
        if sock is None:
            return
        loop = asyncio.get_running_loop()
        if done and self._writing:
            loop.remove_writer(sock)
        elif not done and not self._writing:
            loop.add_writer(sock, self.flush)
        self._writing = not done
        if done and self._outbox is not None and self._outbox.write_late():
            self.flush()

    def drop(self, reason: str) -> None:
        """Leave the broker for a while and say why; nothing is published, not even our will."""
        log.error("%s", reason)
        if self._lifetime is not None:
            self._lifetime.end(SessionEnded(reason, taken_over=True))
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
        # answered, too: to close a connection with answers unread resets it, and the broker drops our last words
        while (client.out or client.unanswered or (self._outbox and not self._outbox.idle)) and time.monotonic() < end:
            await asyncio.sleep(0.01)
        client.disconnect()
        self.flush()
        self.connected = False

    async def session(self) -> None:
        """Connect once and stay until it ends; raises ``SessionEnded``."""
        loop = asyncio.get_running_loop()
        client = self._client = self._make()
        lifetime = self._lifetime = Lifetime()
        client.on_connect = lambda _c, _u, _f, code, properties: self._connack(lifetime, code, properties)
        client.on_disconnect = lambda _c, _u, _f, code, _p: self._lost(code)
        client.on_message = self._message
        client.on_subscribe = lambda _c, _u, number, codes, _p: self.rights.granted(number, map(_refusal, codes))
        client.on_publish = lambda _c, _u, number, code, _p: self._answered(number, code)
        client.take, client.five = self._plain, self.version == "5"
        client.bare = self.options.transport == "tcp" and self.options.tls is None
        self.rights.begin()
        self._cut = False
        sock: Any = None
        try:
            await asyncio.to_thread(dial, client, self.options, clean_start=client.five)
            sock = client.socket()
            if sock is None:
                raise SessionEnded("closed before a CONNACK", fallback=True)
            loop.add_reader(sock, self._readable, client)
            client.on_socket_close = lambda _c, _u, gone: self._closing(gone)
            self.flush()
            auto = self.version == "5" and self.options.protocol == "auto"
            await lifetime.opened(CONNACK_5_S if auto else CONNACK_S)
            self.connected = True
            client.keep_alive(self.options.keepalive)
            if self._dates:
                client.date(lambda in_s: loop.call_later(in_s, self._ping))
            await lifetime.work(self._on_session())
            self.flush()
            await self._stay(client, lifetime)
        finally:
            self._closed(client)
            if sock is not None and client.socket() is not None:
                self._closing(sock)
                with contextlib.suppress(OSError):
                    sock.close()

    def _closed(self, client: Client) -> None:
        """Forget the session; what the broker denies may be mended where it was not that which ended it."""
        self.connected = False
        if self._outbox is not None:
            self._outbox.close()
        self._client = self._outbox = None
        self._writing = False
        client.on_disconnect = client.on_message = client.on_subscribe = client.on_publish = client.take = None
        if not self._cut:
            self.rights.forget()

    async def _stay(self, client: Client, lifetime: Lifetime) -> None:
        """Keep the connection alive until it ends."""
        every_s = min(self._ping_s or 5.0, MOVING_PING_S if self._dates else 5.0, client.keepalive / 2)
        while True:
            await lifetime.rest(0)
            if self._ping_s or self._dates:
                self._ping()
            client.loop_misc()
            self.flush()
            await lifetime.rest(every_s)

    def _ping(self) -> None:
        if self._client is not None and self.connected:
            self._client.ping()
            self.flush()

    def _make(self) -> Client:
        client = made(self._client_id, self.options, five=self.version == "5")
        if self._will:
            client.will_set(*self._will, qos=1, retain=True)
        return client

    def _readable(self, client: Client) -> None:
        if client is not self._client:
            return
        client.drained = client.heard = False
        before_s, self.last_in_s = self.last_in_s, boottime_s()
        for _ in range(2000):
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or client.drained or client.socket() is None:
                break
            if not client.buffered and len(self._batch) > 200:
                break
        if not client.heard:
            self.last_in_s = before_s
        batch, self._batch = self._batch, []
        if batch:
            self._on_batch(batch, client.drained)
        self.flush()
        if not client.drained and client.socket() is not None:  # no poller knows what lies in our buffer, or in TLS
            asyncio.get_running_loop().call_soon(self._readable, client)

    def _plain(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:  # noqa: FBT001 - the wire's
        self._batch.append(Incoming(topic, payload, qos, retain, self.last_in_s))

    def _message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        way_s = self.last_in_s - self._client.proven_s if self._client and self._dates else 0.0
        incoming = from_client(message, self.last_in_s, way_s)
        if incoming is not None:
            self._batch.append(incoming)

    def _connack(self, lifetime: Lifetime, code: Any, properties: Properties | None) -> None:
        if not code.is_failure:
            if not self.spoken.accepted():
                if self._client is not None:
                    self._client.disconnect()
                lifetime.refuse(SessionEnded("it answers in MQTT 3.1.1: once more in MQTT 5", learned=True))
                return
            self._outbox = Outbox(
                self._client, self.rights, version=self.version, correlate=correlation, flush=self.flush,
                max_packet=getattr(properties, "MaximumPacketSize", None),
            )  # fmt: skip
            lifetime.accept()
            return
        if unspoken := "version" in str(code).lower():
            self.spoken.refused()
        lifetime.refuse(SessionEnded(f"refused: {code}", fallback=unspoken))

    def _lost(self, code: Any) -> None:
        if self._lifetime is None or self._lifetime.over:
            return
        value = getattr(code, "value", None)
        if value == _TAKEN_OVER:
            reason = "our session was taken over: another agent uses this node's name"
            self._lifetime.end(SessionEnded(reason, taken_over=True))
            return
        if self._client is not None and self._client.alert:
            self._lifetime.refuse(SessionEnded(f"TLS: {self._client.alert}"))
        self._cut = self.connected and value in _CUT
        reason, learned = self.rights.cut(time.monotonic()) if self._cut else ("", False)
        self._lifetime.end(SessionEnded(reason or f"lost: {code}", learned=learned))

    def _answered(self, number: int, code: Any) -> None:
        if self._outbox is not None:
            self._outbox.answered(number, _refusal(code))

    def _closing(self, sock: Any) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ValueError, OSError):
            loop.remove_reader(sock)
            loop.remove_writer(sock)
        self._writing = False


def _refusal(code: Any) -> str:
    return str(code) if code.is_failure else ""
