"""What a browser is told of the fleet: only what its user may read. Pure but for Home Assistant's registries."""

from __future__ import annotations

import time
from typing import Any

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant

from . import entities
from .issues import health_of
from .model import Device, Entity, Info
from .nodes import HeardLease, Node, Told
from .rights import may, may_all
from .topics import Place, unique_id


def node_view(hass: HomeAssistant, node: Node, user: User | None) -> dict[str, Any] | None:
    """Return a node; None where the user may read nothing of it.

    ``problems`` is what is wrong with its health while it is online, each ``{"key", "placeholders"}``: the key and the
    texts of a repair, so of the translations' ``issues``: under_voltage, clock_unsynchronised, clock_behind,
    packet_size, denied.
    """
    info = node.info
    devices = [view for one in info.devices if (view := _device(hass, node, info, one, user))] if info else []
    if not devices and not may_all(user, POLICY_READ):
        ids = entities.entity_ids(hass, node)
        if not any(may(user, one, POLICY_READ) for one in ids):
            return None
    registered = entities.device_id(hass, node)
    return {
        "id": node.id,
        "name": node.name,
        "identity": info.identity if info else None,
        "model": info.model if info else None,
        "version": info.version if info else None,
        "protocol": info.protocol if info else None,
        "mqtt": info.mqtt if info else None,
        "online": node.online,
        "since": node.since.isoformat() if node.since and node.exact else None,
        "addresses": list(info.addresses) if info else [],
        "problem": node.unreadable or (info.problem if info else None),
        "problems": [{"key": one.key, "placeholders": dict(one.placeholders)} for one in health_of(node)],
        "latched": node.latched,
        "supported": node.supported,
        "device_id": registered,
        "area_id": entities.area_id(hass, registered),
        "pins": _node_pins(info) if info else None,
        "devices": devices,
    }


def told_view(told: Told) -> dict[str, Any]:
    """Return what became of a command, as it was told."""
    result = told.result
    return {
        "outcome": result.outcome,
        "code": result.code,
        "reason": result.reason,
        "value": result.value,
        "owner": result.owner,
        "holder": result.holder,
        "cause": result.cause,
        "at": told.at.isoformat(),
    }


def _device(hass: HomeAssistant, node: Node, info: Info, device: Device, user: User | None) -> dict[str, Any] | None:
    found = [view for one in device.entities if (view := _entity(hass, node, info, device.id, one, user))]
    if device.entities and not found:
        return None
    latched_by = node.latched_by(device.id)
    return {
        "id": device.id,
        "kind": device.kind,
        "name": device.name,
        "online": node.device_online(device.id),
        "latched": latched_by is not None,
        "latched_by": latched_by,
        "device_id": entities.device_id(hass, node, device.id),
        "pins": dict(device.pins) if device.pins else None,
        "entities": found,
    }


def _entity(
    hass: HomeAssistant, node: Node, info: Info, device: str, entity: Entity, user: User | None
) -> dict[str, Any] | None:
    entity_id = entities.entity_id(hass, info, device, entity.key, entity.platform)
    if not may(user, entity_id, POLICY_READ):
        return None
    ttl = entity.ttl
    lease = node.leases.get((device, entity.key))
    return {
        "key": entity.key,
        "platform": entity.platform,
        "unique_id": unique_id(info.identity, Place("", device, entity.key)),
        "entity_id": entity_id,
        "command": entity.command,
        "motion": entity.motion,
        "ttl": {"default": ttl.default, "min": ttl.min, "max": ttl.max, "required": ttl.required} if ttl else None,
        "deadman_s": entity.deadman_s,
        "control": entity.control,
        "token": entity.token,
        "lease": _lease(lease) if lease else None,
        "taken": node.taken.get(device) if entity.platform == "camera" else None,
        "last": [told_view(told) for told in node.told.get((device, entity.key), ())],
    }


def _lease(held: HeardLease) -> dict[str, Any]:
    lease = held.lease
    return {
        "owner": lease.owner,
        "value": lease.value,
        "resting": lease.resting,
        "remaining_s": round(held.remaining_s(time.monotonic()), 3),
        "end": lease.end,
    }


def _node_pins(info: Info) -> list[dict[str, Any]] | None:
    """Return every line that a device uses, with whose it is; None where the agent does not tell."""
    if all(device.pins is None for device in info.devices):
        return None
    return [
        {"line": line, "device": device.id, "role": role}
        for device in info.devices
        for role, line in (device.pins or {}).items()
    ]
