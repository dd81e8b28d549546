"""Showing a node again when its entities or devices are renamed, moved or removed in Home Assistant.

Registry events come by the thousand while Home Assistant starts: each costs only the node that it is about, and a
burst of them is one change of that node.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any, Final

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send

from . import entities
from .fleet import SIGNAL_NODE, Fleet
from .topics import from_unique_id

#: Events are gathered for so long (s).
TOGETHER_S: Final = 0.1


@callback
def async_follow(hass: HomeAssistant, fleet: Fleet) -> list[Callable[[], None]]:
    """Follow both registries; return what ends that."""
    follower = _Follower(hass, fleet)
    return [
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, follower.entity),
        hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, follower.device),
        follower.end,
    ]


class _Follower:
    """Gathers the boards that events are about. An event of a removal no longer says whose the entity was."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet) -> None:
        self._hass, self._fleet = hass, fleet
        self._entries = er.async_get(hass)
        self._boards: dict[str, str] = {}
        self._due: set[str] = set()
        self._timer: TimerHandle | None = None
        for entry in self._entries.entities.values():
            self._note(entry)

    @callback
    def entity(self, event: Event[Any]) -> None:
        """Take an event of an entity."""
        entity_id = event.data["entity_id"]
        boards = {self._boards.pop(one, None) for one in (entity_id, event.data.get("old_entity_id", entity_id))}
        entry = self._entries.async_get(entity_id)
        boards.add(self._note(entry) if entry else None)
        self._changed(boards)

    @callback
    def device(self, event: Event[Any]) -> None:
        """Take an event of a device; what is removed with it has events of its own."""
        found = dr.async_get(self._hass).async_get(event.data["device_id"])
        names = [name for domain, name, *_ in found.identifiers if domain == entities.MQTT] if found else []
        self._changed({_board_of(name) for name in names})

    @callback
    def end(self) -> None:
        """Follow no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _note(self, entry: er.RegistryEntry) -> str | None:
        found = from_unique_id(entry.unique_id) if entry.platform == entities.MQTT else None
        if found is None:
            return None
        self._boards[entry.entity_id] = found[0]
        return found[0]

    def _changed(self, boards: set[str | None]) -> None:
        self._due |= {board for board in boards if board}
        if self._due and self._timer is None:
            self._timer = self._hass.loop.call_later(TOGETHER_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        due, self._due = self._due, set()
        for node in {node.id for board in due for node in self._fleet.by_identity(board)}:
            async_dispatcher_send(self._hass, SIGNAL_NODE, node)


def _board_of(identifier: str) -> str | None:
    """Return whose a device is: ``pimqtt.<identity>[.<device>]``."""
    parts = identifier.split(".")
    return parts[1] if parts[0] == "pimqtt" and len(parts) in (2, 3) else None
