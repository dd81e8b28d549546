"""One session with the broker: subscribe, marker, `online`, every state; and `offline` at the end.

What bears the retain flag before our marker is back is a replay. A second agent under our node's name makes us go away
from the broker, say so, and move nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

import msgspec

from pimqtt_agent import PROTOCOL, __version__, identity
from pimqtt_agent.announce import Announcer
from pimqtt_agent.answers import Answers
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import Incoming
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.commands import read_json
from pimqtt_agent.discovery import Node
from pimqtt_agent.errors import CommandError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model

log = logging.getLogger(__name__)

MARKER_S = 5.0
#: How long a stop waits for the pins' last words and for the broker to take ours (s).
BYE_S, BROKER_S = 1.0, 1.0
#: Another agent of this very board, or of the same simulated node.
ANOTHER = "another agent with our name"


class Session:
    """What is published around commands. ``attach`` gives it what did not exist when it was made."""

    bridge: Bridge
    answers: Answers
    announcer: Announcer

    def __init__(self, model: Model, node: Node, memory: Memory) -> None:
        """Begin offline."""
        self.model, self.node, self.memory = model, node, memory
        self.replaying = True
        #: what came before our marker; `replayed` gets it once no other board was found under our name
        self.held: list[Incoming] = []
        self.replayed: Callable[[list[Incoming]], None] = lambda _messages: None
        self.online = False
        self.ending = False
        self.home_assistant_lost_s: float | None = None
        self._instance, self._told_info = os.urandom(6).hex(), False
        self._marker = ""
        self._marked = asyncio.Event()
        self._foreign = ""
        self._availability = ""

    def attach(self, bridge: Bridge, answers: Answers, announcer: Announcer) -> None:
        """Take the parts that needed us first."""
        self.bridge, self.answers, self.announcer = bridge, answers, announcer

    async def begin(self) -> None:
        """Start a session that the bridge has just opened."""
        topics = self.model.topics
        self.replaying, self.online = True, False
        self.held = []
        self._foreign = self._availability = ""
        self._marker = os.urandom(8).hex()
        self._marked.clear()
        self.announcer.close()
        self.bridge.subscribe(topics.subscriptions())
        self.bridge.publish(topics.marker, self._marker, qos=1)
        self.bridge.flush()
        try:
            await asyncio.wait_for(self._marked.wait(), MARKER_S)
        except TimeoutError:
            log.warning("our marker did not come back within %g s: may we write and read %s?", MARKER_S, topics.marker)
            self.marked(self._marker)

    def marked(self, content: str) -> None:
        """Our marker is back: the replay is over."""
        if content != self._marker or not self.replaying:
            return
        if self._foreign and (self._availability != "offline" or self._foreign == ANOTHER):
            self.doubled(self._foreign)
            return
        self.replaying = False
        self._marked.set()
        options = self.bridge.options
        log.info("connected to %s:%d by MQTT %s", options.host, options.port_number, self.bridge.version)
        self.tell_all()
        self.announcer.announce()
        left = self.memory.left()
        if left:
            self.announcer.clear(left, self.memory.registered)
        else:
            self.memory.registered()
        self.bridge.unsubscribe([f"{self.model.topics.discovery_prefix}/device/{self.node.topics.node}/+/config"])
        held, self.held = self.held, []
        self.replayed(held)

    def tell_all(self) -> None:
        """Say `online`, then every state."""
        topics = self.model.topics
        self.online = True
        self.bridge.publish(topics.availability, "online", qos=1, retain=True)
        self.bridge.publish(topics.info, msgspec.json.encode(self.info()), qos=1, retain=True)
        self._told_info = True
        for device in self.model.devices:
            self.health(device)
        for device, is_on in self.model.latched.items():
            self.bridge.publish(topics.stop(device, "state"), "ON" if is_on else "OFF", retain=True)
        for thing in self.model.things.values():
            self.answers.state(thing)
            self.answers.lease(thing)

    def health(self, device: str) -> None:
        """Say whether a device works."""
        if device in self.model.health:
            word = "online" if self.model.health[device] else "offline"
            self.bridge.publish(self.model.topics.device(device, "availability"), word, retain=True)

    def heard_availability(self, word: str) -> None:
        """Read our own availability: an old will that came late is corrected."""
        self._availability = word
        if word == "offline" and self.online and not self.ending:
            self.bridge.publish(self.model.topics.availability, "online", qos=1, retain=True)

    def heard_info(self, payload: bytes) -> None:
        """Read an info under our node: another board must not be there."""
        try:
            content = read_json(payload)
        except CommandError:
            return
        if not isinstance(content, dict):
            return
        other = content.get("hardware_id")
        if other == self.node.identity and self._told_info and content.get("instance") != self._instance:
            other = ANOTHER  # since we told ours nobody else should have
        elif not isinstance(other, str) or other == self.node.identity:
            return
        if self.replaying:
            self._foreign = other
        else:
            self.doubled(other)

    def doubled(self, other: str) -> None:
        """Another board uses our node's name: what still comes is held, and forgotten."""
        self.online, self.replaying = False, True
        self.bridge.drop(
            f"node {self.node.topics.node} is another board ({other}; we are {self.node.identity}): give one of them "
            f"another node id, or clear {self.model.topics.info} if that board is gone"
        )

    async def end(self, links: dict[str, KeeperLink]) -> None:
        """Wait for the pins' last words, say `offline`, go."""
        self.ending = True
        try:
            await asyncio.wait_for(links[""].said_bye.wait(), BYE_S)
        except TimeoutError:
            log.warning("the pins gave no last word")
        self.bridge.publish(self.model.topics.availability, "offline", qos=1, retain=True)
        await self.bridge.close(BROKER_S)

    async def prove(self, every_s: float | None, links: dict[str, KeeperLink], linger_s: float) -> None:
        """Tell the pin keeper when the broker and Home Assistant were last alive, the others that we are."""
        pins = links[""]
        while True:
            for link in links.values():
                if link is not pins:
                    link.tell(wire.Beat())
            broker_s = self.bridge.last_in_s
            lost_s = self.home_assistant_lost_s
            pins.tell(wire.Proof(broker_s, broker_s if lost_s is None else lost_s))
            await asyncio.sleep(min((every_s or 10.0) / 2, linger_s / 3))

    def heard_home_assistant(self, word: str) -> None:
        """Home Assistant went, or came (back)."""
        if word == "offline" and self.home_assistant_lost_s is None:
            self.home_assistant_lost_s = boottime_s()
        elif word == "online":
            self.home_assistant_lost_s = None

    def info(self) -> dict[str, Any]:
        """What the node is."""
        return {
            "protocol": PROTOCOL,
            "version": __version__,
            "mqtt": self.bridge.version,
            "node": self.node.topics.node,
            "name": self.node.title,
            "model": self.node.model,
            "hardware_id": self.node.identity,
            "instance": self._instance,
            "addresses": identity.addresses(),
            "devices": [
                {
                    "id": device.id,
                    "kind": device.kind,
                    "name": device.title,
                    "entities": [
                        {"key": entity.key, "platform": entity.platform, **_capabilities(entity)}
                        for entity in device.declared
                    ],
                }
                for device in self.model.devices.values()
            ],
            "capabilities": ["lease", "stop", "token", "call", "retained"],
        }


def _capabilities(entity: Any) -> dict[str, Any]:
    rules = entity.rules
    if rules is None:
        return {"command": entity.takes_commands}
    ttl = {"default": rules.ttl.default, "min": rules.ttl.min, "max": rules.ttl.max, "required": rules.ttl.required}
    return {
        "command": True,
        "motion": str(rules.motion),
        "ttl": ttl,
        "deadman_s": rules.deadman_s if rules.motion != "level" else None,
        "control": "shared" if rules.shared else "exclusive",
        "restore": "last" if rules.initial == "last" else "config",
        "token": "required" if rules.token_required else "optional",
    }


