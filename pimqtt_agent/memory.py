"""The agent's memory of what must reach the disk: latches at once, resting values and digests soon."""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from pathlib import Path

from pimqtt_agent import retained, store
from pimqtt_agent.broker import Incoming
from pimqtt_agent.digests import Digests
from pimqtt_agent.model import Model, Thing
from pimqtt_agent.rules import LAST
from pimqtt_agent.store import Saved, Snapshot
from pimqtt_agent.topics import is_publishable

#: So many names of earlier agents are known: a broker may come back with what it had stored long ago.
INSTANCES = 100
#: How long a change may wait for others before it is written (s).
SOON_S = 1.0


class Memory:
    """Knows what is on disk, and writes what changed."""

    def __init__(self, folder: Path, model: Model) -> None:
        """Read everything; resting values and latches are kept until the pins' keeper says otherwise."""
        self._folder, self._model = folder, model
        self._digests = Digests(folder)
        self._loaded = store.load(folder)
        self._file = store.File(folder, "state.json", self._current())
        self._registry = set(store.load_registry(folder))
        self._soon = asyncio.Event()
        self._instances: list[str] = []
        self.keeps_digests = False

    @cached_property
    def instance(self) -> str:
        """What this agent calls itself, on disk before it is told."""
        self._instances = [*store.load_instances(self._folder)[1 - INSTANCES :], os.urandom(9).hex()]
        store.write(self._folder, "instances.json", self._instances)
        return self._instances[-1]

    def is_ours(self, instance: object) -> bool:
        """Tell whether this agent or one before it said that; a copy of our folder goes on with names of its own."""
        return instance == self.instance or instance in self._instances

    def resting_changed(self, thing: Thing) -> None:
        """An output rests at another value: write it soon where the next start wants it."""
        if thing.entity.rules and thing.entity.rules.initial == LAST:
            self._soon.set()

    def latches_changed(self) -> None:
        """A latch changed: write it now, before it is told."""
        self._file.write(self._file.snapshot(self._current()))

    def all_reset(self) -> None:
        """The node was reset, and with it devices that are in the configuration no more."""
        self._loaded.latched.clear()
        self._soon.set()

    def accepted(self, message: Incoming) -> None:
        """Remember a command that was accepted live: MQTT 3.1.1 does not tell its replay from another one."""
        if self.keeps_digests and self._digests.add(message.topic, retained.digest(message.payload)):
            self._soon.set()

    def was_accepted(self, topic: str, digest: str) -> bool:
        """Tell whether that command was accepted live since the topic was last cleared."""
        return (topic, digest) in self._digests

    def left(self) -> set[str]:
        """Return the topics that are retained from an earlier configuration and no longer ours."""
        return set(filter(is_publishable, self._registry - self._model.retained_topics()))

    def registered(self) -> None:
        """Only what is ours now is retained: note it."""
        topics = self._model.retained_topics()
        if topics == self._registry:
            return
        self._registry = topics
        store.write(self._folder, "registry.json", sorted(self._registry))

    def cleared(self, topic: str) -> None:
        """The topic holds nothing any more."""
        if self._digests.forget(topic):
            self._soon.set()

    async def run(self) -> None:
        """Write changes, many in one."""
        while True:
            await self._soon.wait()
            await asyncio.sleep(SOON_S)
            self._soon.clear()
            await asyncio.to_thread(self._save, *self._snapshots())  # a disk may take its time; commands may not

    def save(self) -> None:
        """Write what changed."""
        self._save(*self._snapshots())

    def _snapshots(self) -> tuple[Snapshot, Snapshot]:
        return self._file.snapshot(self._current()), self._digests.begin_save()

    def _save(self, state: Snapshot, digests: Snapshot) -> None:
        self._file.write(state)
        if self.keeps_digests:
            self._digests.save(digests)

    def _current(self) -> Saved:
        """Tell what rests where and what is latched; what was not heard of stays as it was at the start."""
        outputs = {thing.name: thing for thing in self._model.outputs() if thing.resting is not None}
        resting = {name: value for name, value in self._loaded.resting.items() if name not in outputs}
        for name, thing in outputs.items():
            if thing.entity.rules and thing.entity.rules.initial == LAST:
                resting[name] = thing.resting
        known = self._model.latched
        latched = {device for device in self._loaded.latched if device not in known}
        latched |= {device for device, is_on in known.items() if is_on}
        return Saved(resting=resting, latched=sorted(latched))
