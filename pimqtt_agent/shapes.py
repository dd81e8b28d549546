"""What the models say about a place of the configuration: asked to explain a mistake, and where lines stand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pimqtt_agent.hardware.protocols import Line
from pimqtt_agent.mistakes import Path
from pimqtt_agent.yaml_source import Node

Model = type[BaseModel]


def parts(kind: Any) -> Iterator[Any]:
    """Take a union apart; ``kind`` is a type or a field."""
    if isinstance(kind, FieldInfo):
        kind = kind.annotation
    origin = get_origin(kind)
    if origin is Annotated:
        yield from parts(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for part in get_args(kind):
            yield from parts(part)
    else:
        yield kind


def models(kinds: list[Any], data: object = None) -> list[Model]:
    """Return the sections that may stand for these types; ``data`` tells which are meant."""
    found = [part for kind in kinds for part in parts(kind) if isinstance(part, type) and issubclass(part, BaseModel)]
    return [model for model in found if _fits(model, data)] or found


def _fits(model: Model, data: object) -> bool:
    if not isinstance(data, dict):
        return True
    return all(data[name] in words for name, words in _words(model) if isinstance(data.get(name), str))


@cache
def _words(model: Model) -> list[tuple[str, tuple[Any, ...]]]:
    fields = model.model_fields.items()
    return [(name, get_args(field.annotation)) for name, field in fields if get_origin(field.annotation) is Literal]


def kinds_at(model: Model, node: Node, path: Path) -> list[Any]:
    """Return the types (fields) that the model has at a path below the node."""
    kinds: list[Any] = [model]
    here: Node | None = node
    for part in path:
        data = here.data if here else None
        kinds = [field for kind in kinds for field in _below(kind, part, data)]
        here = here.child(part) if here else None
    return kinds


def _below(kind: Any, part: str | int, data: object) -> Iterator[Any]:
    for section in models([kind], data):
        if part in section.model_fields:
            yield section.model_fields[str(part)]
    for member in parts(kind):
        origin, arguments = get_origin(member), get_args(member)
        if origin is dict:
            yield arguments[1]
        elif origin in (list, tuple, set, frozenset) and isinstance(part, int):
            yield arguments[0]


def limits(kinds: list[Any]) -> str:
    """Write the range of a number: ``1 to 65535``, ``above 0``."""
    found: dict[type, float] = {}
    for kind in kinds:
        for bound in _metadata(kind):
            for side, value in (("ge", Ge), ("gt", Gt), ("le", Le), ("lt", Lt)):
                if isinstance(bound, value):
                    found[value] = getattr(bound, side)
    if Ge in found and Le in found:
        return f"{_figure(found[Ge])} to {_figure(found[Le])}"
    words = {Ge: "at least", Gt: "above", Le: "at most", Lt: "below"}
    return ", ".join(f"{words[side]} {_figure(value)}" for side, value in found.items())


def _metadata(kind: Any) -> Iterator[Any]:
    if isinstance(kind, FieldInfo):
        yield from kind.metadata
        yield from _metadata(kind.annotation)
    elif get_origin(kind) is Annotated:
        for extra in get_args(kind)[1:]:
            yield from extra.metadata if isinstance(extra, FieldInfo) else (extra,)
        yield from _metadata(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            yield from _metadata(part)


def _figure(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def takes_number_only(model: Model, node: Node, path: Path, other: type) -> bool:
    """Tell whether a number must stand at a path below the node, since no value of the other type may."""
    if len(path) == 1 and path[0] in model.model_fields:
        return _is_number(model, str(path[0]), other)
    return _numbers_only(kinds_at(model, node, path), other)


@cache
def _is_number(model: Model, name: str, other: type) -> bool:
    return _numbers_only([model.model_fields[name]], other)


def _numbers_only(kinds: list[Any], other: type) -> bool:
    found = {type_ for kind in kinds for part in parts(kind) for type_ in _types(part)}
    return bool(found & {int, float}) and not found & {other, Any, object}


def _types(part: Any) -> Iterator[Any]:
    """Name a type, or the types of the words of a ``Literal``."""
    yield from {type(word) for word in get_args(part)} if get_origin(part) is Literal else (part,)


@cache
def line_paths(model: Model) -> tuple[tuple[str, ...], ...]:
    """Return the paths at which a kind names lines."""
    found: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        if {*parts(Line)} <= {*parts(field)}:
            found.append((name,))
        else:
            found += [(name, *rest) for section in models([field]) for rest in line_paths(section)]
    return tuple(found)
