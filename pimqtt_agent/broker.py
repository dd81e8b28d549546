"""What a broker brings, how a session ends, and how it is renewed for ever. Without the MQTT client."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import Any, Protocol

import msgspec

from pimqtt_agent.settings import MqttOptions

log = logging.getLogger(__name__)

#: Backoff between connections (s), and after our session was taken over.
BACKOFF_S, TAKEN_OVER_S = (0.5, 30.0), 30.0


class Incoming(msgspec.Struct, frozen=True):
    """A message from the broker. ``expiry_s`` is what is left of its Message Expiry Interval."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    at_s: float
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation: bytes | None = None


def from_client(message: Any, at_s: float) -> Incoming | None:
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
    return Incoming(topic, payload, message.qos, message.retain, at_s, expiry_s, response_topic, correlation)


class SessionEnded(Exception):  # noqa: N818 - how a session ends, not an error of ours
    """The session ended; ``fallback``: the broker does not speak this version; ``taken_over``: another took our id."""

    def __init__(self, reason: str, *, fallback: bool = False, taken_over: bool = False) -> None:
        """Keep why."""
        super().__init__(reason)
        self.fallback = fallback
        self.taken_over = taken_over


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


class Sessions(Protocol):
    """What is needed of the bridge."""

    options: MqttOptions
    version: str

    async def session(self) -> None:
        """Connect once and stay until it ends; raises ``SessionEnded``."""


async def forever(bridge: Sessions) -> None:
    """Connect again and again; backoff doubles, with jitter, and starts anew after a session."""
    options = bridge.options
    wait_s = BACKOFF_S[0]
    while True:
        started = time.monotonic()
        try:
            await bridge.session()
        except SessionEnded as end:
            log.warning("broker %s:%d: %s", options.host, options.port_number, end)
            if end.fallback and bridge.version == "5" and options.protocol == "auto":
                log.warning("this broker does not take MQTT 5: going on with 3.1.1 until the next start")
                bridge.version = "3.1.1"
                continue
            if time.monotonic() - started > 10 * wait_s:
                wait_s = BACKOFF_S[0]
            if end.taken_over:
                wait_s = TAKEN_OVER_S
        await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        wait_s = min(wait_s * 2, BACKOFF_S[1])
