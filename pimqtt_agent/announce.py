"""Announcing to Home Assistant: what is new or changed, never twice within 2 s; what is no longer ours is removed.

An agent before us may have announced right before it ended, so what is retained counts as announced at our start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from pimqtt_agent import discovery
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.departed import Departed
from pimqtt_agent.devices import Device
from pimqtt_agent.discovery import Node
from pimqtt_agent.errors import CommandError
from pimqtt_agent.strict_json import read_json

log = logging.getLogger(__name__)

#: Home Assistant drops the rest of a payload that comes while the one before is still being worked on (s).
APART_S = 2.2
#: How long after an announcement pictures are sent again, and for how long after that once more (s). They are not
#: retained, and Home Assistant, which may be busy, must first have subscribed to a camera that is new to it.
SHOWN_S = (3.0, 15.0)

_json = msgspec.json.Encoder().encode


class Announcer:
    """Publishes discovery. ``found`` is told what the broker has retained under our node."""

    def __init__(
        self, bridge: Bridge, node: Node, devices: list[Device], system: Device | None, departed: Departed
    ) -> None:
        """Build every payload once."""
        self._bridge = bridge
        self._node = node
        self._departed = departed
        #: whether Home Assistant is known to be there, and so hears what is cleared
        self.listens = False
        self._wanted = {device.id: discovery.device_payload(node, device) for device in devices}
        self._wanted["system"] = discovery.node_payload(node, system)
        #: sends pictures again
        self.again: Callable[[], None] = lambda: None
        self._retained: dict[str, bytes] = {}
        self._started_s = time.monotonic()
        self._published_s: dict[str, float] = {}
        self._showing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._parting: set[str] = set()

    def found(self, device: str, payload: bytes) -> None:
        """Take what is retained on a discovery topic of ours (empty: nothing)."""
        if payload:
            self._retained[device] = payload
        else:
            self._retained.pop(device, None)

    def announce(self) -> None:
        """Publish what differs from what is retained, clear orphans; the node first, since devices refer to it."""
        for device in sorted(self._retained.keys() | self._wanted.keys(), key=lambda name: (name != "system", name)):
            payloads = self._payloads(device)
            if payloads and device not in self._retained:
                self._publish(device, *payloads)
            elif payloads:
                self._spawn(self._publish_apart(device, payloads), f"publish {device}")

    def _payloads(self, device: str) -> list[bytes]:
        """List what is to be published, in turn; an entity that left is buried first."""
        before, wanted = self._retained.get(device, b""), self._wanted.get(device)
        if wanted is None:
            log.info("%s left the configuration: taken out of Home Assistant", device)
            if not self.listens:
                self._departed.add(device, _parsed(before))
            return [b""]
        data = _json(wanted)
        if before == data:
            return []
        tombstone = discovery.removal(_parsed(before), wanted) if before else None
        return [data] if tombstone is None else [_json(tombstone), data]

    def clear(self, topics: set[str], done: Callable[[], None]) -> None:
        """Clear retained topics of what left, once Home Assistant has forgotten the entities that listen to them."""
        self._spawn(self._wait_and_clear(topics, done), "clear what left")

    def part_again(self) -> None:
        """Home Assistant was born: let it hear once more who left while it was perhaps not there."""
        for device, payload in self._departed.announced.items():
            if device not in self._parting:
                self._parting.add(device)
                self._spawn(self._part(device, _json(payload)), f"part with {device} again")

    def close(self) -> None:
        """Forget what was to be published later, and what was retained: the next session reads it again."""
        for task in self._tasks:
            task.cancel()
        self._retained.clear()
        self._parting.clear()
        self.listens = False

    def _publish(self, device: str, data: bytes) -> None:
        if self._bridge.publish(self._node.topics.discovery(device), data, qos=1, retain=True):
            self.found(device, data)
            self._published_s[device] = time.monotonic()
            if data:
                self._show()
        elif data and self._bridge.connected:
            log.error("%s could not be announced: %d bytes are more than the broker takes", device, len(data))

    def _show(self) -> None:
        if self._showing:
            self._showing.cancel()
        self._showing = self._spawn(self._wait_and_show(), "show")

    def _spawn(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"announcer: {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _publish_apart(self, device: str, payloads: list[bytes]) -> None:
        for data in payloads:
            due_s = self._published_s.get(device, self._started_s) + APART_S
            await asyncio.sleep(due_s - time.monotonic())
            self._publish(device, data)
            self._bridge.flush()

    async def _part(self, device: str, payload: bytes) -> None:
        await self._publish_apart(device, [payload, b""])
        self._parting.discard(device)
        if self.listens and device not in self._retained:
            self._departed.forget(device)

    async def _wait_and_clear(self, topics: set[str], done: Callable[[], None]) -> None:
        await asyncio.sleep(2 * APART_S)
        sent = [self._bridge.publish(topic, b"", qos=1, retain=True) for topic in sorted(topics)]
        if all(sent):
            done()
        self._bridge.flush()

    async def _wait_and_show(self) -> None:
        for pause_s in SHOWN_S:
            await asyncio.sleep(pause_s)
            self.again()


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        content = read_json(data)
    except CommandError:
        return {}
    return content if isinstance(content, dict) else {}
