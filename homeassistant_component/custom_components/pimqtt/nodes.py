"""What is known of one node. Pure: the time is an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from .const import PROTOCOL
from .model import Entity, Info, Lease, Result
from .topics import SYSTEM, Place

#: So many results are kept of an entity.
TOLD: Final = 5
#: Anybody may publish under a node: of more entities nothing is kept.
MOST: Final = 2000
#: Clocks that are so far apart are told to be (s); below half of it they are not any more.
APART_S: Final = 1.0
#: Boards are remembered so long, to notice two under one id.
BOARDS_FOR: Final = timedelta(minutes=10)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HeardLease:
    """A lease, with the monotonic time at which it was heard (s)."""

    lease: Lease
    heard_s: float

    def remaining_s(self, now_s: float) -> float:
        """Return what is left of it."""
        return max(0.0, self.lease.remaining_s - (now_s - self.heard_s))


@dataclass(frozen=True, slots=True)
class Told:
    """A result, with its time."""

    result: Result
    at: datetime


@dataclass(slots=True)
class Node:
    """A node. ``since`` is when it last came or went; not ``exact`` where it had done so before anybody looked."""

    id: str
    info: Info | None = None
    unreadable: str | None = None
    online: bool = False
    since: datetime | None = None
    exact: bool = False
    latched: bool = False
    under_voltage: bool | None = None
    ill: set[str] = field(default_factory=set)
    latched_devices: set[str] = field(default_factory=set)
    leases: dict[Key, HeardLease] = field(default_factory=dict)
    told: dict[Key, deque[Told]] = field(default_factory=dict)
    #: by how much our clock is proven to be behind its (s), and whether that is to be told
    behind_s: float = 0.0
    clock_behind: bool = False
    #: when each camera's picture was taken (ISO)
    taken: dict[str, str] = field(default_factory=dict)
    boards: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=20))

    @property
    def name(self) -> str:
        """What people call it."""
        return self.info.name if self.info else self.id

    @property
    def shown(self) -> bool:
        """Whether there is anything to show: what never said what it is is no node."""
        return self.info is not None or self.unreadable is not None

    @property
    def supported(self) -> bool:
        """Whether we speak its protocol."""
        return self.info is not None and self.info.protocol == PROTOCOL

    def entity(self, place: Place) -> Entity | None:
        """Find an entity as the node's info has it."""
        device = self.info.device(place.device) if self.info else None
        return device.entity(place.key) if device else None

    @property
    def away(self) -> bool:
        """Whether it is known to be offline; of which nothing was heard yet may well answer."""
        return not self.online and self.since is not None

    def device_online(self, device: str) -> bool:
        """Whether the node is there and the device is well."""
        return self.online and device not in self.ill

    def latched_by(self, device: str) -> str | None:
        """Say whose latch holds a device: ``device`` or ``node``; None where nothing does."""
        if device in self.latched_devices:
            return "device"
        return "node" if self.latched and device != SYSTEM else None

    def set_lease(self, key: Key, lease: Lease | None, now_s: float) -> None:
        """Take a lease, None at rest."""
        if lease is None:
            self.leases.pop(key, None)
        elif key in self.leases or len(self.leases) < MOST:
            self.leases[key] = HeardLease(lease, now_s)

    def compare_clocks(self, behind_s: float) -> None:
        """Take by how much at least our clock was found to be behind its (s)."""
        self.behind_s = max(0.0, behind_s)
        self.clock_behind = self.behind_s >= (APART_S / 2 if self.clock_behind else APART_S)

    def tell(self, key: Key, result: Result, at: datetime) -> None:
        """Take a result."""
        if key in self.told or len(self.told) < MOST:
            self.told.setdefault(key, deque(maxlen=TOLD)).appendleft(Told(result, at))

    def took(self, device: str, taken: str) -> None:
        """Take when a camera took its picture; what is no time is none."""
        try:
            datetime.fromisoformat(taken)
        except ValueError:
            self.taken.pop(device, None)
            return
        if device in self.taken or len(self.taken) < MOST:
            self.taken[device] = taken

    def said(self, info: Info, at: datetime) -> None:
        """Take an info."""
        self.info, self.unreadable = info, None
        if not self.boards or self.boards[-1][1] != info.identity:
            self.boards.append((at, info.identity))

    def boards_at(self, now: datetime) -> set[str]:
        """Return the boards that took turns under this id lately; one where all is well."""
        recent = [identity for at, identity in self.boards if now - at < BOARDS_FOR]
        return set(recent) if len(recent) > 2 else set(recent[-1:])
