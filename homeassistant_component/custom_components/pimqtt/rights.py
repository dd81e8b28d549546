"""What a user may do: Home Assistant's permissions, which are by entity id. No user (an automation) may do all."""

from __future__ import annotations

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant

from . import entities
from .errors import UNAUTHORIZED, RefusedError
from .fleet import Fleet
from .nodes import Node
from .topics import Place

__all__ = [
    "POLICY_CONTROL", "POLICY_READ", "check", "check_call", "check_latch", "check_place", "may", "may_all", "may_reset",
    "may_stop",
]  # fmt: skip

#: Calls that only tell something.
READING = frozenset({"list_actions", "get_version", "get_resource_info", "list_pins"})


def may(user: User | None, entity_id: str | None, policy: str) -> bool:
    """Tell whether a user may control or read an entity; what has no entity id needs the right to all."""
    if user is None:
        return True
    if entity_id is None:
        return may_all(user, policy)
    return user.permissions.check_entity(entity_id, policy)


def may_all(user: User | None, policy: str) -> bool:
    """Tell whether a user may control or read everything."""
    return user is None or user.permissions.access_all_entities(policy)


def check(user: User | None, entity_id: str | None, policy: str = POLICY_CONTROL) -> None:
    """Raise ``RefusedError`` where a user may not."""
    if not may(user, entity_id, policy):
        raise RefusedError(UNAUTHORIZED, "unauthorized", what=entity_id or "")


def check_place(hass: HomeAssistant, fleet: Fleet, user: User | None, place: Place) -> None:
    """Raise ``RefusedError`` where a user may not control an entity that was named by its place."""
    node = fleet.nodes.get(place.node)
    info = node.info if node else None
    entity = node.entity(place) if node else None
    platform = entity.platform if entity else "switch"
    entity_id = entities.entity_id(hass, info, place.device, place.key, platform) if info else None
    if not may(user, entity_id, POLICY_CONTROL):
        raise RefusedError(UNAUTHORIZED, "unauthorized", what=entity_id or place.name)


def may_stop(hass: HomeAssistant, user: User | None, node: Node, device: str = "") -> bool:
    """Tell whether a user may stop a node or a device: whoever may control any entity of it."""
    ids = entities.entity_ids(hass, node, device or None)
    return may_all(user, POLICY_CONTROL) or any(may(user, one, POLICY_CONTROL) for one in ids)


def may_reset(hass: HomeAssistant, user: User | None, node: Node, device: str = "") -> bool:
    """Tell whether a user may reset it: whoever may control all that can move then, or its emergency stop itself."""
    if may_all(user, POLICY_CONTROL):
        return True
    stop = entities.stop_id(hass, node.info, device) if node.info else None
    freed = entities.commanded_ids(hass, node, device)
    return (stop is not None and may(user, stop, POLICY_CONTROL)) or (
        bool(freed) and all(may(user, one, POLICY_CONTROL) for one in freed)
    )


def check_latch(hass: HomeAssistant, user: User | None, node: Node, place: Place, *, on: bool) -> None:
    """Raise ``RefusedError`` where a user may not stop, or not reset, a node or a device."""
    if on and not may_stop(hass, user, node, place.device):
        raise RefusedError(UNAUTHORIZED, "unauthorized", what=place.name)
    if not on and not may_reset(hass, user, node, place.device):
        raise RefusedError(UNAUTHORIZED, "unauthorized_reset", what=place.name)


def check_call(hass: HomeAssistant, user: User | None, node: Node, action: str) -> None:
    """Raise ``RefusedError`` where a user may not call: a call may do anything to the node, so it needs all of it."""
    ids = entities.entity_ids(hass, node)
    if action in READING:
        allowed = may_all(user, POLICY_READ) or any(may(user, one, POLICY_READ) for one in ids)
    else:
        allowed = may_all(user, POLICY_CONTROL) or (bool(ids) and all(may(user, one, POLICY_CONTROL) for one in ids))
    if not allowed:
        raise RefusedError(UNAUTHORIZED, "unauthorized", what=node.id)
