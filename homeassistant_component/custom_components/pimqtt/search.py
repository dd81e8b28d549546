"""A search for nodes: those that the broker knows, those that appear, and those that announce themselves by mDNS."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .fleet import SIGNAL_NODE
from .nodes import Node
from .rights import may_all
from .runtime import loaded
from .view import node_view

_PROGRESS_S: Final = 0.25


class Search:
    """One search; it ends by itself."""

    def __init__(self, hass: HomeAssistant, connection: ActiveConnection, message_id: int, seconds: float) -> None:
        """Look for nothing yet."""
        self._hass, self._connection, self._id = hass, connection, message_id
        self._started_s, self._seconds = time.monotonic(), seconds
        self._known = {node.id for node in self._nodes.values() if node.shown}
        self._found: set[tuple[str, str]] = set()
        self._timer: Any = None
        self._end_browsing: Callable[[], Awaitable[None]] | None = None
        self._ended = False
        self._unsubscribe = async_dispatcher_connect(hass, SIGNAL_NODE, self._changed)

    @property
    def _nodes(self) -> dict[str, Node]:
        """The nodes of the entry as it is loaded now: it may be reloaded meanwhile."""
        runtime = loaded(self._hass)
        return runtime.fleet.nodes if runtime else {}

    @callback
    def start(self) -> None:
        """Tell what is known, and look on."""
        for node in list(self._nodes.values()):
            self._tell_node(node)
        if may_all(self._connection.user, POLICY_READ) and "zeroconf" in self._hass.config.components:
            self._hass.async_create_task(self._browse(), "pimqtt search")
        self._tick()

    @callback
    def end(self) -> None:
        """Look no more."""
        if self._ended:
            return
        self._ended = True
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()
        if self._end_browsing is not None:
            self._hass.async_create_task(_ended(self._end_browsing), "pimqtt search")

    def _tick(self) -> None:
        progress = min(1.0, (time.monotonic() - self._started_s) / self._seconds)
        self._tell({"progress": round(progress, 2)})
        if progress >= 1:
            self.end()
            self._tell({"done": True})
        else:
            self._timer = self._hass.loop.call_later(_PROGRESS_S, self._tick)

    async def _browse(self) -> None:
        from . import mdns  # noqa: PLC0415 - its library is there only where zeroconf is set up

        end = await mdns.async_browse(self._hass, self._announced)
        if self._ended:
            await end()
        else:
            self._end_browsing = end

    @callback
    def _announced(self, about: dict[str, Any]) -> None:
        if not self._ended:
            found = {**about, "by": "zeroconf", "new": about["node"] not in self._known}
            self._tell_found(found, about["node"] or about["name"])

    @callback
    def _changed(self, node: str) -> None:
        found = self._nodes.get(node)
        if found is not None:
            self._tell_node(found)

    def _tell_node(self, node: Node) -> None:
        if not node.shown or not node.online or node_view(self._hass, node, self._connection.user) is None:
            return
        address = node.info.addresses[0] if node.info and node.info.addresses else None
        new = node.id not in self._known
        self._tell_found({"node": node.id, "name": node.name, "address": address, "by": "mqtt", "new": new}, node.id)

    def _tell_found(self, found: dict[str, Any], key: str) -> None:
        if (found["by"], key) not in self._found:
            self._found.add((found["by"], key))
            self._tell({"found": found})

    def _tell(self, event: dict[str, Any]) -> None:
        self._connection.send_event(self._id, event)


async def _ended(end: Callable[[], Awaitable[None]]) -> None:
    await end()
