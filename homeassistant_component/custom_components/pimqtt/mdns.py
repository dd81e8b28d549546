"""Nodes that announce themselves in the local network; imported only where Home Assistant has set up zeroconf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from homeassistant.components import zeroconf as ha_zeroconf
from homeassistant.core import HomeAssistant
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

from .topics import ID

SERVICE: Final = "_pimqtt._tcp.local."
_RESOLVE_MS: Final = 1000

Found = Callable[[dict[str, Any]], None]


async def async_browse(hass: HomeAssistant, found: Found) -> Callable[[], Awaitable[None]]:
    """Look for nodes; return what ends that. ``found`` is given node (None: not told), name, address."""
    instance = await ha_zeroconf.async_get_async_instance(hass)

    async def resolve(zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if await info.async_request(zeroconf, _RESOLVE_MS):
            found(told(name, dict(info.decoded_properties), info.parsed_addresses()))

    def announced(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is not ServiceStateChange.Removed:
            hass.async_create_task(resolve(zeroconf, service_type, name), "pimqtt search")

    browser = AsyncServiceBrowser(instance.zeroconf, SERVICE, handlers=[announced])
    return browser.async_cancel


def told(service: str, about: dict[str, str | None], addresses: list[str]) -> dict[str, Any]:
    """Return what a service says of its node."""
    node = about.get("node")
    node = node if node and ID.fullmatch(node) else None
    name = about.get("name") or node or service.removesuffix(f".{SERVICE}")
    return {"node": node, "name": name[:64], "address": addresses[0] if addresses else None}
