"""What a node says of itself on its info topic."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import structs

from pimqtt_agent import PROTOCOL, __version__, identity
from pimqtt_agent.devices import Device
from pimqtt_agent.devices.options import OutputDevice
from pimqtt_agent.discovery import Node
from pimqtt_agent.entities import Entity
from pimqtt_agent.model import Model
from pimqtt_agent.rules import LAST, Rules


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What may change while the node runs, under the names of the topic.

    ``instance`` is this process, ``problem`` what the supervisor found wrong, ``denied`` the topics that the broker's
    ACL denies us, ``max_packet_size`` what the broker takes (bytes), ``under_voltage`` since boot, None where the board
    does not tell.
    """

    mqtt: str
    instance: str
    problem: str | None
    denied: list[str]
    max_packet_size: int | None
    clock_synchronised: bool
    under_voltage: bool | None


def info(model: Model, node: Node, moment: Moment) -> dict[str, Any]:
    """Return the content."""
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "node": node.topics.node,
        "name": node.title,
        "model": node.model,
        "hardware_id": node.identity,
        "addresses": identity.addresses(),
        **structs.asdict(moment),
        "devices": [_device(device, node) for device in model.devices.values()],
        "capabilities": ["lease", "stop", "token", "call", "retained"],
    }


def _device(device: Device, node: Node) -> dict[str, Any]:
    return {
        "id": device.id,
        "kind": device.kind,
        "name": device.title,
        "area": device.area or node.area,
        "pins": dict(device.lines()) or None,
        "entities": [
            {"key": entity.key, "platform": entity.platform, **_capabilities(device, entity)}
            for entity in device.declared
        ],
    }


def _capabilities(device: Device, entity: Entity) -> dict[str, Any]:
    rules = entity.rules
    if rules is None:
        return {"command": entity.takes_commands}
    ttl = {"default": rules.ttl.default, "min": rules.ttl.min, "max": rules.ttl.max, "required": rules.ttl.required}
    return {
        "command": True,
        "motion": str(rules.motion),
        "ttl": ttl,
        "deadman_s": rules.deadman_s if rules.motion != "level" else None,
        "control": "shared" if rules.shared else "exclusive",
        "restore": _restore(device, entity, rules),
        "token": "required" if rules.token_required else "optional",
    }


def _restore(device: Device, entity: Entity, rules: Rules) -> str:
    """Tell what comes back after a restart: ``last`` (``initial: last``, too), ``off`` or what is configured."""
    if rules.initial == LAST:
        return LAST
    return device.restore if isinstance(device, OutputDevice) and not entity.key else "config"
