"""The wire's topics: made and taken apart here only. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Ids of nodes, devices and entities.
ID: Final = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
RESERVED_NODES: Final = frozenset({"stop", "reply"})
#: The ids that are no devices, with ``system``, whose entities are the node's own.
RESERVED_IDS: Final = frozenset(
    {"availability", "info", "call", "result", "stop", "set", "state", "lease", "image", "event", "sim", "marker"}
)
#: The device whose entities are the node's own.
SYSTEM: Final = "system"
STOP: Final = "stop"
#: The sensor that tells when a camera's picture was taken.
TAKEN: Final = "taken"


@dataclass(frozen=True, slots=True)
class Place:
    """A node, a device of it, or an entity of that; what does not apply is empty."""

    node: str
    device: str = ""
    key: str = ""

    @property
    def name(self) -> str:
        """``car1/car/limit``, as the agent's own tools write it."""
        return "/".join(part for part in (self.node, self.device, self.key) if part)

    @property
    def output(self) -> str:
        """``car/limit``, as node calls name an output."""
        return f"{self.device}/{self.key}" if self.key else self.device

    def topic(self, base: str, level: str) -> str:
        """Return a topic of it: ``pimqtt/car1/car/limit/set``."""
        return f"{base}/{self.name}/{level}"


@dataclass(frozen=True, slots=True)
class Heard:
    """Whose topic it is, and its last level."""

    place: Place
    level: str


def parse(base: str, topic: str) -> Heard | None:
    """Take a topic apart; None where it is none of a node, device or entity."""
    head = f"{base}/"
    if not topic.startswith(head):
        return None
    parts = topic[len(head) :].split("/")
    if not 2 <= len(parts) <= 4 or parts[0] in RESERVED_NODES:
        return None
    *ids, level = parts
    if not all(ID.fullmatch(part) for part in ids):
        return None
    return Heard(Place(*ids), level)


def subscriptions(base: str) -> tuple[str, ...]:
    """Return what the component listens to: no two overlap, since a broker may then deliver twice.

    ``+/+/result`` has the answers to calls and to a node's stop, too.
    """
    below = (
        "+/info", "+/availability", "+/+/availability", "+/+/lease", "+/+/+/lease", "+/result", "+/+/result",
        "+/+/+/result", "+/stop/state", "+/+/stop/state", f"+/{SYSTEM}/under_voltage/state",
        f"+/+/{TAKEN}/state",
    )  # fmt: skip
    return tuple(f"{base}/{topic}" for topic in below)


def all_stop(base: str) -> str:
    """Return the emergency stop of every node."""
    return f"{base}/stop/set"


def unique_id(identity: str, place: Place) -> str:
    """Return ``pimqtt.<identity>.<device>[.<entity>]``."""
    return ".".join(part for part in ("pimqtt", identity, place.device, place.key) if part)


def from_unique_id(text: str) -> tuple[str, str, str] | None:
    """Return (identity, device, key); None where it is no entity of pimqtt. The node's own stop has no device."""
    parts = text.split(".")
    if not 3 <= len(parts) <= 4 or parts[0] != "pimqtt" or not all(ID.fullmatch(part) for part in parts[1:]):
        return None
    identity, device, key = [*parts[1:], ""][:3]
    if len(parts) == 3 and device == STOP:
        return identity, "", STOP
    return identity, device, key
