"""Clients of the hardened broker: one that comes in, one that is refused, and what a listener hears."""

from __future__ import annotations

import asyncio
import gc
import ssl
import warnings
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from tests.mosquitto.hardened import Hardened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WITHIN_S = 5


def context(ca: Path) -> ssl.SSLContext:
    """Trust that CA alone, as strictly as OpenSSL can."""
    made = ssl.create_default_context(cafile=str(ca))
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    return made


def client(broker: Hardened, user: str | None, **changes: Any) -> aiomqtt.Client:
    """Return a client for one user of the broker; a change replaces a setting."""
    settings: dict[str, Any] = {
        "hostname": broker.host,
        "port": broker.port,
        "username": user,
        "password": broker.passwords.get(user) if user else None,
        "tls_context": context(broker.ca),
        "protocol": aiomqtt.ProtocolVersion.V5,
        "timeout": WITHIN_S,
    }
    return aiomqtt.Client(**(settings | changes))


async def refused(broker: Hardened, user: str | None, **changes: Any) -> str:
    """Connect, expecting a refusal, and return it."""
    with pytest.raises((aiomqtt.MqttError, ssl.SSLError)) as caught:
        async with client(broker, user, **changes):
            pass
    said = str(caught.value)
    del caught
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()  # else a later test would be told of the socket that paho has left open
    return said


@asynccontextmanager
async def pair(broker: Hardened, one: str, other: str) -> AsyncIterator[tuple[aiomqtt.Client, aiomqtt.Client]]:
    """Connect two users, the second listening to everything it may."""
    async with client(broker, one) as first, client(broker, other) as second:
        await second.subscribe("#", qos=1)
        await second.subscribe("$SYS/#", qos=1)
        yield first, second


async def heard(listener: aiomqtt.Client, last: str, payload: bytes) -> set[str]:
    """Return the topics of everything with this payload before the last topic, none of it retained."""
    topics: set[str] = set()
    async with asyncio.timeout(WITHIN_S):
        async for message in listener.messages:
            if message.payload != payload:
                continue
            if message.topic.value == last:
                return topics
            topics.add(message.topic.value)
    raise AssertionError
