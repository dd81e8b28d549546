"""What lies in a node's state folder: what it was, digests of commands, its registry, its names, what departed."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import msgspec

from pimqtt_agent import store
from pimqtt_agent.digests import DIGESTS, Digests
from pimqtt_agent.run import _page
from pimqtt_agent.settings import Settings
from tests.fuzz import mutate
from tests.fuzz.clockwork import Loop
from tests.fuzz.node import Node
from tests.fuzz.page import start
from tests.fuzz.seeds import state as files
from tests.fuzz.target import Finding, Target, joined, never, records

#: Made once, for CPython forgets no decoder.
_DECODER = json.JSONDecoder(parse_constant=never)


class State(Target):
    """What lies in the state folder: read, used by a whole start of a node, and read again."""

    name = "state"
    modules = (
        "store:load,load_digests,load_registry,load_instances,load_departed,_read,__post_init__,_aside",
        "digests:__init__,_lines,_take",
        "departed:__init__,announced",
        "memory:__init__,left,_current,instance,is_ours",
        "run:_page",
    )
    share = 15
    takes_ms = 32
    words = (*files.WORDS, *files.NAMES)

    def open(self) -> None:
        self.loop = Loop(self.clock)
        self._settings = Settings.model_validate(
            {"node": "car1", "hardware": {"backend": "simulated"}, "state_dir": str(self.folder / "state")}
        )
        self._state = self.folder / "state" / "car1"

    def close(self) -> None:
        self.loop.close()

    @classmethod
    def seeds(cls) -> list[bytes]:
        return files.seeds()

    @classmethod
    def mutated(cls, data: bytes, rng: random.Random) -> bytes:
        data = mutate.text(data, cls.words, rng)
        return _summed(data) if rng.random() < 0.5 else data

    def run(self, data: bytes) -> None:
        self._state.mkdir(parents=True, exist_ok=True)
        for name, content in records(data, len(files.NAMES)):
            if name in files.NAMES:
                (self._state / name).write_bytes(content)
        try:
            self.loop.run_until_complete(self._start())
        finally:
            for file in self._state.iterdir():
                file.unlink()

    async def _start(self) -> None:
        file = self._state / "state.json"
        sound = not file.exists() or _is_sound(file.read_bytes())
        saved = store.load(self._state)
        if not sound and saved.latched != [""]:
            raise Finding("a state that can't be read is not latched")
        if store.load(self._state).latched != saved.latched:
            raise Finding("the next start would know less")
        if file.exists():
            start(_page(self._settings), self.clock.now_s, latched=set(saved.latched))
        if {*files.NAMES[1:]} & {path.name for path in self._state.iterdir()}:
            await self._live()

    async def _live(self) -> None:
        """Begin a session, in which retained topics are cleared and departed devices announced; write all anew."""
        node = Node(self.clock, self.loop, self._state)
        try:
            node.broker.anywhere = node.session.replaying = True
            node.session.marked("m")
            node.session.announcer.part_again()
            for _ in range(6):
                await node.wait(3.0)
            self._remember(node.memory._digests)
            if not node.memory.instance or not node.memory.is_ours(node.memory.instance):
                raise Finding(f"no name of an agent: {node.memory.instance!r}")
            node.memory.save()
        finally:
            await node.close()

    def _remember(self, digests: Digests) -> None:
        topic = "pimqtt/car1/pump/set"
        digests.add(topic, "x")
        if len(digests._known[topic]) > DIGESTS:
            raise Finding("more digests of a topic than are kept")
        digests.save(digests.begin_save())
        digests.forget(topic)


def _is_sound(data: bytes) -> bool:
    """Whether a state may be believed: nothing is missing, and its checksum is right."""
    try:
        found = _DECODER.decode(data.decode())
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict) or not isinstance(found.get("resting"), dict):
        return False
    checksum = _sum(found) if isinstance(found.get("latched"), list) else None
    return checksum is not None and found.get("crc32") == checksum


def _sum(state: dict[str, Any]) -> int | None:
    try:
        return zlib.crc32(msgspec.json.encode([state["resting"], state["latched"]]))
    except (KeyError, OverflowError, UnicodeError, RecursionError):
        return None


def _summed(data: bytes) -> bytes:
    """Write the right checksum into every state of an input."""
    parts = []
    for name, content in records(data, len(files.NAMES)):
        try:
            state = _DECODER.decode(content.decode())
            whole = msgspec.json.encode({**state, "crc32": _sum(state)}) if name == "state.json" else content
        except (ValueError, TypeError, OverflowError, RecursionError):
            whole = content
        parts.append((name, whole))
    return joined(*parts)
