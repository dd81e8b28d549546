"""The lines of Home Assistant's system health."""

from __future__ import annotations

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .bundle import DATA_BUNDLE
from .const import PROTOCOL
from .runtime import loaded


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register the lines."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    runtime = loaded(hass)
    about: dict[str, Any] = {"protocol": PROTOCOL, "bundle": hass.data.get(DATA_BUNDLE) or "missing"}
    if runtime is None:
        return about
    nodes = [node for node in runtime.fleet.nodes.values() if node.shown]
    return {
        **about,
        "base_topic": runtime.fleet.base,
        "connected": runtime.fleet.connected,
        "nodes": len(nodes),
        "online": sum(node.online for node in nodes),
        "driving": runtime.sessions.count,
    }
