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
        self._open, self._unsaved = True, False

    async def async_load(self) -> None:
        """Read what the last run wrote."""
        raw = await self._store.async_load()
        kept = raw if isinstance(raw, dict) else {}
        self._nodes = {node: one for node, one in kept.items() if isinstance(one, dict)}

    async def async_close(self) -> None:
        """Write what is not yet written, and no more after that: the next entry reads it, or deletes it."""
        self._open = False
        if self._unsaved:
            await self._store.async_save(self._nodes)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    @callback
    def note(self, node: Node, *, online: bool, retained: bool) -> None:
        """Set when the node came or went: what is retained did so before we listened."""
        before = self._nodes.get(node.id, {})
        known = before.get("online") is online
        since = _moment(before.get("since")) if known else None
        if node.since is not None and node.online is online:
            return
        node.online = online
        node.since = since or dt_util.utcnow()
        node.exact = bool(before.get("exact")) if since else not retained
        self._nodes[node.id] = {"online": online, "since": node.since.isoformat(), "exact": node.exact}
        self._save()

    @callback
    def forget(self, node: str) -> None:
        """A node left for good."""
        if self._nodes.pop(node, None) is not None:
            self._save()

    def _save(self) -> None:
        self._unsaved = True
        if self._open:
            self._store.async_delay_save(self._content, _DELAY_S)

    def _content(self) -> dict[str, dict[str, Any]]:
        self._unsaved = False
        return self._nodes


def _moment(text: Any) -> datetime | None:
    """Return the moment that a damaged file may well have."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
