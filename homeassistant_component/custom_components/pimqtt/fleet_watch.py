"""A browser that watches the fleet: the whole of it first, then each node again when it changes."""

from __future__ import annotations

import time
from typing import Any, Final

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import DEFAULT_BASE
from .fleet import SIGNAL_CONNECTED, SIGNAL_NODE
from .runtime import SIGNAL_ENTRY, loaded
from .view import node_view

#: A node is sent at most so often; its last change always comes through (s).
APART_S: Final = 0.2


class FleetWatch:
    """One subscription; it outlives a reload of the entry, after which the whole fleet is sent again."""

    def __init__(self, hass: HomeAssistant, connection: ActiveConnection, message_id: int) -> None:
        """Send everything."""
        self._hass, self._connection, self._id = hass, connection, message_id
        self._shown: set[str] = set()
        self._sent_s: dict[str, float] = {}
        self._late: dict[str, Any] = {}
        self._ends = [
            async_dispatcher_connect(hass, SIGNAL_NODE, self._changed),
            async_dispatcher_connect(hass, SIGNAL_CONNECTED, self._connected),
            async_dispatcher_connect(hass, SIGNAL_ENTRY, self._entry),
        ]

    @callback
    def send_all(self) -> None:
        """Send the whole fleet."""
        runtime = loaded(self._hass)
        nodes = []
        for node in runtime.fleet.nodes.values() if runtime else ():
            view = node_view(self._hass, node, self._connection.user) if node.shown else None
            if view:
                nodes.append(view)
        self._shown = {view["id"] for view in nodes}
        base, connected = (runtime.fleet.base, runtime.fleet.connected) if runtime else (DEFAULT_BASE, False)
        self._tell({"base": base, "connected": connected, "nodes": nodes})

    @callback
    def end(self) -> None:
        """Watch no more."""
        for stop in (*self._ends, *(timer.cancel for timer in self._late.values())):
            stop()
        self._ends.clear()
        self._late.clear()

    @callback
    def _changed(self, node: str) -> None:
        wait_s = self._sent_s.get(node, 0.0) + APART_S - time.monotonic()
        if wait_s <= 0:
            self._send(node)
        elif node not in self._late:
            self._late[node] = self._hass.loop.call_later(wait_s, self._send, node)

    def _send(self, name: str) -> None:
        self._late.pop(name, None)
        runtime = loaded(self._hass)
        node = runtime.fleet.nodes.get(name) if runtime else None
        view = node_view(self._hass, node, self._connection.user) if node and node.shown else None
        if view is not None:
            self._shown.add(name)
            self._sent_s[name] = time.monotonic()
            self._tell({"node": view})
        elif name in self._shown and runtime is not None:
            self._shown.discard(name)
            self._sent_s.pop(name, None)
            self._tell({"gone": name})

    @callback
    def _connected(self, connected: bool) -> None:  # noqa: FBT001 - a signal's argument
        self._tell({"connected": connected})

    @callback
    def _entry(self, is_loaded: bool) -> None:  # noqa: FBT001 - a signal's argument
        if is_loaded:
            self.send_all()
        else:
            self._tell({"connected": False})

    def _tell(self, event: dict[str, Any]) -> None:
        self._connection.send_event(self._id, event)
