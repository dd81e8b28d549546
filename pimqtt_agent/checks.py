"""What must be right between the entries of a configuration. Without hardware, over all that could be read."""

from __future__ import annotations

from pimqtt_agent.devices.options import OutputDevice
from pimqtt_agent.line_checks import Entry, check_lines, place
from pimqtt_agent.mistakes import Mistakes
from pimqtt_agent.rules import LAST
from pimqtt_agent.yaml_source import Node

RESERVED_DEVICES = frozenset(
    {"availability", "info", "call", "result", "stop", "set", "state"}
    | {"lease", "image", "event", "sim", "marker", "system"},
)
RESERVED_NODES = frozenset({"stop", "reply"})


def check(root: Node, entries: list[Entry], mistakes: Mistakes) -> None:
    """Check what stands between the entries, and each entry's own combinations."""
    _reserved_node(root, mistakes)
    _topics(root, mistakes)
    _ids(entries, mistakes)
    check_lines(root, entries, mistakes)
    _combinations(entries, mistakes)
    _interlocks(entries, mistakes)


def _reserved_node(root: Node, mistakes: Mistakes) -> None:
    for path in (("node",), ("node", "id")):
        node = root.at(path)
        if node is not None and node.text in RESERVED_NODES:
            mistakes.add(node, path, f"{node.text!r} is reserved and can't be a node's id")


def _topics(root: Node, mistakes: Mistakes) -> None:
    texts = {"base": "pimqtt", "discovery_prefix": "homeassistant"}
    nodes = {key: node for key in texts if (node := root.at(("mqtt", key))) is not None and isinstance(node.data, str)}
    texts |= {key: str(node.data) for key, node in nodes.items()}
    base, prefix = (f"{text.rstrip('/')}/" for text in texts.values())
    if nodes and (base.startswith(prefix) or prefix.startswith(base)):
        key, node = max(nodes.items(), key=lambda item: item[1].line)
        what = f"base {texts['base']!r} and discovery_prefix {texts['discovery_prefix']!r} lie in each other"
        mistakes.add(node, ("mqtt", key), what)


def _ids(entries: list[Entry], mistakes: Mistakes) -> None:
    first: dict[str, Node] = {}
    for entry in entries:
        node = entry.node.child("id")
        if node is None or not isinstance(node.data, str):
            continue
        if node.data in RESERVED_DEVICES:
            mistakes.add(node, (*entry.path, "id"), f"{node.data!r} is reserved and can't be a device's id")
        elif (other := first.setdefault(node.data, node)) is not node:
            mistakes.add(node, (*entry.path, "id"), f"id {node.data!r} is already used in {place(other, node)}")


def _combinations(entries: list[Entry], mistakes: Mistakes) -> None:
    for entry in entries:
        for below, what in entry.device.mistakes() if entry.device else ():
            node, path = entry.at(below)
            mistakes.add(node, path, what)


def _interlocks(entries: list[Entry], mistakes: Mistakes) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        if not isinstance(entry.device, OutputDevice):
            continue
        rules = entry.device.rules()
        group = rules.limits.interlock
        if group is None or rules.initial == LAST or not rules.is_on(rules.initial):
            continue
        if (other := first.setdefault(group, entry)) is not entry:
            node, path = entry.at("initial")
            there = place(other.at("initial")[0], node)
            what = f"it starts on, and so does {other.name} of the same interlock group {group!r}, {there}"
            mistakes.add(node, path, what)
