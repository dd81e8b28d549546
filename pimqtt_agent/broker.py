"""What a broker brings, how a session ends, and how it is renewed for ever. Without the MQTT client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from pimqtt_agent.settings import MqttOptions
from pimqtt_agent.spoken import Spoken

log = logging.getLogger(__name__)

#: Backoff between connections (s), and after our session was taken over. A session of so long begins it anew.
BACKOFF_S, TAKEN_OVER_S, LASTED_S = (0.5, 30.0), 30.0, 30.0


class Incoming(msgspec.Struct, frozen=True):
    """A message from the broker. ``expiry_s`` is what is left of its Message Expiry Interval.

    ``way_s``: at most so long it was on its way from there; 0 where nobody asks.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    at_s: float
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    way_s: float = 0.0


def from_client(message: Any, at_s: float, way_s: float = 0.0) -> Incoming | None:
    """Take a client's message; None where its topic is not UTF-8."""
    properties = message.properties
    expiry_s = response_topic = correlation = None
    if properties is not None:
        expiry_s = getattr(properties, "MessageExpiryInterval", None)
        response_topic = getattr(properties, "ResponseTopic", None)
        correlation = getattr(properties, "CorrelationData", None)
    try:
        topic = message.topic
    except UnicodeDecodeError:
        return None
    payload = bytes(message.payload)
    return Incoming(topic, payload, message.qos, message.retain, at_s, expiry_s, response_topic, correlation, way_s)


class SessionEnded(Exception):  # noqa: N818 - how a session ends, not an error of ours
    """The session ended; ``fallback``: the broker does not speak this version; ``taken_over``: another took our id.

    ``learned``: the next one will know better what the broker denies us.
    """

    def __init__(self, reason: str, *, fallback: bool = False, taken_over: bool = False, learned: bool = False) -> None:
        """Keep why."""
        super().__init__(reason)
        self.fallback, self.taken_over, self.learned = fallback, taken_over, learned


def login(client: Any, options: MqttOptions) -> None:
    """Tell a client how to log in; raises ``SessionEnded`` where a certificate can't be used."""
    if options.transport == "websockets":
        client.ws_set_options(path=options.path)
    if options.user is not None:
        password = options.password.get_secret_value() if options.password else None
        client.username_pw_set(options.user, password)
    if options.tls:
        try:
            client.tls_set(ca_certs=options.tls.ca, certfile=options.tls.cert, keyfile=options.tls.key)
        except OSError as error:
            raise SessionEnded(f"TLS: {options.tls.ca or options.tls.cert}: {error}") from None
        client.tls_insecure_set(options.tls.insecure)


def dial(client: Any, options: MqttOptions, *, clean_start: bool) -> None:
    """Connect a client; blocking. Raises ``SessionEnded``.

    TCP_NODELAY is set by us: without it a QoS 1 answer waits 40 ms for the peer's delayed acknowledgement.
    """
    kwargs: dict[str, Any] = {"clean_start": True} if clean_start else {}
    try:
        client.connect(options.host, options.port_number, options.keepalive, **kwargs)
    except (OSError, ValueError) as error:
        raise SessionEnded(f"can't be reached: {error}") from None
    sock = client.socket()
    if sock is not None:
        sock.setblocking(False)
        with contextlib.suppress(OSError, AttributeError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Sessions(Protocol):
    """What is needed of the bridge."""

    options: MqttOptions
    spoken: Spoken

    async def session(self) -> None:
        """Connect once and stay until it ends; raises ``SessionEnded``."""


class Backoff:
    """How long to wait before the next connection: doubling, with jitter, anew after a session that lasted.

    Where the next one knows better it does not double.
    """

    def __init__(self, draw: Callable[[float, float], float] = random.uniform) -> None:
        """``draw`` gives a number between two."""
        self._draw = draw
        self._next_s = BACKOFF_S[0]

    def after(self, end: SessionEnded, lasted_s: float) -> float:
        """Return the pause after a session that ended so after so long (s)."""
        if end.taken_over:
            self._next_s = TAKEN_OVER_S
        elif lasted_s > min(10 * self._next_s, LASTED_S):
            self._next_s = BACKOFF_S[0]
        wait_s = self._next_s * self._draw(0.5, 1.0)
        if not end.learned:
            self._next_s = min(self._next_s * 2, BACKOFF_S[1])
        return wait_s


async def forever(bridge: Sessions) -> None:
    """Connect again and again."""
    options, backoff = bridge.options, Backoff()
    while True:
        started = time.monotonic()
        try:
            await bridge.session()
        except SessionEnded as end:
            log.warning("broker %s:%d: %s", options.host, options.port_number, end)
            if end.fallback and bridge.spoken.unanswered():
                log.warning("this broker does not take MQTT 5: going on with 3.1.1")
                continue
            wait_s = backoff.after(end, time.monotonic() - started)
        await asyncio.sleep(wait_s)
