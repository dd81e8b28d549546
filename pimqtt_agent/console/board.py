"""What is known of nodes, entity by entity, from what they publish."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pimqtt_agent.client_results import Change, Result, devices_of, number
from pimqtt_agent.console import output


@dataclass
class Row:
    """One entity."""

    state: str = ""
    owner: str = ""
    lease_end_s: float = 0.0
    resting: str = ""
    last: str = ""
    last_s: float = 0.0
    outcome: str = ""

    @property
    def remaining_s(self) -> float:
        """The lease's remaining life."""
        return max(0.0, self.lease_end_s - time.monotonic()) if self.owner else 0.0

    @property
    def lease(self) -> str:
        """``me 4.9 s > OFF``; empty at rest."""
        return f"{self.remaining_s:4.1f} s {self.owner} > {self.resting}" if self.owner else ""


@dataclass
class NodeRows:
    """One node."""

    online: bool | None = None
    about: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    latched: set[str] = field(default_factory=set)
    offline: set[str] = field(default_factory=set)
    rows: dict[str, Row] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)

    def has(self, device: str) -> bool:
        """Whether a device is one of its own, as far as it told; commands to others are answered, too."""
        return device in self.kinds if self.kinds else device not in ("stop", "call")


class Board:
    """All nodes that were heard of."""

    def __init__(self) -> None:
        """Know nothing."""
        self.nodes: dict[str, NodeRows] = {}

    @property
    def leased(self) -> bool:
        """Whether a lease counts down."""
        return any(row.owner for node in self.nodes.values() for row in node.rows.values())

    def take(self, change: Change) -> None:
        """Take a change in."""
        place = change.place
        node = self.nodes.setdefault(place.node, NodeRows())
        if place.what == "availability":
            self._available(node, place.device, online=change.content == "online")
        elif place.what == "info" and isinstance(change.content, dict):
            _info(node, change.content)
        elif place.what == "state" and "stop" in (place.device, place.entity):
            device = place.device if place.entity else ""
            (node.latched.add if change.content == "ON" else node.latched.discard)(device)
        elif place.device == "system":
            if place.what == "state":
                node.system[place.entity] = str(change.content)
        elif place.what in ("state", "lease", "result", "event") and node.has(place.device):
            key = f"{place.device}/{place.entity}" if place.entity else place.device
            _row(node.rows.setdefault(key, Row()), change)

    @staticmethod
    def _available(node: NodeRows, device: str, *, online: bool) -> None:
        if device:
            (node.offline.discard if online else node.offline.add)(device)
        else:
            node.online = online


def _info(node: NodeRows, info: dict[str, Any]) -> None:
    node.about = f"{info.get('model', '')}, MQTT {info.get('mqtt', '?')}, pimqtt {info.get('version', '?')}"
    devices = devices_of(info)
    node.kinds = {device["id"]: str(device.get("kind", "")) for device in devices}
    for gone in [name for name in node.rows if name.partition("/")[0] not in node.kinds]:
        del node.rows[gone]
    for device in devices:
        for key in _outputs(device.get("entities")):
            node.rows.setdefault(f"{device['id']}/{key}" if key else device["id"], Row())


def _outputs(entities: Any) -> list[str]:
    found = entities if isinstance(entities, list) else []
    return [str(entity.get("key", "")) for entity in found if isinstance(entity, dict) and "ttl" in entity]


def _row(row: Row, change: Change) -> None:
    raw = change.content
    if change.what == "state":
        row.state = _short(output.state(raw))
    elif change.what == "event":
        row.state = row.last = output.compact(raw.get("event_type", raw) if isinstance(raw, dict) else raw)
        row.last_s, row.outcome = change.at_s, "event"
    elif change.what == "lease" and isinstance(raw, dict):
        row.owner = str(raw.get("owner") or "")
        row.lease_end_s = change.at_s + (number(raw.get("remaining_s")) or 0.0)
        row.resting = output.resting(raw)
        end = number(raw.get("end"))
        if change.retained and end:
            row.lease_end_s = change.at_s + end - change.unix_s
    elif change.what == "result" and isinstance(raw, dict) and "outcome" in raw:
        answer = Result.read(change.name, raw)
        row.last, row.last_s, row.outcome = output.result(answer), change.at_s, answer.outcome


def _short(text: str) -> str:
    """Write a timestamp as the time of day."""
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text):
        return text
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text).astimezone().strftime("%H:%M:%S")
    return text
