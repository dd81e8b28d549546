"""What must be right between the entries of a configuration. Without hardware, over all that could be read."""

from __future__ import annotations

from pimqtt_agent.devices.options import OutputDevice
from pimqtt_agent.file_checks import check_trace
from pimqtt_agent.keeper.page import SLOTS
from pimqtt_agent.line_checks import Entry, check_lines, place
from pimqtt_agent.mistakes import Mistakes, closest, show
from pimqtt_agent.rules import LAST
from pimqtt_agent.topics import RESERVED_IDS, RESERVED_NODES
from pimqtt_agent.yaml_source import Node


def check(root: Node, entries: list[Entry], mistakes: Mistakes) -> None:
    """Check what stands between the entries, and each entry's own combinations."""
    _reserved_node(root, mistakes)
    _topics(root, mistakes)
    _login(root, mistakes)
    check_trace(root, mistakes)
    _ids(entries, mistakes)
    check_lines(root, entries, mistakes)
    _combinations(entries, mistakes)
    _interlocks(entries, mistakes)
    _groups(entries, mistakes)
    _room(root, entries, mistakes)


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


def _login(root: Node, mistakes: Mistakes) -> None:
    """Tell what would never be sent, or could never be understood."""
    given = {
        path: node
        for path in (("user",), ("password",), ("tls", "cert"), ("tls", "key"), ("path",), ("transport",))
        if (node := root.at(("mqtt", *path))) is not None and (node.data is not None or node.source)
    }
    if (key := given.get(("tls", "key"))) and ("tls", "cert") not in given:
        mistakes.add(key, ("mqtt", "tls", "key"), "a key needs its certificate; set mqtt.tls.cert, or leave key out")
    if (password := given.get(("password",))) and ("user",) not in given:
        mistakes.note(password, ("mqtt", "password"), "a password is never sent without mqtt.user")
    path, transport = given.get(("path",)), given.get(("transport",))
    if path and transport and transport.data == "websockets" and not str(path.data).startswith("/"):
        mistakes.add(path, ("mqtt", "path"), f"{show(path, ('mqtt', 'path'))} is no path of a WebSocket; begin with /")


def _ids(entries: list[Entry], mistakes: Mistakes) -> None:
    first: dict[str, Node] = {}
    for entry in entries:
        node = entry.node.child("id")
        if node is None or not isinstance(node.data, str):
            continue
        if node.data in RESERVED_IDS:
            mistakes.add(node, (*entry.path, "id"), f"{node.data!r} is reserved and can't be a device's id")
        elif (other := first.setdefault(node.data, node)) is not node:
            mistakes.add(node, (*entry.path, "id"), f"id {node.data!r} is already used in {place(other, node)}")


def _combinations(entries: list[Entry], mistakes: Mistakes) -> None:
    for entry in entries:
        for below, what in entry.device.mistakes() if entry.device else ():
            node, path = entry.at(below)
            mistakes.add(node, path, what)
        for below, what in entry.device.notes() if entry.device else ():
            node, path = entry.at(below)
            mistakes.note(node, path, what)


def _groups(entries: list[Entry], mistakes: Mistakes) -> None:
    """Note an interlock of one output: it excludes nothing, and its name may be misspelt."""
    members: dict[str, list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.device, OutputDevice) and entry.device.interlock:
            members.setdefault(entry.device.interlock.group, []).append(entry)
    for group, (entry, *others) in members.items():
        if not others:
            node, path = entry.at("interlock.group")
            meant = closest(group, [name for name in members if name != group])
            hint = f"; did you mean {meant}?" if meant else ""
            mistakes.note(node, path, f"nothing else is in the interlock group {group!r}, so it excludes nothing{hint}")


def _room(root: Node, entries: list[Entry], mistakes: Mistakes) -> None:
    """Tell more outputs than the page that outlives keepers can remember; each device has a latch besides."""
    counts = [sum(entity.rules is not None for entity in entry.device.declared) for entry in entries if entry.device]
    outputs, devices = sum(counts), sum(map(bool, counts))
    most = SLOTS - 1  # the node's own latch
    node = root.child("devices")
    if node is not None and outputs + devices > most:
        what = f"{outputs} outputs of {devices} devices are too many for one node: both numbers together may be {most}"
        mistakes.add(node, ("devices",), f"{what}; make it two nodes")


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
