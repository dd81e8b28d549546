"""What a bug report needs, without names of people, addresses and serial numbers."""

from __future__ import annotations

from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .bundle import DATA_BUNDLE
from .runtime import PimqttEntry, loaded
from .view import node_view

#: ``problem`` and ``reason`` are sentences that may quote any of the others.
TO_REDACT: Final = {
    "addresses", "identity", "name", "holder", "owner", "problem", "reason", "unique_id", "device_id", "area_id",
}  # fmt: skip


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: PimqttEntry) -> dict[str, Any]:
    """Return the entry, and the fleet where it is loaded."""
    about = {
        "entry": {"data": dict(entry.data), "options": dict(entry.options), "version": entry.version},
        "bundle": hass.data.get(DATA_BUNDLE) or None,
    }
    runtime = loaded(hass)
    if runtime is None:  # what a user asks about may be just that
        return {**about, "state": str(entry.state)}
    nodes = [view for node in runtime.fleet.nodes.values() if (view := node_view(hass, node, None))]
    return {
        **about,
        "connected": runtime.fleet.connected,
        "sessions": runtime.sessions.count,
        "nodes": async_redact_data(nodes, TO_REDACT),
    }
