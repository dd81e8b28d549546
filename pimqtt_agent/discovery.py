"""Home Assistant's device-based discovery, derived from the declarations. Pure.

The root of such a payload is strict: an unknown key makes Home Assistant drop all of it. Never announced are
``retain``, ``optimistic`` and ``message_expiry_interval``: the first would make HA retain commands.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pimqtt_agent import __version__
from pimqtt_agent.devices import Device
from pimqtt_agent.entities import BinarySensor, Button, Entity, Event, Switch
from pimqtt_agent.topics import Topics

ORIGIN = {"name": "pimqtt", "sw": __version__}
#: The key of a device's main entity within its payload.
MAIN = "main"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What discovery says of the node."""

    topics: Topics
    identity: str
    title: str
    model: str
    area: str | None = None

    def unique_id(self, device: str = "", key: str = "") -> str:
        """Return ``pimqtt.<identity>.<device>[.<entity>]``."""
        return ".".join(part for part in ("pimqtt", self.identity, device, key) if part)


def node_payload(node: Node, system: Device | None) -> dict[str, Any]:
    """Announce the node: connectivity, emergency stop, and its own readings."""
    topics = node.topics
    components: dict[str, Any] = {
        "connection": {
            **_component(node, "system", "connection", _CONNECTION),
            "state_topic": topics.availability,
            "payload_on": "online",
            "payload_off": "offline",
            "availability": [],
        },
        "stop": _stop(node, "", "Emergency stop"),
    }
    del components["connection"]["availability"]
    for entity in system.declared if system else ():
        components[entity.key or MAIN] = entity_component(node, "system", entity)
    about = {
        "identifiers": [node.unique_id()],
        "name": node.title,
        "manufacturer": "pimqtt",
        "model": node.model,
        "sw_version": __version__,
    }
    if node.area:
        about["suggested_area"] = node.area
    for key, component in components.items():
        if key != "connection":
            component.update(_availability([topics.availability]))
    return {"device": about, "origin": ORIGIN, "components": components}


def device_payload(node: Node, device: Device) -> dict[str, Any]:
    """Announce one YAML device."""
    topics = node.topics
    entities = device.declared
    components = {entity.key or MAIN: entity_component(node, device.id, entity) for entity in entities}
    for entity in entities:
        if isinstance(entity, Event):
            components |= _triggers(node, device.id, entity)
    if any(entity.rules for entity in entities):
        moving = any(entity.rules and entity.rules.motion != "level" for entity in entities)
        components["stop"] = _stop(node, device.id, "Emergency stop", enabled=moving)
    about: dict[str, Any] = {
        "identifiers": [node.unique_id(device.id)],
        "name": device.title,
        "manufacturer": "pimqtt",
        "model": device.kind.replace("_", " "),
        "sw_version": __version__,
        "via_device": node.unique_id(),
    }
    if device.area or node.area:
        about["suggested_area"] = device.area or node.area
    both = _availability([topics.availability, topics.device(device.id, "availability")])
    return {"device": about, "origin": ORIGIN, **both, "components": components}


def entity_component(node: Node, device: str, entity: Entity) -> dict[str, Any]:
    """Announce one entity."""
    component = _component(node, device, entity.key, entity)
    topics = node.topics
    if entity.state_level is not None:
        component[entity.state_key] = topics.entity(device, entity.key, entity.state_level)
    if entity.takes_commands:
        target = entity.target if isinstance(entity, Button) and entity.target is not None else entity.key
        component["command_topic"] = topics.entity(device, target, "set")
    if entity.rules is not None:
        component["json_attributes_topic"] = topics.entity(device, entity.key, "lease")
    return component


def removal(published: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Return the payload that removes what left a device, None where nothing did.

    Omitting a component does not remove it: it must be sent once with its platform alone.
    """
    before = published.get("components")
    if not isinstance(before, dict):
        return None
    gone = {}
    for key, component in before.items():
        platform = component.get("platform") if isinstance(component, dict) else None
        stays = wanted["components"].get(key)
        if platform and len(component) > 1 and (stays is None or stays["platform"] != platform):
            gone[key] = {"platform": platform}
    if not gone:
        return None
    kept = {key: component for key, component in wanted["components"].items() if key not in gone}
    return {**wanted, "components": {**kept, **gone}}


_CONNECTION = BinarySensor(
    key="connection", name="Connection", device_class="connectivity", entity_category="diagnostic"
)


def _component(node: Node, device: str, key: str, entity: Entity) -> dict[str, Any]:
    component: dict[str, Any] = {
        "platform": entity.platform,
        "unique_id": node.unique_id(device, key),
        "default_entity_id": f"{entity.platform}.{'_'.join(p for p in (node.topics.node, device, key) if p)}",
        "name": None,
        **entity.options(),
    }
    component["default_entity_id"] = component["default_entity_id"].replace("-", "_")
    return component


def _triggers(node: Node, device: str, entity: Event) -> dict[str, Any]:
    """Announce the device triggers of an event. They have no unique id, no availability and no name."""
    return {
        "_".join(part for part in ("trigger", entity.key, trigger.event_type) if part): {
            "platform": "device_automation",
            "automation_type": "trigger",
            "type": trigger.type,
            "subtype": trigger.subtype,
            "topic": node.topics.entity(device, entity.key, "event"),
            "payload": trigger.event_type,
            "value_template": "{{ value_json.event_type }}",
        }
        for trigger in entity.triggers
    }


def _stop(node: Node, device: str, name: str, *, enabled: bool = True) -> dict[str, Any]:
    entity = Switch(
        key="stop", name=name, icon="mdi:alert-octagon", enabled_by_default=None if enabled else False
    )
    component = _component(node, device, "stop", entity)
    component["state_topic"] = node.topics.stop(device, "state")
    component["command_topic"] = node.topics.stop(device, "set")
    return component


def _availability(topics: list[str]) -> dict[str, Any]:
    return {"availability": [{"topic": topic} for topic in topics], "availability_mode": "all"}
