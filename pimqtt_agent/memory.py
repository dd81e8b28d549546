"""The agent's memory of what must reach the disk: resting values and latches at once, digests soon."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pimqtt_agent import retained, store
from pimqtt_agent.broker import Incoming
from pimqtt_agent.model import Model, Thing
from pimqtt_agent.rules import LAST

#: Digests kept per topic, and how long a change may wait for others before it is written (s).
DIGESTS, SOON_S = 16, 1.0


class Memory:
    """Knows what is on disk, and writes what changed."""

    def __init__(self, folder: Path, model: Model) -> None:
        """Read the digests; resting values and latches were read by the supervisor."""
        self._folder, self._model = folder, model
        self._digests = store.load_digests(folder)
        self._saved: tuple[dict[str, Any], list[str]] | None = None
        self._registry = set(store.load_registry(folder))
        self._soon = asyncio.Event()
        self.keeps_digests = False

    def resting_changed(self, thing: Thing) -> None:
        """An output rests at another value: write it soon where the next start wants it."""
        if thing.entity.rules and thing.entity.rules.initial == LAST:
            self._soon.set()

    def latches_changed(self) -> None:
        """A latch changed: write it now, before it is told."""
        self._save_state()

    def accepted(self, message: Incoming) -> None:
        """Remember a command that was accepted live: MQTT 3.1.1 does not tell its replay from another one."""
        if not self.keeps_digests:
            return
        known, digest = self._digests.setdefault(message.topic, []), retained.digest(message.payload)
        if known and known[-1] == digest:
            return
        if digest in known:
            known.remove(digest)
        known.append(digest)
        del known[:-DIGESTS]
        self._soon.set()

    def was_accepted(self, topic: str, digest: str) -> bool:
        """Tell whether that command was accepted live since the topic was last cleared."""
        return digest in self._digests.get(topic, ())

    def left(self) -> set[str]:
        """Return the topics that are retained from an earlier configuration and no longer ours."""
        return self._registry - self._model.retained_topics()

    def registered(self) -> None:
        """Only what is ours now is retained: note it."""
        topics = self._model.retained_topics()
        if topics == self._registry:
            return
        self._registry = topics
        store.write(self._folder, "registry.json", sorted(self._registry))

    def cleared(self, topic: str) -> None:
        """The topic holds nothing any more."""
        if self._digests.pop(topic, None):
            self._soon.set()

    async def run(self) -> None:
        """Write changes, many in one."""
        while True:
            await self._soon.wait()
            await asyncio.sleep(SOON_S)
            self._soon.clear()
            await asyncio.to_thread(self.save)  # a disk may take its time; commands may not

    def save(self) -> None:
        """Write what changed."""
        self._save_state()
        if self.keeps_digests:
            store.write(self._folder, "digests.json", {topic: list(known) for topic, known in self._digests.items()})

    def _save_state(self) -> None:
        resting = {
            thing.name: thing.resting
            for thing in self._model.outputs()
            if thing.entity.rules and thing.entity.rules.initial == LAST and thing.resting is not None
        }
        latched = sorted(device for device, is_on in self._model.latched.items() if is_on)
        if (resting, latched) != self._saved:
            self._saved = (resting, latched)
            store.write(self._folder, "state.json", store.Saved(resting=resting, latched=latched))
