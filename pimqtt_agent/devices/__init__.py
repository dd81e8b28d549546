"""The kinds: every module here registers one. Third parties add theirs by the entry point ``pimqtt.kinds``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from pimqtt_agent.devices.base import KINDS, Device, Driver, Report

__all__ = ["KINDS", "Device", "Driver", "Report"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
for _entry in entry_points(group="pimqtt.kinds"):
    _entry.load()
