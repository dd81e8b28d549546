"""YAML as a tree of nodes that know their file and line. What they stand for is the business of ``yaml_tags.py``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml import events

from pimqtt_agent.errors import PimqttError

MAX_DEPTH = 40
MAX_SIZE = 200_000  # values, aliases expanded: a file of many aliases must not fill the memory

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(PimqttError):
    """A file that is no YAML: the text is a sentence, ``line`` where (0: nowhere in particular)."""

    def __init__(self, text: str, line: int = 0) -> None:
        """Keep both."""
        super().__init__(text)
        self.line = line

    def at(self, file: str) -> str:
        """Write it with the file."""
        return f"{file}:{self.line}: {self}" if self.line else f"{file}: {self}"


@dataclass(slots=True, eq=False)
class Node:
    """A value with its place. One of ``text`` (scalars), ``items`` (lists) and ``pairs`` (mappings) is set."""

    file: str
    line: int
    tag: str | None = None
    text: str | None = None
    style: str | None = None
    items: list[Node] | None = None
    pairs: list[tuple[Node, Node]] | None = None
    #: the plain value, once it was expanded
    data: Any = None
    #: ``env`` and ``secret`` are never shown; of what is ``broken`` a mistake was told already
    source: str = ""
    #: what stands in the file, where that is something else than ``text``
    written: str | None = None
    size: int = 1
    depth: int = 1

    def child(self, key: object) -> Node | None:
        """Return what stands under a key or index."""
        if self.items is not None and isinstance(key, int):
            return self.items[key] if 0 <= key < len(self.items) else None
        return next((value for name, value in self.pairs or () if str(name.data) == str(key)), None)

    def key(self, key: object) -> Node | None:
        """Return the key itself."""
        return next((name for name, _ in self.pairs or () if str(name.data) == str(key)), None)

    def at(self, path: tuple[str | int, ...]) -> Node | None:
        """Return what stands at a path below."""
        node: Node | None = self
        for part in path:
            node = node.child(part) if node else None
        return node


def text_of(file: str) -> str:
    """Read a file; raises ``UnreadableError``."""
    try:
        data = Path(file).read_bytes()
    except FileNotFoundError:
        raise UnreadableError("no such file") from None
    except (OSError, ValueError) as error:
        raise UnreadableError((getattr(error, "strerror", None) or str(error)).lower()) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"not UTF-8: byte 0x{data[error.start]:02x}", line) from None


def compose(text: str, file: str) -> Node:
    """Make the tree of a file; an empty file is an empty scalar. Raises ``UnreadableError``."""
    try:
        parser = _LOADER(text)
        try:
            return _Composer(parser, file).document()
        finally:
            parser.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line + 1, text.rstrip("\n").count("\n") + 1) if mark else 0
        what = " ".join(part for part in (error.context, error.problem) if part)
        near = "\n".join(text.splitlines()[max(line - 2, 0) : line])
        if "${" in near:
            what += ' (inside {} and [] put "${...}" in quotes)'
        elif "\t" in near:
            what += " (there is a tab; YAML is indented by spaces)"
        raise UnreadableError(f"not valid YAML: {what}", line) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.encode().count(b"\n", 0, position) + 1
        raise UnreadableError(f"not valid YAML: {getattr(error, 'reason', error)}", line) from None


class _Composer:
    """Turns a parser's events into nodes; PyYAML's own composer in C dies of deep nesting."""

    def __init__(self, parser: Any, file: str) -> None:
        self._next = parser.get_event
        self._file = file
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node:
        self._next()  # the stream's start
        if isinstance(self._next(), events.StreamEndEvent):
            return Node(self._file, 1, text="")
        node = self._node(self._next(), 1)
        self._next()  # the document's end
        if not isinstance(event := self._next(), events.StreamEndEvent):
            raise UnreadableError("a second document ('---'); one is allowed", event.start_mark.line + 1)
        return node

    def _node(self, event: Any, depth: int) -> Node:
        line: int = event.start_mark.line + 1
        if isinstance(event, events.ScalarEvent):
            node = Node(self._file, line, event.tag, event.value, event.style or None)
        elif isinstance(event, events.AliasEvent):
            if event.anchor not in self._anchors:
                raise UnreadableError(
                    "not valid YAML: alias (*) without an anchor (&) above; quote a text with *", line
                )
            return self._anchors[event.anchor]
        elif depth > MAX_DEPTH:
            raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels", line)
        else:
            node = self._collection(event, line, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: Any, line: int, depth: int) -> Node:
        node = Node(self._file, line, event.tag)
        if isinstance(event, events.SequenceStartEvent):
            node.items = children = list(self._children(events.SequenceEndEvent, depth))
        else:
            children = list(self._children(events.MappingEndEvent, depth))
            node.pairs = list(zip(children[::2], children[1::2], strict=True))
        node.size += sum(child.size for child in children)
        node.depth += max((child.depth for child in children), default=0)
        if node.size > MAX_SIZE or node.depth > MAX_DEPTH:
            raise UnreadableError("too large once its aliases are expanded", line)
        return node

    def _children(self, end: type[events.Event], depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), end):
            yield self._node(event, depth + 1)
