"""A client of the broker: what topics showed, and what a test sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions


@dataclass
class Seen:
    """A message that the observer got."""

    topic: str
    payload: bytes
    retain: bool
    at_s: float
    properties: Any = None

    @property
    def text(self) -> str:
        """The payload as text."""
        return self.payload.decode()

    def json(self) -> Any:
        """The payload as JSON."""
        return json.loads(self.payload)


@dataclass
class Observer:
    """A client that sees everything below a topic and can publish."""

    client: aiomqtt.Client
    seen: list[Seen] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def collect(self) -> None:
        """Collect until the broker goes."""
        with contextlib.suppress(aiomqtt.MqttError):
            async for message in self.client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                retain = bool(message.retain)
                self.seen.append(Seen(str(message.topic), payload, retain, time.monotonic(), message.properties))
                self._news.set()

    async def send(self, topic: str, payload: object = "", *, retain: bool = False, qos: int = 0, **v5: Any) -> None:
        """Publish; objects as JSON. ``v5``: MessageExpiryInterval, ResponseTopic, CorrelationData."""
        data = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        properties = None
        if v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            for name, value in v5.items():
                setattr(properties, name, value)
        await self.client.publish(topic, data, qos=qos, retain=retain, properties=properties)

    async def wait(
        self, topic: str, test: Callable[[Seen], Any] = lambda _seen: True, timeout_s: float = 10, since: int = 0
    ) -> Seen:
        """Wait for a message on a topic; ``since`` leaves out that many of the first messages."""
        end = time.monotonic() + timeout_s
        while True:
            for seen in self.seen[since:]:
                if seen.topic == topic and test(seen):
                    return seen
            self._news.clear()
            left_s = end - time.monotonic()
            text = "\n".join(f"{s.topic} {s.payload[:200]!r}" for s in self.seen[since:][-30:])
            assert left_s > 0, f"nothing fitting on {topic} within {timeout_s} s; seen:\n{text}"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left_s, 0.2))

    async def result(
        self, device: str, command_id: str | None = None, timeout_s: float = 10, **want: Any
    ) -> dict[str, Any]:
        """Wait for a result of a device with these fields."""

        def fits(seen: Seen) -> bool:
            content = seen.json()
            if command_id is not None and content["id"] != command_id:
                return False
            return all(content.get(key) == value for key, value in want.items())

        found = await self.wait(f"pimqtt/car1/{device}/result", fits, timeout_s)
        content: dict[str, Any] = found.json()
        return content

    def last(self, topic: str) -> Seen | None:
        """Return the newest message on a topic."""
        return next((seen for seen in reversed(self.seen) if seen.topic == topic), None)


@contextlib.asynccontextmanager
async def observer(port: int, topics: tuple[str, ...] = ("pimqtt/#", "homeassistant/#")) -> AsyncIterator[Observer]:
    """Connect an observer with MQTT 5, retain flags as published."""
    options = SubscribeOptions(qos=1, retainAsPublished=True)
    no_delay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    v5 = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client("127.0.0.1", port, protocol=v5, socket_options=no_delay) as client:
        watcher = Observer(client)
        task = asyncio.create_task(watcher.collect())
        for topic in topics:
            await client.subscribe(topic, options=options)
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.wait({task})
