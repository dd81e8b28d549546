"""What the tests of a node need: `pimqtt run` on the broker that Home Assistant hears, and what both made of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.ha.api import State, until
from tests.ha.rig import HomeAssistant
from tests.rig import Node, Observer, observer


class Pi(Node):
    """A node of its own name; its entities' ids in Home Assistant follow from that."""

    #: the base topic
    base = "pimqtt"

    def __init__(self, folder: Path, port: int, name: str, devices: Sequence[str], **node: str) -> None:
        super().__init__(folder, "", name=name)
        self.port = port
        self.write(devices, **node)

    def write(self, devices: Sequence[str], system: str = "", title: str = "", area: str = "") -> None:
        """Write the configuration."""
        about = {"id": self.name, **({"name": title} if title else {}), **({"area": area} if area else {})}
        lines = "".join(f"  - {device}\n" for device in devices)
        self.config.write_text(
            f"node: {json.dumps(about)}\nmqtt: {{host: 127.0.0.1, port: {self.port}, base: {self.base}}}\n"
            f"hardware: {{backend: simulated, trace: trace.jsonl, control: true}}\n"
            f"system: {{interval: 5{system}}}\ndevices:\n{lines}"
        )

    def reload(self) -> None:
        """Let it read the configuration again."""
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    def unique_id(self, *parts: str) -> str:
        """Name an entity as discovery must: ``pimqtt.<identity>.<device>[.<entity>]``."""
        return ".".join(["pimqtt", self.name, *parts])

    def entity_id(self, platform: str, *parts: str) -> str:
        """Name an entity as Home Assistant's user first sees it."""
        return f"{platform}.{'_'.join([self.name, *parts])}".replace("-", "_")

    def topic(self, *parts: str) -> str:
        """Name a topic of the node."""
        return "/".join([self.base, self.name, *parts])

    async def registered(self, ha: HomeAssistant) -> dict[str, str]:
        """Give the entity ids of this node in Home Assistant's registry, by unique id without identity."""
        mark = self.unique_id("")
        entries = await ha.entities()
        return {key.removeprefix(mark): e["entity_id"] for key, e in entries.items() if key.startswith(mark)}

    async def changed(self, before: dict[int, int], wanted: dict[int, list[float]], timeout_s: float = 10) -> None:
        """Wait until these pins saw just these levels after ``before`` (of ``marks``)."""
        end = time.monotonic() + timeout_s
        while (seen := {pin: self.levels(pin)[before.get(pin, 0) :] for pin in wanted}) != wanted:
            assert time.monotonic() < end, f"the pins saw {seen}, not {wanted}"
            await asyncio.sleep(0.02)

    def marks(self) -> dict[int, int]:
        """Tell how many levels each pin saw so far."""
        pins = [row["pin"] for row in self.rows()]
        return {pin: pins.count(pin) for pin in set(pins)}

    async def replaced(self, role: str, old: int) -> int:
        """Wait for the successor of a child."""

        async def successor() -> int:
            pid = self.pid(role)
            return pid if pid != old else 0

        return await until(successor, 15, f"another {role}")

    async def forget(self, ha: HomeAssistant) -> None:
        """Clear all that the broker keeps of it; Home Assistant must let go of it."""
        async with observer(self.port, (f"homeassistant/device/{self.name}/#", self.topic("#"), "rig/#")) as watch:
            await watch.send("rig/now", "?")
            await watch.wait("rig/now", timeout_s=10)
            topics = {seen.topic for seen in watch.seen if seen.retain and seen.payload}
            for topic in sorted(topic for topic in topics if topic.startswith("homeassistant/")):
                await watch.send(topic, retain=True, qos=1)
            await self.gone(ha)
            for topic in sorted(topic for topic in topics if topic.startswith(f"{self.base}/")):
                await watch.send(topic, retain=True, qos=1)  # only then: to a light an empty state is an error

    async def gone(self, ha: HomeAssistant) -> None:
        """Wait until Home Assistant knows neither entity nor device of it."""

        async def forgotten() -> bool:
            devices = {tuple(name) for device in await ha.devices() for name in device["identifiers"]}
            mine = {name for _, name in devices if name == self.unique_id() or name.startswith(self.unique_id(""))}
            return not mine and not await self.registered(ha)

        await until(forgotten, 20, f"{self.name} gone from Home Assistant")


@dataclass
class Story:
    """The states that Home Assistant went through, in order."""

    told: list[tuple[str, State]] = field(default_factory=list)

    def of(self, entity_id: str) -> list[str]:
        """Give the states of an entity, one for each change."""
        states = [state["state"] for name, state in self.told if name == entity_id]
        return [state for before, state in zip(["", *states], states, strict=False) if state != before]

    async def wait(self, entity_id: str, wanted: list[str], timeout_s: float = 10) -> None:
        """Wait until an entity went through just these states."""
        end = time.monotonic() + timeout_s
        while (seen := self.of(entity_id)) != wanted:
            assert time.monotonic() < end, f"{entity_id} went through {seen}, not {wanted}"
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def story(ha: HomeAssistant) -> AsyncIterator[Story]:
    """Listen to what changes in Home Assistant."""
    async with ha.socket() as socket:
        await socket.send(json.dumps({"id": 1, "type": "subscribe_events", "event_type": "state_changed"}))
        await socket.recv()
        heard = Story()

        async def listen() -> None:
            async for text in socket:
                data = json.loads(text)["event"]["data"]
                heard.told.append((data["entity_id"], data["new_state"] or {"state": "", "attributes": {}}))

        task = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.wait({task})


async def settled(ha: HomeAssistant, pi: Pi, count: int, timeout_s: float = 30) -> dict[str, State]:
    """Wait until Home Assistant knows so many entities of a node and shows each; give their states by entity id."""

    async def shown() -> dict[str, State] | None:
        entries = [e for key, e in (await ha.entities()).items() if key.startswith(pi.unique_id(""))]
        states = await ha.states()
        mine = {e["entity_id"]: states.get(e["entity_id"]) for e in entries if not e["disabled_by"]}
        if len(entries) < count or any(state is None or state["state"] == "unavailable" for state in mine.values()):
            return None
        return {name: state for name, state in mine.items() if state}

    return await until(shown, timeout_s, f"{count} entities of {pi.name}")


async def press(watch: Observer, pi: Pi, pin: int, *levels_and_pauses: float) -> None:
    """Set an input: level, pause (s), level, ..."""
    for index, value in enumerate(levels_and_pauses):
        if index % 2:
            await asyncio.sleep(value)
        else:
            await watch.send(pi.topic("sim", str(pin), "set"), str(int(value)), qos=1)
