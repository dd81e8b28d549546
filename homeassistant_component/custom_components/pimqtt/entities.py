"""Between entity ids, unique ids and places on the wire. MQTT discovery owns every entity and device."""

from __future__ import annotations

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

from .errors import NOT_FOUND, RefusedError
from .fleet import Fleet
from .model import Info
from .nodes import Node
from .topics import SYSTEM, Place, from_unique_id, unique_id

MQTT = "mqtt"
#: The platforms of what discovery announces beside what ``info`` lists.
_STOP, _CONNECTION = "switch", "binary_sensor"


def locate(hass: HomeAssistant, fleet: Fleet, entity: str) -> Place:
    """Return the place of an entity, given by its entity id or its unique id. Raises ``RefusedError``."""
    places = locate_all(hass, fleet, entity)
    if len(places) > 1:
        nodes = ", ".join(sorted(place.node for place in places))
        raise RefusedError(NOT_FOUND, "two_nodes", entity=entity, nodes=nodes)
    return places[0]


def locate_all(hass: HomeAssistant, fleet: Fleet, entity: str) -> list[Place]:
    """Return every place that an entity may be: more than one where a card was copied and both boards are online."""
    unique = entity
    if not entity.startswith("pimqtt."):
        entry = er.async_get(hass).async_get(entity)
        if entry is None and hass.states.get(entity) is None:
            raise RefusedError(NOT_FOUND, "unknown_entity", entity=entity)
        if entry is None or entry.platform != MQTT:
            raise RefusedError(NOT_FOUND, "foreign_entity", entity=entity)
        unique = entry.unique_id
    found = from_unique_id(unique)
    if found is None:
        raise RefusedError(NOT_FOUND, "foreign_entity", entity=entity)
    identity, device, key = found
    nodes = fleet.by_identity(identity)
    if not nodes:
        raise RefusedError(NOT_FOUND, "unknown_node", entity=entity)
    if len(nodes) > 1:
        nodes = [node for node in nodes if node.online] or nodes[:1]
    return [Place(node.id, device, key) for node in nodes]


def is_ours(hass: HomeAssistant, entity_id: str) -> bool:
    """Tell whether an entity is one that an agent announced."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry is not None and entry.platform == MQTT and from_unique_id(entry.unique_id) is not None


def entity_id(hass: HomeAssistant, info: Info, device: str, key: str, platform: str) -> str | None:
    """Return an entity's id; None where Home Assistant has no such entity."""
    return er.async_get(hass).async_get_entity_id(platform, MQTT, unique_id(info.identity, Place("", device, key)))


def entity_ids(hass: HomeAssistant, node: Node, device: str | None = None) -> list[str]:
    """Return the entities that Home Assistant has of a node, or of one device of it."""
    if node.info is None:
        return []
    info, found = node.info, []
    for one in info.devices:
        if device in (None, one.id):
            found += [entity_id(hass, info, one.id, entity.key, entity.platform) for entity in one.entities]
            found.append(entity_id(hass, info, one.id, "stop", _STOP))
    if device in (None, SYSTEM):
        found.append(entity_id(hass, info, SYSTEM, "connection", _CONNECTION))
        found.append(stop_id(hass, info))
    return [one for one in dict.fromkeys(found) if one]


def commanded_ids(hass: HomeAssistant, node: Node, device: str = "") -> list[str | None]:
    """Return the entities that an emergency stop of a node or a device holds; None for one that is not there."""
    info = node.info
    if info is None:
        return []
    return [
        entity_id(hass, info, one.id, entity.key, entity.platform)
        for one in info.devices
        if one.id != SYSTEM and device in ("", one.id)
        for entity in one.entities
        if entity.command
    ]


def stop_id(hass: HomeAssistant, info: Info, device: str = "") -> str | None:
    """Return the emergency stop of a node or a device."""
    return entity_id(hass, info, device, "stop", _STOP)


def device_id(hass: HomeAssistant, node: Node, device: str = "") -> str | None:
    """Return the id of a node or a device in Home Assistant's registry, found by its entities."""
    entries = er.async_get(hass)
    for one in entity_ids(hass, node, device or SYSTEM):
        entry = entries.async_get(one)
        if entry is not None and entry.device_id is not None:
            return entry.device_id
    return None


def area_id(hass: HomeAssistant, device: str | None) -> str | None:
    """Return the area of a device of the registry."""
    found = dr.async_get(hass).async_get(device) if device else None
    return found.area_id if found else None
