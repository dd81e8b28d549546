"""What a file may refer to: ``!include``, ``!secret``, ``${ENV}``, merge keys and profiles, put in their places.

- ``!include FILE`` is what stands in that file (relative to this one); in a list a list is spliced.
- ``!secret NAME`` is what ``secrets.yaml`` beside the file says; ``!secret {file: PATH}`` a file's content,
  ``!secret {command: [PROGRAM, ARGUMENT]}`` what a program prints.
- ``${NAME}`` and ``${NAME:-default}`` in plain and "double-quoted" texts are the environment's; ``$${`` is a ``${``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath

from pimqtt_agent.mistakes import Mistakes, Path, is_hidden, show
from pimqtt_agent.yaml_environ import substituted
from pimqtt_agent.yaml_scalars import scalar, typed
from pimqtt_agent.yaml_secrets import Secrets
from pimqtt_agent.yaml_source import Node, UnreadableError, compose, text_of

_TAGS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Reader:
    """Reads a file and all that it refers to; mistakes are collected, and what is broken marked so."""

    def __init__(self, mistakes: Mistakes, environ: Mapping[str, str]) -> None:
        """Start with the main file, which ``mistakes`` names."""
        self._mistakes = mistakes
        self._environ = environ
        self._chains: dict[str, tuple[str, ...]] = {}
        self._opened: dict[int, tuple[Node, Node]] = {}
        self._expanded: set[int] = set()
        self._secrets = Secrets(mistakes, environ)

    def file(self, shown: str, chain: tuple[str, ...] = ()) -> Node:
        """Read a file; raises ``UnreadableError``."""
        text = text_of(shown)
        self._chains[shown] = (*chain, _real(shown))
        return compose(text, shown)

    def open(self, node: Node, path: Path) -> Node:
        """Return what stands for a node: a tag or reference replaced; of a mapping the keys are read and merged."""
        if (known := self._opened.get(id(node))) is not None:
            return known[1]
        result = node
        if node.tag == "!include":
            result = self._include(node, path)
        elif node.tag == "!secret":
            result = self._secret(node, path)
        elif node.text is not None:
            result = self._scalar(node, path)
        elif node.tag not in _TAGS:
            result = self._mistakes.broken(node, path, f"unknown tag {node.tag!r}; allowed: !include, !secret")
        elif node.pairs is not None:
            node.pairs = self._merged(node, path)
        self._opened[id(node)] = node, result  # with the node, so that its id stays its own
        return result

    def expand(self, node: Node, path: Path = ()) -> Node:
        """Open a node and all below it, in place, and give each its plain ``data``."""
        node = self.open(node, path)
        if node.text is not None or id(node) in self._expanded:
            return node
        self._expanded.add(id(node))
        if node.items is not None:
            node.items = self._items(node.items, path, 0)
            node.data = [item.data for item in node.items]
        else:
            node.pairs = [(key, self.expand(value, (*path, str(key.data)))) for key, value in node.pairs or ()]
            node.data = {key.data: value.data for key, value in node.pairs}
        return node

    def _items(self, items: list[Node], path: Path, start: int) -> list[Node]:
        result: list[Node] = []
        for item in items:
            index = start + len(result)
            opened = self.open(item, (*path, index))
            if item.tag == "!include" and opened.items is not None:
                result += self._items(opened.items, path, index)
            else:
                result.append(self.expand(opened, (*path, index)))
        return result

    def _merged(self, node: Node, path: Path) -> list[tuple[Node, Node]]:
        result = self._unique(node, path)
        for merge in [value for key, value in node.pairs or () if _is_merge(key)]:
            for key, value in self._merge_pairs(merge, path):
                result.setdefault(key.data, (key, value))
        return list(result.values())

    def _unique(self, node: Node, path: Path) -> dict[object, tuple[Node, Node]]:
        result: dict[object, tuple[Node, Node]] = {}
        for key, value in node.pairs or ():
            if key.text is None:
                self._mistakes.add(key, path, "a key must be a plain word")
            elif not _is_merge(key) and (first := result.setdefault(_key(key), (key, value))[0]) is not key:
                what = f"key {key.text!r} is given twice, first in line {first.line}"
                self._mistakes.add(key, (*path, key.text), what)
        return result

    def look(self, node: Node, path: Path) -> None:
        """Tell the keys that are given twice below a node, without following its references."""
        for key, (_, value) in self._unique(node, path).items():
            self.look(value, (*path, str(key)))
        for index, item in enumerate(node.items or ()):
            self.look(item, (*path, index))

    def _merge_pairs(self, node: Node, path: Path) -> list[tuple[Node, Node]]:
        node = self.open(node, path)
        if node.items is not None:
            return [pair for item in node.items for pair in self._merge_pairs(item, path)]
        if node.pairs is None and node.source != "broken":
            self._mistakes.add(node, path, f"'<<' needs a mapping, and this is {show(node, path)}")
        return node.pairs or []

    def _include(self, node: Node, path: Path) -> Node:
        if not node.text:
            return self._mistakes.broken(node, path, "!include needs a file's name")
        target = os.path.normpath(FilePath(node.file).parent / node.text)
        chain = self._chains[node.file]
        if _real(target) in chain:
            return self._mistakes.broken(node, path, f"{node.text!r} includes itself")
        try:
            return self.open(self.file(target, chain), path)
        except UnreadableError as error:
            return self._mistakes.broken(node, path, f"cannot include {error.at(target)}", status=2)

    def _secret(self, node: Node, path: Path) -> Node:
        if node.text is not None:
            return self._secrets.named(node, path)
        node.tag = None
        return self._secrets.made(self.expand(node, path), path)

    def _scalar(self, node: Node, path: Path) -> Node:
        if "${" in (node.text or "") and node.style in (None, '"'):
            return substituted(node, path, self._environ, self._mistakes)
        try:
            node.data = scalar(node)
        except ValueError as error:
            hidden = f"{show(node, path)} can't be read as it stands; put it in quotes"
            return self._mistakes.broken(node, path, hidden if is_hidden(node, path) else str(error))
        return node


def _real(file: str) -> str:
    try:
        return os.path.realpath(file)
    except ValueError:  # a null byte: reading it says so
        return file


def _is_merge(key: Node) -> bool:
    return key.text == "<<" and key.style is None


def _key(node: Node) -> object:
    text = node.text or ""
    value = typed(text) if node.style is None else text
    node.data = value if isinstance(value, int) and not isinstance(value, bool) else text
    return node.data
