"""A section of the file made into its model, every mistake told in plain words at its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pimqtt_agent.mistakes import Mistakes, Path, closest, show
from pimqtt_agent.plain_words import UNKNOWN_KEY, Case, is_type, quoted_words, say
from pimqtt_agent.shapes import Model, kinds_at, models, takes_number_only
from pimqtt_agent.yaml_source import Node


class Section:
    """A part of the file that is one model; ``base`` is its path in the whole."""

    def __init__(self, model: Model, node: Node, base: Path = (), keys: Iterable[str] | None = None) -> None:
        """Take the expanded node; ``keys`` are the allowed ones where they are not just the model's."""
        self.model = model
        self.node = node
        self.base = base
        self._top = sorted(model.model_fields if keys is None else keys)

    def validate(self, mistakes: Mistakes) -> Any:
        """Make the model; tell what is wrong, and return None where it can't be made."""
        context = {"folder": mistakes.folder}
        try:
            try:
                found = self.model.model_validate(self.node.data, context=context)
            except ValidationError as error:
                if not self._as_written(error):
                    raise
                found = self.model.model_validate(self.node.data, context=context)
        except ValidationError as error:
            self._tell(error, mistakes)
            if not mistakes:
                mistakes.add(self.node, self.base, "this can't be right")  # never let a wrong section pass for none
            return None
        self._false_numbers(mistakes)
        return found

    def _as_written(self, error: ValidationError) -> bool:
        """Take what YAML read as something else as the text that it is, where only that text can be meant."""
        changed = False
        for detail in error.errors(include_url=False):
            path = self._path(detail)
            node, parent = self.node.at(path), self.node.at(path[:-1])
            if not path or node is None or parent is None or node.text is None or isinstance(node.data, str):
                continue
            word = detail["type"] == "literal_error" and node.text in quoted_words(detail, "expected")
            if word or (detail["type"] == "string_type" and node.source in ("env", "secret")):
                key = parent.key(path[-1])
                parent.data[key.data if key else path[-1]] = node.data = node.text
                changed = True
        return changed

    def _false_numbers(self, mistakes: Mistakes) -> None:
        """Refuse what pydantic would take for a number: ``on`` for 1, and texts such as "nan"."""
        for path, node in _scalars(self.node, ()):
            if isinstance(node.data, bool):
                what = "is not a number"
            elif isinstance(node.data, str) and _is_infinite(node.data):
                what = "is not a finite number"
            else:
                continue
            if takes_number_only(self.model, self.node, path, type(node.data)):
                whole = (*self.base, *path)
                mistakes.add(node, whole, f"{show(node, whole)} {what}")

    def _path(self, detail: ErrorDetails) -> Path:
        """Find the way in the file: a location also names the members of unions."""
        path: list[str | int] = []
        node: Node | None = self.node
        for index, part in enumerate(detail["loc"], 1):
            child = node.child(part) if node else None
            if child is not None:
                path.append(part if node and node.items is not None else str(part))
                node = child
            elif detail["type"] == "missing" and index == len(detail["loc"]):
                path.append(part)
        return tuple(path)

    def _keys(self, path: Path) -> list[str]:
        """Return the keys that are allowed in the mapping at a path."""
        if not path:
            return self._top
        node = self.node.at(path)
        sections = models(kinds_at(self.model, self.node, path), node.data if node else None)
        return sorted({key for section in sections for key in section.model_fields})

    def _tell(self, error: ValidationError, mistakes: Mistakes) -> None:
        groups: dict[Path, list[ErrorDetails]] = {}
        for detail in error.errors(include_url=False):
            groups.setdefault(self._path(detail), []).append(detail)
        unknown = [path for path, found in groups.items() if found[0]["type"] in UNKNOWN_KEY]
        meant = {(*path[:-1], word) for path in unknown if (word := closest(path[-1], self._keys(path[:-1])))}
        for path, found in groups.items():
            inside = any(len(other) > len(path) and other[: len(path)] == path for other in groups)
            if path in meant or (inside and all(is_type(detail) for detail in found)):
                continue  # told as the unknown key, or further inside
            self._one(path, found, mistakes)

    def _one(self, path: Path, found: list[ErrorDetails], mistakes: Mistakes) -> None:
        around = self.node.at(path[:-1]) or self.node
        node = (around.key(path[-1]) if found[0]["type"] in UNKNOWN_KEY else self.node.at(path)) or around
        whole = (*self.base, *path)
        said = say(Case(node, whole, found, kinds_at(self.model, self.node, path), self._keys(path[:-1])))
        if said.below is not None:
            whole = (*whole, said.below)
            node = node.child(said.below) or node
        if node.source != "broken":  # else it was told at its source
            mistakes.add(node, whole, said.what, allowed=said.allowed, got=said.got)


def _scalars(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    if node.text is not None:
        yield path, node
    for index, item in enumerate(node.items or ()):
        yield from _scalars(item, (*path, index))
    for key, value in node.pairs or ():
        yield from _scalars(value, (*path, str(key.data)))


def _is_infinite(text: str) -> bool:
    if text[:1] not in "+-.0123456789nNiI":
        return False
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False
