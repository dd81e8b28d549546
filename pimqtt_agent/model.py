"""What the agent knows of its devices: declarations, last states, leases, latches, health."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pimqtt_agent.devices import Device
from pimqtt_agent.entities import Button, Entity
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.rules import Motion, Value
from pimqtt_agent.topics import Topics


@dataclass(slots=True)
class Thing:
    """One entity with what was last heard of it."""

    device: Device
    entity: Entity
    topic_set: str
    topic_state: str
    topic_result: str
    topic_lease: str
    known: bool = False
    state: Value = None
    last_on: Value = None
    lease: wire.Held | None = None
    resting: Value = None
    told_s: float = -1.0
    lease_told_s: float = -1.0
    lease_late: bool = False

    @property
    def name(self) -> str:
        """Its name as an output: ``pump``, ``car/limit``."""
        return f"{self.device.id}/{self.entity.key}" if self.entity.key else self.device.id

    @property
    def moves(self) -> bool:
        """Whether it is motion."""
        return self.entity.rules is not None and self.entity.rules.motion is not Motion.LEVEL

    def heard(self, value: Value) -> None:
        """Take a state."""
        self.known, self.state = True, value
        rules = self.entity.rules
        if rules is not None and rules.is_on(value):
            self.last_on = value


class Model:
    """All entities, found by topic and by (device, key)."""

    def __init__(self, topics: Topics, devices: Iterable[Device]) -> None:
        """Derive everything from the declarations."""
        self.topics = topics
        self.devices = {device.id: device for device in devices}
        self.things: dict[tuple[str, str], Thing] = {}
        self.by_set: dict[str, Thing] = {}
        self.health: dict[str, bool] = {}
        self.latched: dict[str, bool] = {}
        for device in self.devices.values():
            for entity in device.declared:
                self._add(device, entity)

    def thing(self, device: str, key: str) -> Thing | None:
        """Find an entity."""
        return self.things.get((device, key))

    def of(self, device: str) -> list[Thing]:
        """List the entities of a device."""
        return [thing for (owner, _), thing in self.things.items() if owner == device]

    def outputs(self, device: str = "") -> list[Thing]:
        """List the outputs under leases, of one device or of all."""
        return [t for (owner, _), t in self.things.items() if t.entity.rules and device in ("", owner)]

    def retained_topics(self) -> set[str]:
        """List the topics of devices under which the broker keeps something of ours."""
        found = set()
        for thing in self.things.values():
            if thing.entity.state_level == "state" and thing.entity.retained:
                found.add(thing.topic_state)
            if thing.entity.rules is not None:
                found |= {thing.topic_lease, self.topics.stop(thing.device.id, "state")}
        return found | {self.topics.device(device, "availability") for device in self.devices}

    def _add(self, device: Device, entity: Entity) -> None:
        def topic(level: str) -> str:
            return self.topics.entity(device.id, entity.key, level)

        thing = Thing(
            device, entity, topic("set"), topic(entity.state_level or "state"), topic("result"), topic("lease")
        )
        self.things[device.id, entity.key] = thing
        if entity.takes_commands and not (isinstance(entity, Button) and entity.target is not None):
            self.by_set[thing.topic_set] = thing
