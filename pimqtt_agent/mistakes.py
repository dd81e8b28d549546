"""The mistakes of a configuration: one line each, with place, path, what is allowed and what may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from pimqtt_agent.errors import ConfigError
from pimqtt_agent.yaml_source import Node

Path = tuple[str | int, ...]

_SECRET = re.compile(r"passw|passphrase|secret|credential|api_?key", re.IGNORECASE)
_PLAIN = re.compile(r"[\w-]+", re.ASCII)
_LOGIN = re.compile(r"(?<=://)[^/\s@'\"]+@")
_HIDDEN = "***"


def path_text(path: Path) -> str:
    """Write a path as ``devices[2].ttl.max``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}"
        else:
            text += f"[{shorten(repr(part))}]"
    return text.lstrip(".")


def shorten(text: str) -> str:
    """Cut a text that is too long for a line."""
    return text if len(text) <= 60 else text[:57] + "..."


def is_hidden(node: Node, path: Path) -> bool:
    """Tell whether a value, or a part of it, must not be shown."""
    if node.source == "secret" or any(isinstance(part, str) and _SECRET.search(part) for part in path):
        return True
    if node.items is not None:
        return any(is_hidden(item, ()) for item in node.items)
    return any(is_hidden(value, (name.text or "",)) for name, value in node.pairs or ())


def show(node: Node, path: Path = ()) -> str:
    """Quote a value as it stands in the file, without its secrets."""
    if node.items is not None or node.pairs is not None:
        return shorten(_flow(node, path))
    if is_hidden(node, path):
        return "the value (not shown)"
    if node.written is not None:
        return shorten(repr(node.written))
    if node.text is None or (node.style is None and not node.text):
        return "nothing"
    return shorten(node.text if isinstance(node.data, int | float) and _number(node) else repr(node.text))


def _number(node: Node) -> bool:
    return not isinstance(node.data, bool) and node.style is None


def _flow(node: Node, path: Path, room: int = 8) -> str:
    if room == 0:
        return "..."
    if node.items is not None:
        return "[" + ", ".join(_flow(item, path, room - 1) for item in node.items[:8]) + "]"
    if node.pairs is not None:
        pairs = node.pairs[:8]
        return "{" + ", ".join(f"{k.text}: {_flow(v, (*path, k.text or ''), room - 1)}" for k, v in pairs) + "}"
    if is_hidden(node, path):
        return _HIDDEN
    return node.written or node.text or "''"


class Mistakes:
    """Collects the mistakes of one file and of what it includes."""

    def __init__(self, file: str) -> None:
        """Name the file as the user did."""
        self.file = file
        self.status = 1
        #: texts that no line may show
        self.secrets: set[str] = set()
        self._files = [file]
        self._rows: dict[str, tuple[int, int]] = {}
        self._notes: list[tuple[Node, str]] = []

    @cached_property
    def folder(self) -> str:
        """The folder of the file: relative paths start there."""
        return str(FilePath(self.file).resolve().parent)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(
        self, node: Node, path: Path, what: str, *, allowed: Iterable[object] = (), got: object = None, status: int = 1
    ) -> None:
        """Tell a mistake at a node; ``got`` is the word that may be a misspelling of an allowed one."""
        words = [str(word) for word in allowed]
        if words:
            what += f"; allowed: {', '.join(words)}"
        if meant := closest(got, words):
            what += f"; did you mean {meant}?"
        where = path_text(path)
        self.line(node.file, node.line, f"{where}: {what}" if where else what, status)

    def note(self, node: Node, path: Path, what: str) -> None:
        """Tell what is no mistake, and yet may surprise."""
        self._notes.append((node, f"{path_text(path)}: {what}"))

    def notes(self) -> list[str]:
        """Return the notes, a line each, in the order of the file."""
        rows = sorted(self._notes, key=lambda row: (row[0].file != self.file, row[0].file, row[0].line))
        return [self._row(node.file, node.line, text) for node, text in rows]

    def broken(self, node: Node, path: Path, what: str, **parts: Any) -> Node:
        """Tell a mistake, and return what stands for the broken value."""
        self.add(node, path, what, **parts)
        return Node(node.file, node.line, text="", source="broken")

    def line(self, file: str, line: int, text: str, status: int = 1) -> None:
        """Tell a mistake in a file (line 0: nowhere in particular)."""
        self.status = max(self.status, status)
        if file not in self._files:
            self._files.append(file)
        self._rows.setdefault(self._row(file, line, text), (self._files.index(file), line))

    def error(self) -> ConfigError:
        """Make the error: all lines, in the order of the file."""
        return ConfigError(sorted(self._rows, key=lambda row: self._rows[row]), self.status)

    def _row(self, file: str, line: int, text: str) -> str:
        return _one_line(f"{file}:{line}: " if line else f"{file}: ") + _one_line(self._scrub(text))

    def _scrub(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        return _LOGIN.sub(f"{_HIDDEN}@", text)


def closest(got: object, words: Sequence[str]) -> str | None:
    """Find the word that was probably meant."""
    if not isinstance(got, str):
        return None
    return next(iter(difflib.get_close_matches(got.lower()[:80], words, n=1)), None)


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
