"""Topics as an operator sees them: of all nodes, where the agent knows only its own. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pimqtt_agent.errors import PimqttError
from pimqtt_agent.topics import RESERVED_IDS, RESERVED_NODES, Topics

_ID = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
#: The last levels of an entity's topics that are small; ``image`` is not.
SMALL = ("state", "lease", "result", "event")


@dataclass(frozen=True)
class Place:
    """Whose topic it is: a node's, a device's, an entity's; ``what`` is its last level, empty in a target."""

    node: str
    device: str = ""
    entity: str = ""
    what: str = ""

    @property
    def name(self) -> str:
        """``car1/car/limit``."""
        return "/".join(part for part in (self.node, self.device, self.entity) if part)

    def topic(self, base: str, level: str) -> str:
        """Return the topic of that level here."""
        topics = Topics(base, self.node)
        return topics.entity(self.device, self.entity, level) if self.device else f"{topics.root}/{level}"


def target(text: str, *, least: int = 2, most: int = 3) -> Place:
    """Read ``NODE/DEVICE/ENTITY``; it needs ``least`` to ``most`` parts. Raises ``PimqttError``."""
    parts = text.split("/")
    if not least <= len(parts) <= most:
        forms = ("NODE", "NODE/DEVICE", "NODE/DEVICE/ENTITY")[least - 1 : most]
        raise PimqttError(f"{text!r} is not {' or '.join(forms)}")
    for part in parts:
        if not _ID.fullmatch(part):
            raise PimqttError(f"{text!r}: {part!r} is no id; ids are of a-z, 0-9, _ and -")
    if parts[0] in RESERVED_NODES:
        raise PimqttError(f"{text!r}: {parts[0]!r} can't be a node")
    for part in parts[1:]:
        if part in RESERVED_IDS - {"system"}:
            raise PimqttError(f"{text!r}: {part!r} is no device or entity" + _instead(parts, part))
    return Place(*parts)


def place(base: str, topic: str) -> Place | None:
    """Take a topic below a node apart; None for others'."""
    if not topic.startswith(f"{base}/"):
        return None
    parts = topic[len(base) + 1 :].split("/")
    if not 2 <= len(parts) <= 4 or parts[0] in RESERVED_NODES:
        return None
    middle = [*parts[1:-1], "", ""]
    return Place(parts[0], middle[0], middle[1], parts[-1])


def watched(base: str, node: str | None, *, commands: bool = False) -> list[str]:
    """Return what to subscribe to, to see a node (None: all of them); with ``commands`` also those and pictures."""
    topics = Topics(base, node or "+")
    levels = (*SMALL, *(("set", "image") if commands else ()))
    below = [topics.entity("+", key, level) for key in ("", "+") for level in levels]
    return [topics.availability, topics.info, topics.device("+", "availability"), *below]


def _instead(parts: list[str], part: str) -> str:
    return f"; for the emergency stop: pimqtt stop {'/'.join(parts[:-1])}" if part == "stop" == parts[-1] else ""
