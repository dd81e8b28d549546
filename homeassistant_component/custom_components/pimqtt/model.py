"""What agents say, read strictly: their ``info``, leases and results. Pure.

Anybody may have written a payload. What is no such thing raises ``WireError`` with a sentence; unknown keys are left
out, and so is a device or entity that can't be read, without costing the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .strict_json import MAX_TEXT, MAX_VALUE_BYTES, WireError, loads, number, quote, too_long
from .topics import ID, RESERVED_IDS

MAX_DEVICES = 200
MAX_ENTITIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ttl:
    """The TTLs that an output takes, in seconds."""

    default: float | None = None
    min: float | None = None
    max: float | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity as ``info`` has it; what is None was not told, or is an output's."""

    key: str
    platform: str
    command: bool = False
    motion: str | None = None
    ttl: Ttl | None = None
    deadman_s: float | None = None
    control: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One YAML device, or ``system``, the node's own readings; ``pins`` are its lines by their role."""

    id: str
    kind: str
    name: str
    entities: tuple[Entity, ...] = ()
    pins: Mapping[str, int | str] | None = None

    def entity(self, key: str) -> Entity | None:
        """Find an entity by its key."""
        return next((entity for entity in self.entities if entity.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a node says of itself. The last three are optional keys that older agents lack."""

    node: str
    protocol: int
    name: str
    identity: str
    instance: str | None = None
    version: str | None = None
    mqtt: str | None = None
    model: str | None = None
    addresses: tuple[str, ...] = ()
    problem: str | None = None
    devices: tuple[Device, ...] = ()
    capabilities: frozenset[str] = frozenset()
    denied: tuple[str, ...] = ()
    clock_synchronised: bool | None = None
    max_packet_size: int | None = None
    under_voltage: bool | None = None

    def device(self, device: str) -> Device | None:
        """Find a device by its id."""
        return next((found for found in self.devices if found.id == device), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A running lease; ``remaining_s`` counts from when it was heard, ``end`` is Unix time."""

    owner: str
    value: Any
    resting: Any
    remaining_s: float
    end: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a command, a call or a lease."""

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


def read_info(node: str, payload: bytes | bytearray | str) -> Info:
    """Read a node's ``info``; ``node`` is the one of its topic."""
    raw = _mapping(loads(payload), "info")
    protocol, said = raw.get("protocol"), raw.get("node")
    if isinstance(protocol, bool) or not isinstance(protocol, int):
        raise WireError(f"its protocol {quote(protocol)} is no number")
    if said != node:
        raise WireError(f"it names the node {quote(said)}, its topic {quote(node)}")
    identity = _text(raw.get("hardware_id"))
    if identity is None or not ID.fullmatch(identity):
        raise WireError(f"its hardware_id {quote(raw.get('hardware_id'))} is no identity (a-z, 0-9, _ and -)")
    size = number(raw.get("max_packet_size"))
    return Info(
        node=node,
        protocol=protocol,
        name=_text(raw.get("name")) or node,
        identity=identity,
        instance=_text(raw.get("instance")),
        version=_text(raw.get("version")),
        mqtt=_text(raw.get("mqtt")),
        model=_text(raw.get("model")),
        addresses=tuple(_texts(raw.get("addresses"))),
        problem=_text(raw.get("problem")),
        devices=tuple(_devices(raw.get("devices"))),
        capabilities=frozenset(_texts(raw.get("capabilities"))),
        denied=tuple(_texts(raw.get("denied"))),
        clock_synchronised=_bool(raw.get("clock_synchronised")),
        max_packet_size=None if size is None else int(size),
        under_voltage=_bool(raw.get("under_voltage")),
    )


def read_lease(payload: bytes | str) -> Lease | None:
    """Read a lease; None at rest."""
    raw = _mapping(loads(payload), "a lease")
    if not raw:
        return None
    owner, remaining_s = _text(raw.get("owner")), number(raw.get("remaining_s"))
    if owner is None or remaining_s is None:
        raise WireError(f"{quote(payload)} is no lease: it lacks an owner or remaining_s")
    value, resting = raw.get("value"), raw.get("resting")
    if too_long(value) or too_long(resting):
        raise WireError(f"{quote(payload)} has a value of more than {MAX_VALUE_BYTES} bytes")
    end = number(raw.get("end"))
    return Lease(owner=owner, value=value, resting=resting, remaining_s=max(0.0, remaining_s), end=end)


def read_result(raw: Any) -> Result:
    """Read a result, or an answer to a call, of parsed JSON. It echoes what was sent: a value too long is left out."""
    raw = _mapping(raw, "a result")
    outcome = _text(raw.get("outcome"))
    if outcome not in ("accepted", "rejected", "reverted"):
        raise WireError(f"its outcome {quote(raw.get('outcome'))} is none")
    texts = {key: _text(raw.get(key)) for key in ("id", "code", "reason", "cause", "owner", "holder", "token")}
    value, state = raw.get("value"), raw.get("state")
    return Result(
        outcome=outcome,
        value=None if too_long(value) else value,
        state=None if too_long(state) else state,
        ttl=number(raw.get("ttl")),
        result=raw.get("result"),
        **texts,
    )


def _devices(raw: Any) -> Iterator[Device]:
    seen = set()
    for item in (raw if isinstance(raw, list) else [])[:MAX_DEVICES]:
        device = _id(item.get("id")) if isinstance(item, dict) else None
        if device is None or device in seen or device in RESERVED_IDS:
            continue
        seen.add(device)
        yield Device(
            id=device,
            kind=_text(item.get("kind")) or "unknown",
            name=_text(item.get("name")) or device,
            entities=tuple(_entities(item.get("entities"))),
            pins=_pins(item.get("pins")),
        )


def _entities(raw: Any) -> Iterator[Entity]:
    seen = set()
    for item in (raw if isinstance(raw, list) else [])[:MAX_ENTITIES]:
        key = item.get("key") if isinstance(item, dict) else None
        platform = _text(item.get("platform")) if isinstance(item, dict) else None
        if platform is None or not isinstance(key, str) or (key and _id(key) is None) or key in seen:
            continue
        seen.add(key)
        yield Entity(
            key=key,
            platform=platform,
            command=item.get("command") is True,
            motion=_one_of(item.get("motion"), ("level", "continuous", "bounded")),
            ttl=_ttl(item.get("ttl")),
            deadman_s=_positive(item.get("deadman_s")),
            control=_one_of(item.get("control"), ("exclusive", "shared")),
            token=_one_of(item.get("token"), ("required", "optional")),
        )


def _ttl(raw: Any) -> Ttl | None:
    if not isinstance(raw, dict):
        return None
    limits = {key: _positive(raw.get(key)) for key in ("default", "min", "max")}
    return Ttl(**limits, required=raw.get("required") is True)


def _pins(raw: Any) -> dict[str, int | str] | None:
    if not isinstance(raw, dict):
        return None
    lines = (int, str)
    pins = {role: line for role, line in raw.items() if isinstance(line, lines) and not isinstance(line, bool)}
    return {role[:64]: line[:64] if isinstance(line, str) else line for role, line in list(pins.items())[:64]}


def _mapping(raw: Any, what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise WireError(f"{quote(raw)} is not {what}: no JSON object")
    return raw


def _id(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and ID.fullmatch(raw) else None


def _text(raw: Any) -> str | None:
    return raw[:MAX_TEXT] if isinstance(raw, str) and raw else None


def _texts(raw: Any) -> Iterator[str]:
    for item in (raw if isinstance(raw, list) else [])[:100]:
        if text := _text(item):
            yield text


def _bool(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _positive(raw: Any) -> float | None:
    value = number(raw)
    return value if value is not None and value > 0 else None


def _one_of(raw: Any, words: tuple[str, ...]) -> str | None:
    return raw if isinstance(raw, str) and raw in words else None
