"""The kinds: every module here registers one. Third parties add theirs by the entry point ``pimqtt.kinds``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from pimqtt_agent.devices.base import KINDS, Device, Driver, Report

__all__ = ["KINDS", "Device", "Driver", "Report"]

_GROUP = "pimqtt.kinds"


def _announced() -> bool:
    """Whether any installed package names our group: the machinery for entry points is slow to import."""
    return any(_GROUP.encode() in entries for folder in sys.path for entries in _entries(folder or "."))


def _entries(folder: str) -> Iterator[bytes]:
    """Give the entry points of each package installed in a folder, as they stand in its file."""
    with suppress(OSError):  # sys.path may name what is no folder
        for entry in Path(folder).iterdir():
            if entry.name.endswith("-info"):
                with suppress(OSError):  # most packages have none
                    yield (entry / "entry_points.txt").read_bytes()


for _module in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    import_module(f"{__name__}.{_module.stem}")
if _announced():
    from importlib.metadata import entry_points

    for _entry in entry_points(group=_GROUP):
        _entry.load()
