"""All nodes, as their retained topics tell. Others hear of changes by the signals."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.components.mqtt import ReceiveMessage
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from . import clocks, topics
from .model import Result, read_info, read_lease, read_result
from .nodes import Node
from .publishing import is_connected
from .seen import Seen
from .strict_json import WireError, loads, quote
from .topics import STOP, SYSTEM, TAKEN, Heard, Place

_LOGGER = logging.getLogger(__name__)

#: A node changed, or is gone: its id.
SIGNAL_NODE: SignalType[str] = SignalType("pimqtt_node")
#: What became of a command: whose, and the result.
SIGNAL_RESULT: SignalType[Place, Result] = SignalType("pimqtt_result")
#: An answer to a call, as it came: the node, the JSON.
SIGNAL_CALLED: SignalType[str, Any] = SignalType("pimqtt_called")
#: A latch was told: the node or device, whether it is on.
SIGNAL_LATCH: SignalType[Place, bool] = SignalType("pimqtt_latch")
#: MQTT came or went.
SIGNAL_CONNECTED: SignalType[bool] = SignalType("pimqtt_connected")

MAX_NODES: Final = 2000
_WORDS: Final = {"online": True, "offline": False}
_LATCH: Final = {"ON": True, "OFF": False}


class Fleet:
    """The nodes by id. What can't be read is told once in the log, and changes nothing."""

    def __init__(self, hass: HomeAssistant, base: str, seen: Seen) -> None:
        """Know nothing yet."""
        self.base = base
        self.nodes: dict[str, Node] = {}
        self.seen = seen
        self.connected = False
        self._hass = hass
        self._logged: set[str] = set()
        self._boards: dict[str, dict[str, Node]] = {}
        self._levels: dict[str, Callable[[Heard, ReceiveMessage], None]] = {
            "info": self._info,
            "availability": self._availability,
            "lease": self._lease,
            "result": self._result,
            "state": self._state,
        }

    def by_identity(self, identity: str) -> list[Node]:
        """Return the nodes of a board: more than one where a card was cloned."""
        return list(self._boards.get(identity, {}).values())

    @callback
    def connection(self, connected: bool) -> None:  # noqa: FBT001 - Home Assistant calls it so
        """MQTT came or went; said once each."""
        if connected is self.connected:
            return
        self.connected = connected
        if connected:
            _LOGGER.info("MQTT is connected: pimqtt hears its nodes again")
        else:
            _LOGGER.warning("MQTT is disconnected: nothing is heard of pimqtt's nodes, and no command reaches them")
        async_dispatcher_send(self._hass, SIGNAL_CONNECTED, connected)

    @callback
    def heard(self, message: ReceiveMessage) -> None:
        """Take whatever one of our subscriptions brought."""
        heard = topics.parse(self.base, message.topic)
        take = self._levels.get(heard.level) if heard else None
        if heard is None or take is None:
            return
        try:
            take(heard, message)
        except WireError as error:
            self._log_once(message.topic, str(error))

    @callback
    def forget(self, node: str) -> None:
        """A node left for good."""
        left = self.nodes.pop(node, None)
        if left is not None:
            self._off_board(left)
            self.seen.forget(node)
            self._changed(node)

    async def async_subscribe(self, at_end: Callable[[Callable[[], None]], None]) -> None:
        """Listen; ``at_end`` is given what ends it, each as soon as it began. Raises ``HomeAssistantError``."""
        self.connected = is_connected(self._hass)
        at_end(mqtt.async_subscribe_connection_status(self._hass, self.connection))
        for topic in topics.subscriptions(self.base):
            at_end(await mqtt.async_subscribe(self._hass, topic, self.heard, qos=1, encoding=None))

    @callback
    def compare_clocks(self, node: Node, behind_s: float) -> None:
        """A command showed by how much at least our clock is behind a node's (s)."""
        node.compare_clocks(behind_s)
        self._changed(node.id)

    def _node(self, node: str) -> Node:
        found = self.nodes.get(node)
        if found is None:
            if len(self.nodes) >= MAX_NODES:
                raise WireError(f"there are {MAX_NODES} nodes already; this one is left out")
            found = self.nodes[node] = Node(node)
        return found

    def _off_board(self, node: Node) -> None:
        """Take a node from where ``by_identity`` looks."""
        if node.info is not None:
            others = self._boards.get(node.info.identity, {})
            others.pop(node.id, None)
            if not others:
                self._boards.pop(node.info.identity, None)

    def _info(self, heard: Heard, message: ReceiveMessage) -> None:
        if heard.place.device:
            return
        name, payload = heard.place.node, _bytes(message)
        if not payload:
            self.forget(name)
            return
        node = self._node(name)
        try:
            info = read_info(name, payload)
            self._off_board(node)
            self._boards.setdefault(info.identity, {})[name] = node
            node.said(info, dt_util.utcnow())
        except WireError as error:
            node.unreadable = str(error)
            raise
        finally:
            self._changed(name)

    def _availability(self, heard: Heard, message: ReceiveMessage) -> None:
        place, payload = heard.place, _bytes(message)
        if not payload or place.key:
            return
        online = _word(_WORDS, payload)
        if place.device and not online:
            if len(self._node(place.node).ill) < MAX_NODES:
                self._node(place.node).ill.add(place.device)
        elif place.device:
            self._node(place.node).ill.discard(place.device)
        else:
            self.seen.note(self._node(place.node), online=online, retained=message.retain)
        self._changed(place.node)

    def _lease(self, heard: Heard, message: ReceiveMessage) -> None:
        place, payload = heard.place, _bytes(message)
        if place.device:
            lease = read_lease(payload) if payload else None
            node = self._node(place.node)
            if lease is not None and lease.end is not None:
                lease = clocks.timed(node, lease, retained=message.retain)
            node.set_lease((place.device, place.key), lease, time.monotonic())
            self._changed(place.node)

    def _result(self, heard: Heard, message: ReceiveMessage) -> None:
        place, raw = heard.place, loads(_bytes(message))
        if place == Place(place.node, "call"):
            async_dispatcher_send(self._hass, SIGNAL_CALLED, place.node, raw)
            return
        if place.device == STOP and not place.key:
            place = Place(place.node, "", STOP)
        result = read_result(raw)
        if place.device and place.key != STOP:
            self._node(place.node).tell((place.device, place.key), result, dt_util.utcnow())
            self._changed(place.node)
        async_dispatcher_send(self._hass, SIGNAL_RESULT, place, result)

    def _state(self, heard: Heard, message: ReceiveMessage) -> None:
        place, payload = heard.place, _bytes(message)
        if not payload:
            return
        node = self._node(place.node)
        if place == Place(place.node, SYSTEM, "under_voltage"):
            node.under_voltage = _LATCH.get(payload.decode(errors="replace"))
        elif place == Place(place.node, STOP):
            node.latched = _word(_LATCH, payload)
            async_dispatcher_send(self._hass, SIGNAL_LATCH, Place(place.node), node.latched)
        elif place.key == TAKEN:
            node.took(place.device, payload.decode(errors="replace"))
        elif place.key == STOP:
            latched = _word(_LATCH, payload)
            if latched and len(node.latched_devices) < MAX_NODES:
                node.latched_devices.add(place.device)
            elif not latched:
                node.latched_devices.discard(place.device)
            async_dispatcher_send(self._hass, SIGNAL_LATCH, Place(place.node, place.device), latched)
        self._changed(place.node)

    def _changed(self, node: str) -> None:
        async_dispatcher_send(self._hass, SIGNAL_NODE, node)

    def _log_once(self, topic: str, reason: str) -> None:
        if topic not in self._logged and len(self._logged) < MAX_NODES:
            self._logged.add(topic)
            _LOGGER.warning("What came on %s is left out: %s", topic[:200], reason)


def _bytes(message: ReceiveMessage) -> bytes:
    payload = message.payload
    return payload.encode() if isinstance(payload, str) else bytes(payload)


def _word(words: dict[str, bool], payload: bytes) -> bool:
    text = payload.decode(errors="replace")
    if text not in words:
        raise WireError(f"{quote(text)} is none of {', '.join(words)}")
    return words[text]
