"""Devices that left the configuration while nobody knew whether Home Assistant listened.

It lets go of a device only where it has discovered it since its start and then hears it cleared; what was cleared while
it was down stays in its registry. So such a device is announced and cleared once more after its next birth.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pimqtt_agent import store
from pimqtt_agent.topics import is_publishable

log = logging.getLogger(__name__)

#: So many are remembered at most; anybody whom the broker lets write discovery topics of ours makes them.
MOST = 100


class Departed:
    """What was last announced of each, on disk until Home Assistant has heard it go."""

    def __init__(self, folder: Path, present: Collection[str]) -> None:
        """``present`` are the devices of the configuration: whoever is back never left."""
        self._folder = folder
        known = store.load_departed(folder).items()
        self._announced = {name: what for name, what in known if name not in present and is_publishable(name)}
        if len(self._announced) < len(known):  # else what is back would have left with what it was before
            self._save()

    @property
    def announced(self) -> dict[str, dict[str, Any]]:
        """The payload of each device."""
        return dict(self._announced)

    def add(self, device: str, payload: dict[str, Any]) -> None:
        """Remember a device that was cleared."""
        if device not in self._announced and len(self._announced) >= MOST:
            log.warning("%s left while Home Assistant was away, and %d others before: it may stay there", device, MOST)
        elif payload:
            self._announced[device] = payload
            self._save()

    def forget(self, device: str) -> None:
        """Home Assistant has heard it go."""
        if self._announced.pop(device, None):
            self._save()

    def _save(self) -> None:
        store.write(self._folder, "departed.json", self._announced)
