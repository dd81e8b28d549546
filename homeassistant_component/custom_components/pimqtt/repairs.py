"""Mending what Home Assistant itself can mend: a node that will not come back is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.components import mqtt
from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .issues import NODE_GONE
from .nodes import Node
from .publishing import discovery_prefix
from .runtime import Runtime, loaded
from .topics import STOP, SYSTEM, Place

#: That long after a subscription, which Home Assistant sends after up to 0.5 s, all that is retained was told (s).
LISTEN_S = 2.0


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Offer the way out of an issue."""
    node = data.get("node") if data else None
    if issue_id.startswith(f"{NODE_GONE}_") and isinstance(node, str):
        return ForgetFlow(node, {"name": str((data or {}).get("name") or node)})
    return ConfirmRepairFlow()


class ForgetFlow(RepairsFlow):
    """Clears what the broker has retained of a node, so that its devices leave Home Assistant."""

    def __init__(self, node: str, placeholders: dict[str, str]) -> None:
        """Remember which."""
        self._node, self._placeholders = node, placeholders

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> Any:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> Any:
        """Ask, and do it."""
        if user_input is None:
            return self.async_show_form(step_id="confirm", description_placeholders=self._placeholders)
        runtime = loaded(self.hass)
        node = runtime.fleet.nodes.get(self._node) if runtime else None
        if runtime is None or node is None:
            return self.async_create_entry(data={})
        try:
            topics = dict.fromkeys(
                retained_topics(self.hass, runtime, node) + await heard_topics(self.hass, runtime, node)
            )
            if node.online:
                return self.async_abort(reason="online", description_placeholders=self._placeholders)
            for topic in topics:
                await mqtt.async_publish(self.hass, topic, "", 1, retain=True)
        except HomeAssistantError:
            return self.async_abort(reason="not_connected")
        runtime.fleet.forget(self._node)
        return self.async_create_entry(data={})


def retained_topics(hass: HomeAssistant, runtime: Runtime, node: Node) -> list[str]:
    """List what a node has retained, discovery first: Home Assistant then forgets its entities before their states."""
    base, devices = runtime.fleet.base, node.info.devices if node.info else ()
    ids = dict.fromkeys([*(device.id for device in devices), SYSTEM])
    topics = [f"{discovery_prefix(hass)}/device/{node.id}/{device}/config" for device in ids]
    for device in devices:
        for entity in device.entities:
            place = Place(node.id, device.id, entity.key)
            topics += [place.topic(base, "state")] + ([place.topic(base, "lease")] if entity.motion else [])
        topics += [Place(node.id, device.id).topic(base, "availability")]
        topics += [Place(node.id, device.id, STOP).topic(base, "state")]
    return [*topics, *(f"{base}/{node.id}/{level}" for level in ("stop/state", "availability", "info"))]


async def heard_topics(hass: HomeAssistant, runtime: Runtime, node: Node) -> list[str]:
    """Ask the broker what it retains of a node: also devices that it no longer named when it went; discovery first."""
    config, own = f"{discovery_prefix(hass)}/device/{node.id}/+/config", f"{runtime.fleet.base}/{node.id}/#"
    topics: dict[str, dict[str, None]] = {config: {}, own: {}}
    ends = [await mqtt.async_subscribe(hass, where, _noting(found), 0, None) for where, found in topics.items()]
    try:
        await asyncio.sleep(LISTEN_S)
    finally:
        for end in ends:
            end()
    return [*topics[config], *topics[own]]


def _noting(found: dict[str, None]) -> Callable[[mqtt.ReceiveMessage], None]:
    @callback
    def note(message: mqtt.ReceiveMessage) -> None:
        if message.retain and message.payload:
            found[message.topic] = None

    return note
