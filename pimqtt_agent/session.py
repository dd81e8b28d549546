"""One session with the broker: subscribe, marker, `online`, every state; and `offline` at the end.

What bears the retain flag before our marker is back is a replay. A second agent under our node's name makes us go away
from the broker, say so, and move nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from typing import Any

import msgspec

from pimqtt_agent.announce import Announcer
from pimqtt_agent.answers import Answers
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import Incoming
from pimqtt_agent.discovery import Node
from pimqtt_agent.entities import quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.info import Moment, info
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.proofs import Proofs
from pimqtt_agent.read_back import ReadBack
from pimqtt_agent.strict_json import read_json

log = logging.getLogger(__name__)

MARKER_S = 5.0
#: How long a stop waits for the pins' last words and for the broker to take ours (s).
BYE_S, BROKER_S = 1.0, 1.0
#: How long what the broker denies is collected before it is told (s).
DENIED_S = 0.5
#: Another agent of this very board, or of the same simulated node.
ANOTHER = "another agent with our name"


class Session:
    """What is published around commands. ``attach`` gives it what did not exist when it was made."""

    bridge: Bridge
    answers: Answers
    announcer: Announcer
    #: what may change of the board: ``{"clock_synchronised", "under_voltage"}``
    facts: Callable[[], dict[str, Any]]

    def __init__(self, model: Model, node: Node, memory: Memory) -> None:
        """Begin offline."""
        self.model, self.node, self.memory = model, node, memory
        self.replaying = True
        #: what came before our marker; `replayed` gets it once no other board was found under our name
        self.held: list[Incoming] = []
        self.replayed: Callable[[list[Incoming]], None] = lambda _messages: None
        self.online = False
        self.ending = False
        self.read_back = ReadBack(model.topics)
        self.proofs, self._news = Proofs(), asyncio.Event()
        self._problem = ""
        self._told: Moment | None = None
        self._marker = ""
        self._marked = asyncio.Event()
        self._foreign = ""
        self._availability = ""
        self._telling: asyncio.TimerHandle | None = None

    def attach(self, bridge: Bridge, answers: Answers, announcer: Announcer) -> None:
        """Take the parts that needed us first."""
        self.bridge, self.answers, self.announcer = bridge, answers, announcer
        bridge.rights.changed = self._denied

    async def begin(self) -> None:
        """Start a session that the bridge has just opened."""
        topics = self.model.topics
        self.replaying, self.online = True, False
        self.held = []
        self._foreign = self._availability = ""
        self._marker = os.urandom(8).hex()
        self._marked.clear()
        self.announcer.close()
        self.read_back.stop()
        self.bridge.subscribe(topics.subscriptions())
        self.bridge.publish(topics.marker, self._marker, qos=1)
        self.bridge.flush()
        try:
            await asyncio.wait_for(self._marked.wait(), MARKER_S)
        except TimeoutError:
            log.warning("our marker did not come back within %g s: %s: %s", MARKER_S, topics.marker, self._no_marker())
            self.marked(self._marker)

    def _no_marker(self) -> str:
        """Say why our marker did not come back, as far as that is known."""
        why = self.bridge.rights.why(self.model.topics.marker)
        return why or "may this login write and read it? (`pimqtt doctor` tries it, mosquitto/acl shows the lines)"

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
        self.read_back.start(self.bridge)
        held, self.held = self.held, []
        self.replayed(held)

    def tell_all(self) -> None:
        """Say `online`, then every state."""
        topics = self.model.topics
        self.online = True
        self.bridge.publish(topics.availability, "online", qos=1, retain=True)
        self._tell_info()
        for device in self.model.devices:
            self.health(device)
        for device, is_on in self.model.latched.items():
            self.bridge.publish(topics.stop(device, "state"), "ON" if is_on else "OFF", retain=True)
        for thing in self.model.things.values():
            self.answers.state(thing)
            self.answers.lease(thing)

    def tell_problem(self, text: str) -> None:
        """Say in `info` what the supervisor found wrong; nothing is wrong where the text is empty."""
        self._problem = text
        self.tell_changes()

    def tell_changes(self) -> None:
        """Publish `info` again where what it tells has changed."""
        if self.online and self._moment() != self._told:
            self._tell_info()
            self.bridge.flush()

    def _moment(self) -> Moment:
        bridge = self.bridge
        return Moment(
            mqtt=bridge.version, instance=self.memory.instance, problem=self._problem or None,
            denied=bridge.rights.topics(), max_packet_size=bridge.max_packet_size, **self.facts(),
        )  # fmt: skip

    def _tell_info(self) -> None:
        self._told = self._moment()
        content = msgspec.json.encode(info(self.model, self.node, self._told))
        self.bridge.publish(self.model.topics.info, content, qos=1, retain=True)

    def _denied(self) -> None:
        """The broker denies us more than we knew: tell it soon, and all in one."""
        if self.online and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(DENIED_S, self._tell_denied)

    def _tell_denied(self) -> None:
        self._telling = None
        self.tell_changes()

    def health(self, device: str) -> None:
        """Say whether a device works; one of which its keeper has told nothing yet does not."""
        word = "online" if self.model.health.get(device) else "offline"
        self.bridge.publish(self.model.topics.device(device, "availability"), word, retain=True)

    def heard_availability(self, word: str) -> None:
        """Read our own availability: an old will that came late is corrected."""
        self._availability = word
        self.read_back.echoed(self.model.topics.availability)
        if word == "offline" and self.online and not self.ending:
            self.bridge.publish(self.model.topics.availability, "online", qos=1, retain=True)

    def heard_info(self, payload: bytes) -> None:
        """Read an info under our node: another board must not be there."""
        try:
            content = read_json(payload)
        except CommandError:
            return
        self.read_back.echoed(self.model.topics.info)
        if not isinstance(content, dict):
            return
        other = content.get("hardware_id")
        if other == self.node.identity and self._told and not self.memory.is_ours(content.get("instance")):
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
        self.announcer.close()
        self.bridge.drop(
            f"node {self.node.topics.node} is another board ({_named(other)}; we are {self.node.identity}): give one "
            f"of them another node id, or clear {self.model.topics.info} if that board is gone"
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
            self._news.clear()
            pins.tell(self.proofs.proof(self.bridge.last_in_s, replaying=self.replaying))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min((every_s or 10.0) / 2, linger_s / 3))

    def keeper_is_there(self) -> None:
        """Tell it of the last sign of life at once: it goes on with what the one before had heard."""
        self._news.set()

    def heard_home_assistant(self, word: str, at_s: float) -> None:
        """Home Assistant went, or came (back); the keeper is told at once, since we may be gone in a moment."""
        self.proofs.heard(word, at_s, replaying=self.replaying)
        self.announcer.listens = word == "online"
        self._news.set()


def _named(other: str) -> str:
    """Write a hardware id that anybody may have told."""
    return other if other.isascii() and other.isprintable() and len(other) <= 60 else quote(other)
