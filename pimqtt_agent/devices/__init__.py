"""The kinds: every module here registers one. Third parties add theirs by the entry point ``pimqtt.kinds``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from pimqtt_agent.devices.base import KINDS, Device, Driver, Report

__all__ = ["KINDS", "Device", "Driver", "Report"]

_GROUP = "pimqtt.kinds"


def _announced() -> bool:
    """Whether any installed package names our group: the machinery for entry points is slow to import."""
    files = (file for folder in sys.path for file in Path(folder or ".").glob("*.*-info/entry_points.txt"))
    return any(_GROUP in file.read_text("utf-8", "replace") for file in files)


for _module in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    import_module(f"{__name__}.{_module.stem}")
if _announced():
    from importlib.metadata import entry_points

    for _entry in entry_points(group=_GROUP):
        _entry.load()
