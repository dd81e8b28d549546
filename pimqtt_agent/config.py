"""YAML to models: every mistake told at once, one line each, with file, line, path and what would be right.

What counts, the stronger first: the chosen profile, the file, the defaults. ``${ENV}``, ``!secret`` and ``!include``
stand for their values where they are written, in a profile as in the file. A profile (``--profile``, else the
environment's ``PIMQTT_PROFILE``) is laid over the file key by key: mappings are merged, lists and single values
replaced, a key with nothing (``null``) removed; a mapping with another ``backend`` or ``kind`` replaces the whole one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath

from pimqtt_agent.checks import check
from pimqtt_agent.devices import KINDS
from pimqtt_agent.devices.base import Device
from pimqtt_agent.explain import Section
from pimqtt_agent.file_checks import check_files
from pimqtt_agent.line_checks import Entry
from pimqtt_agent.mistakes import Mistakes, Path, show
from pimqtt_agent.profiles import PROFILES, choose
from pimqtt_agent.schema import schema
from pimqtt_agent.settings import Settings
from pimqtt_agent.yaml_source import Node, UnreadableError
from pimqtt_agent.yaml_tags import Reader

__all__ = ["PROFILE", "examine", "load", "schema"]

PROFILE = "PIMQTT_PROFILE"
_INTERNAL = "file"


def load(
    path: str | os.PathLike[str], *, profile: str | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read a configuration; raises ``ConfigError`` with every mistake."""
    return _load(Mistakes(os.fspath(path)), profile, environ, files=False)


def examine(
    path: str | os.PathLike[str], *, profile: str | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[Settings, list[str]]:
    """Read a configuration and look at the files that it names; return it with its notes, a line each: no mistakes.

    Raises ``ConfigError`` with every mistake.
    """
    mistakes = Mistakes(os.fspath(path))
    settings = _load(mistakes, profile, environ, files=True)
    return settings, mistakes.notes()


def _load(mistakes: Mistakes, profile: str | None, environ: Mapping[str, str], *, files: bool) -> Settings:
    reader = Reader(mistakes, environ)
    try:
        root = reader.file(mistakes.file)
    except UnreadableError as error:
        mistakes.line(mistakes.file, error.line, str(error), status=2)
        raise mistakes.error() from None
    root = choose(reader, root, profile or environ.get(PROFILE) or None, mistakes)
    root = reader.expand(root)
    settings = _settings(root, mistakes)
    if files:
        check_files(root, mistakes)
    if mistakes or settings is None:
        raise mistakes.error()
    return settings.model_copy(update={"file": FilePath(mistakes.file)})


def _settings(root: Node, mistakes: Mistakes) -> Settings | None:
    if root.source == "broken":
        return None
    if root.pairs is None and root.text != "":
        mistakes.add(root, (), f"a mapping is needed here, and this is {show(root)}")
        return None
    entries = _entries(root, mistakes)
    rest = [(key, value) for key, value in root.pairs or () if key.data not in ("devices", _INTERNAL)]
    keys = sorted({*Settings.model_fields, PROFILES} - {_INTERNAL})
    if (key := root.key(_INTERNAL)) is not None:
        mistakes.add(key, (_INTERNAL,), f"unknown key {_INTERNAL!r}", allowed=keys)
    data = {key.data: value.data for key, value in rest}
    data["devices"] = tuple(entry.device for entry in entries if entry.device is not None)
    section = Section(Settings, Node(root.file, root.line, pairs=rest, data=data), keys=keys)
    settings: Settings | None = section.validate(mistakes)
    check(root, entries, mistakes)
    return settings


def _entries(root: Node, mistakes: Mistakes) -> list[Entry]:
    devices = root.child("devices")
    if devices is None or devices.source == "broken" or _is_nothing(devices):
        return []
    if devices.items is None:
        mistakes.add(devices, ("devices",), f"{show(devices, ('devices',))} is not a list")
        return []
    entries = [Entry(node, ("devices", index)) for index, node in enumerate(devices.items)]
    for entry in entries:
        entry.device = _device(entry.node, entry.path, mistakes)
    return entries


def _is_nothing(node: Node) -> bool:
    return node.text is not None and node.data is None and not node.source


def _device(node: Node, path: Path, mistakes: Mistakes) -> Device | None:
    if node.source == "broken":
        return None
    if node.pairs is None:
        mistakes.add(node, path, f"{show(node, path)} is not a mapping such as {{id: pump, kind: switch, pin: 17}}")
        return None
    kind = node.child("kind")
    if kind is None:
        mistakes.add(node, (*path, "kind"), "key 'kind' is missing", allowed=sorted(KINDS))
    elif isinstance(kind.data, str) and kind.data in KINDS:
        device: Device | None = Section(KINDS[kind.data], node, path).validate(mistakes)
        return device
    elif kind.source != "broken":
        where = (*path, "kind")
        mistakes.add(kind, where, f"unknown kind {show(kind, where)}", allowed=sorted(KINDS), got=kind.data)
    return None
