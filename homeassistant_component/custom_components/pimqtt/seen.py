"""When nodes came and went, kept over restarts of Home Assistant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .nodes import Node

_VERSION: Final = 1
_DELAY_S: Final = 10


class Seen:
    """Completes a node's ``since``."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know nothing yet."""
        self._store: Store[dict[str, dict[str, Any]]] = Store(hass, _VERSION, f"{DOMAIN}.seen")
        self._nodes: dict[str, dict[str, Any]] = {}

    async def async_load(self) -> None:
        """Read what the last run wrote."""
        raw = await self._store.async_load()
        self._nodes = raw if isinstance(raw, dict) else {}

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    @callback
    def note(self, node: Node, *, online: bool, retained: bool) -> None:
        """Set when the node came or went: what is retained did so before we listened."""
        before = self._nodes.get(node.id, {})
        known = before.get("online") is online
        since = dt_util.parse_datetime(str(before.get("since"))) if known else None
        if node.since is not None and node.online is online:
            return
        node.online = online
        node.since = _aware(since) or dt_util.utcnow()
        node.exact = bool(before.get("exact")) if since else not retained
        self._nodes[node.id] = {"online": online, "since": node.since.isoformat(), "exact": node.exact}
        self._store.async_delay_save(lambda: self._nodes, _DELAY_S)

    @callback
    def forget(self, node: str) -> None:
        """A node left for good."""
        if self._nodes.pop(node, None) is not None:
            self._store.async_delay_save(lambda: self._nodes, _DELAY_S)


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment.tzinfo is not None else None
