"""What is announced of a node with a device of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pimqtt_agent.devices import KINDS, Device
from pimqtt_agent.devices.system import SystemDevice
from pimqtt_agent.discovery import Node, device_payload, node_payload
from pimqtt_agent.topics import Topics

NODE = Node(topics=Topics("pimqtt", "car-1"), identity="0000abcd", title="The red car", model="Raspberry Pi 5")
IN_A_ROOM = Node(topics=NODE.topics, identity="0000abcd", title="The red car", model="Raspberry Pi 5", area="Hall")


def components(announced: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what becomes an entity, by key."""
    every = announced["components"]
    return {key: component for key, component in every.items() if component["platform"] != "device_automation"}


def example(kind: str, **more: Any) -> Device:
    found = yaml.safe_load(KINDS[kind].example) if KINDS[kind].example else {"id": kind, "kind": kind}
    return KINDS[kind].model_validate({**found, **more})


class Everything(frozenset[str]):
    """A set that has every key."""

    def __and__(self, other: object) -> Everything:
        return self

    def __or__(self, other: object) -> Everything:
        return self

    def __contains__(self, key: object) -> bool:
        return True


def board() -> Device:
    """The node's own readings and buttons, all of them."""
    return SystemDevice.model_construct(found=Everything(), allow=Everything())


def every() -> Iterator[Any]:
    for kind in sorted(KINDS):
        yield pytest.param(device_payload(NODE, example(kind)), id=kind)
    yield pytest.param(node_payload(NODE, board()), id="node")
    yield pytest.param(node_payload(IN_A_ROOM, None), id="bare_node")


EVERY = list(every())
