"""Configurations as texts."""

from __future__ import annotations

from collections.abc import Callable

from pimqtt_agent.settings import Settings

HEAD = "node: car1\nhardware: {backend: simulated}\n"
#: A secret that nothing may show.
HIDDEN = "hunter2xyz"

Write = Callable[..., None]
Told = Callable[..., list[str]]
Read = Callable[..., Settings]


def devices(*entries: str) -> str:
    """Make a file with these devices, one a line from line 4 on."""
    return HEAD + "devices:\n" + "".join(f"  - {entry}\n" for entry in entries)
