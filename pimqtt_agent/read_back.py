"""Only an answer to QoS 1 of MQTT 5 says that an ACL denies writing.

So whatever else should be retained is read once in a session, and what is not there is told.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from pimqtt_agent.rights import Rights
from pimqtt_agent.topics import Topics

#: When it is read after a session began, and how long it may take to come (s).
AFTER_S, COMES_S = 1.0, 5.0


class Subscriber(Protocol):
    """What is needed of the bridge."""

    rights: Rights
    connected: bool

    @property
    def version(self) -> str:
        """The version of MQTT that is spoken."""

    def subscribe(self, topics: list[str]) -> None:
        """Subscribe."""

    def unsubscribe(self, topics: list[str]) -> None:
        """Unsubscribe."""

    def flush(self) -> None:
        """Write what was asked for."""


class ReadBack:
    """One reading in each session."""

    def __init__(self, topics: Topics) -> None:
        """Read nothing yet."""
        root = topics.root
        self._filters = [f"{root}/+/{level}" for level in ("availability", "state", "lease")]
        self._filters += [f"{root}/+/+/{level}" for level in ("state", "lease")]
        self._filters.append(topics.discovery("+"))
        self._task: asyncio.Task[None] | None = None
        self._echoed: set[str] = set()
        self._missing: set[str] = set()
        self._reading = self._heard = False
        self._complete = asyncio.Event()

    def start(self, bridge: Subscriber) -> None:
        """Look, in a moment, which topics the broker has kept."""
        self.stop()
        self._task = asyncio.create_task(self._read(bridge), name="read back")

    def stop(self) -> None:
        """The session is over."""
        self._echoed.clear()
        self._reading = False
        if self._task:
            self._task.cancel()
            self._task = None

    def echoed(self, topic: str) -> None:
        """Note one of our own that came by a subscription which is always there."""
        self._echoed.add(topic)

    def take(self, topic: str) -> bool:
        """Note what came; False where it did not come because of us."""
        if not self._reading or topic.endswith("/set"):
            return False
        self._heard = True
        self._missing.discard(topic)
        if not self._missing:
            self._complete.set()
        return True

    async def _read(self, bridge: Subscriber) -> None:
        await asyncio.sleep(AFTER_S)
        rights = bridge.rights
        self._missing = rights.kept - self._echoed - (rights.tried if bridge.version == "5" else set())
        if not self._missing:
            return
        self._reading, self._heard = True, False
        self._complete.clear()
        bridge.subscribe(self._filters)
        bridge.flush()
        try:
            await asyncio.wait_for(self._complete.wait(), COMES_S)
        except TimeoutError:
            # where nothing came we may not read, which is nobody's fault
            for topic in sorted(self._missing) if self._heard and bridge.connected else ():
                rights.refused(topic, "write", "it was not there when we read it back", time.monotonic())
        self._reading = False
        bridge.unsubscribe(self._filters)
        bridge.flush()
