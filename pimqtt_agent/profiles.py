"""Profiles: parts of a file that are laid over it when they are chosen."""

from __future__ import annotations

from pimqtt_agent.mistakes import Mistakes, Path, show
from pimqtt_agent.yaml_source import Node
from pimqtt_agent.yaml_tags import Reader

PROFILES = "profiles"
#: A mapping in which one of these differs is something else: it replaces the other, nothing is merged.
_WHICH = ("backend", "kind")


def choose(reader: Reader, root: Node, name: str | None, mistakes: Mistakes) -> Node:
    """Take ``profiles`` out of the file and lay the chosen one over the rest."""
    root = reader.open(root, ())
    place = root.key(PROFILES) or root
    profiles = _profiles(reader, root, mistakes)
    if root.pairs is not None:
        root.pairs = [(key, value) for key, value in root.pairs if key.data != PROFILES]
    if name is None:
        return root
    if name not in profiles:
        mistakes.add(place, (PROFILES,), f"unknown profile {name!r}", allowed=sorted(profiles) or ["none"], got=name)
        return root
    return _merge(reader, root, profiles[name], ())


def _profiles(reader: Reader, root: Node, mistakes: Mistakes) -> dict[str, Node]:
    node = root.child(PROFILES)
    if node is None:
        return {}
    node = reader.open(node, (PROFILES,))
    if node.pairs is None:
        _refuse(node, (PROFILES,), mistakes)
    reader.look(node, (PROFILES,))
    found = {}
    for key, value in node.pairs or ():
        path: Path = (PROFILES, str(key.data))
        opened = reader.open(value, path)
        if opened.pairs is None:
            _refuse(opened, path, mistakes)
        found[str(key.data)] = opened
    return found


def _refuse(node: Node, path: Path, mistakes: Mistakes) -> None:
    if node.source != "broken":
        mistakes.add(node, path, f"{show(node, path)} is not a mapping")


def _merge(reader: Reader, base: Node, over: Node, path: Path) -> Node:
    base, over = reader.open(base, path), reader.open(over, path)
    if base.pairs is None or over.pairs is None or _differs(base, over):
        return over
    merged = {str(key.data): (key, value) for key, value in base.pairs}
    for key, value in over.pairs:
        name = str(key.data)
        opened = reader.open(value, (*path, name))
        if opened.text == "" and opened.data is None and not opened.source:
            merged.pop(name, None)
        elif name in merged:
            merged[name] = key, _merge(reader, merged[name][1], opened, (*path, name))
        else:
            merged[name] = key, opened
    return Node(base.file, base.line, pairs=list(merged.values()))


def _differs(base: Node, over: Node) -> bool:
    return any(
        (old := base.child(key)) is not None and (new := over.child(key)) is not None and old.text != new.text
        for key in _WHICH
    )
