"""What an operator's client gets back: results, changes, nodes. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from pimqtt_agent.client_topics import Place
from pimqtt_agent.errors import PimqttError


class NoAnswerError(PimqttError):
    """Nobody answered; ``answered`` are the results of those who did."""

    def __init__(self, reason: str, answered: tuple[Result, ...] = ()) -> None:
        """Keep who answered."""
        super().__init__(reason)
        self.answered = answered


class NotAllowedError(PimqttError):
    """The broker does not let this login write or read there."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """An answer to a command, a call, a stop or a reset; ``target`` is whose it is."""

    target: str
    outcome: str
    id: str | None = None
    code: str | None = None
    reason: str | None = None
    value: Any = None
    state: Any = None
    ttl: float | None = None
    cause: str | None = None
    owner: str | None = None
    holder: str | None = None
    token: str | None = None
    result: Any = None
    round_trip_s: float | None = None
    #: all of the answer, also what has no field here (``retry_after_s``, ``min``, ``max``)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def accepted(self) -> bool:
        """Whether it was done."""
        return self.outcome == "accepted"

    @classmethod
    def read(cls, target: str, raw: Mapping[str, Any], round_trip_s: float | None = None) -> Self:
        """Read the JSON of the wire."""
        known = {key: raw[key] for key in _KEYS if key in raw}
        known["ttl"] = number(raw.get("ttl"))
        outcome = str(raw.get("outcome"))
        return cls(target=target, outcome=outcome, round_trip_s=round_trip_s, raw=dict(raw), **known)


_KEYS = ("id", "code", "reason", "value", "state", "cause", "owner", "holder", "token", "result")


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that was published below a node. ``what`` is the last level of its topic: ``state``, ``lease``, ..."""

    place: Place
    content: Any
    retained: bool = False
    #: CLOCK_MONOTONIC and Unix time of its arrival
    at_s: float = field(default_factory=time.monotonic)
    unix_s: float = field(default_factory=time.time)

    @property
    def what(self) -> str:
        """What kind of topic it is."""
        return self.place.what

    @property
    def name(self) -> str:
        """``car1/pump``, ``car1/car/limit``, ``car1``."""
        return self.place.name

    def as_json(self) -> dict[str, Any]:
        """Return it for one line of JSON."""
        place = self.place
        return {
            "time": round(self.unix_s, 3), "node": place.node, "device": place.device or None,
            "entity": place.entity or None, "what": place.what, "content": self.content, "retained": self.retained,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node that was found: whether it is online, and what it says of itself (``info``)."""

    id: str
    online: bool
    info: Mapping[str, Any] = field(default_factory=dict)

    def device(self, device: str) -> Mapping[str, Any] | None:
        """Return what the node says of a device."""
        return next((found for found in devices_of(self.info) if found["id"] == device), None)


def devices_of(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an ``info`` says of devices, leaving out what is none: anybody may have written it."""
    devices = info.get("devices")
    found = devices if isinstance(devices, list) else []
    return [device for device in found if isinstance(device, dict) and isinstance(device.get("id"), str)]


def number(raw: Any) -> float | None:
    """Return a number of the wire, None for anything else."""
    return raw if isinstance(raw, int | float) and not isinstance(raw, bool) else None


def content_of(payload: bytes) -> Any:
    """Read a payload: JSON where it is an object or a list, else its text; bytes by their size."""
    if payload[:1] in (b"{", b"["):
        try:
            return msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return f"{len(payload)} bytes"
