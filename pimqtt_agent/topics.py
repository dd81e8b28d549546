"""The only place where topics are made or taken apart. Pure."""

from __future__ import annotations

import msgspec

RESERVED_IDS = frozenset(
    "availability info call result stop set state lease image event sim marker system".split()  # noqa: SIM905
)
RESERVED_NODES = frozenset({"stop", "reply"})
#: Commands are told that they are for nobody down to so many levels below the node; entities are at most at the second.
DEEPEST = 4
#: What MQTT allows (bytes).
LONGEST = 65_535


def is_publishable(topic: str) -> bool:
    """Whether something can be published there: what a file or another node names may be anything."""
    return bool(topic) and not set(topic) & set("+#\0") and len(topic.encode(errors="replace")) <= LONGEST


class Topics(msgspec.Struct, frozen=True):
    """The topics of one node. An entity is (device, key); the main entity's key is empty."""

    base: str
    node: str
    discovery_prefix: str = "homeassistant"

    @property
    def root(self) -> str:
        """Return ``pimqtt/<node>``."""
        return f"{self.base}/{self.node}"

    @property
    def availability(self) -> str:
        """The node's availability, our last will."""
        return f"{self.root}/availability"

    @property
    def info(self) -> str:
        """What the node is."""
        return f"{self.root}/info"

    @property
    def marker(self) -> str:
        """Our own message that ends the replay of retained ones."""
        return f"{self.root}/marker"

    @property
    def call(self) -> str:
        """Node calls."""
        return f"{self.root}/call"

    @property
    def call_result(self) -> str:
        """Answers to node calls."""
        return f"{self.root}/call/result"

    @property
    def ha_status(self) -> str:
        """Home Assistant's birth and will; it does not follow the discovery prefix."""
        return "homeassistant/status"

    @property
    def all_stop(self) -> str:
        """The stop of every node."""
        return f"{self.base}/stop/set"

    @property
    def reply_prefix(self) -> str:
        """Below it response topics are honoured."""
        return f"{self.base}/reply/"

    def device(self, device: str, level: str) -> str:
        """Return a topic of a device itself: ``availability``."""
        return f"{self.root}/{device}/{level}"

    def entity(self, device: str, key: str, level: str) -> str:
        """Return a topic of an entity: ``set``, ``state``, ``lease``, ``result``, ``event``, ``image``."""
        middle = f"{device}/{key}" if key else device
        return f"{self.root}/{middle}/{level}"

    def result(self, name: str) -> str:
        """Return where it is told that nothing is at ``name`` below the node, which is the node itself where empty."""
        return f"{self.root}/{name}/result" if name else f"{self.root}/result"

    def stop(self, device: str, level: str) -> str:
        """Return the stop of a device, of the node where ``device`` is empty: ``set``, ``state`` or ``result``."""
        return self.entity(device, "stop", level) if device else f"{self.root}/stop/{level}"

    def discovery(self, device: str) -> str:
        """Return where a device is announced; the node itself is ``system``."""
        return f"{self.discovery_prefix}/device/{self.node}/{device}/config"

    def discovered(self, topic: str) -> str | None:
        """Name the device of a discovery topic of ours."""
        head, tail = f"{self.discovery_prefix}/device/{self.node}/", "/config"
        if not (topic.startswith(head) and topic.endswith(tail)):
            return None
        device = topic[len(head) : -len(tail)]
        return device if device and "/" not in device else None

    def below(self, topic: str) -> list[str]:
        """Split a topic below our node; empty for others'."""
        head = f"{self.root}/"
        return topic[len(head) :].split("/") if topic.startswith(head) else []

    def subscriptions(self) -> list[str]:
        """What the agent listens to."""
        return [
            *(f"{self.root}/{'+/' * depth}set" for depth in range(DEEPEST + 1)),
            self.call,
            self.marker,
            self.availability,
            self.info,
            self.all_stop,
            self.ha_status,
            f"{self.discovery_prefix}/device/{self.node}/+/config",
        ]
