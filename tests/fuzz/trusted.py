"""Which frames bear values of their entities: by contract the link's other end takes them as validated."""

from __future__ import annotations

from typing import Any

import msgspec

from pimqtt_agent.devices import KINDS
from pimqtt_agent.entities import Entity
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.bench import fits
from pimqtt_agent.keeper.mounted import made
from pimqtt_agent.topics import is_publishable
from tests.fuzz.things import DEVICES, SPECS
from tests.fuzz.values import check_value

_DEVICES = {device.id: device for device in DEVICES}
_NUMBERS = ("at_s", "seq", "line", "broker_s", "size", "deadline_s")
#: What bears a value of an output.
_Valued = wire.Do | wire.State | wire.Held | wire.Reverted


def is_trusted(data: bytes, *, many: bool) -> bool:
    """Whether a frame bears values of its entities, or nothing that can be read at all."""
    try:
        found = wire.decode_many(data) if many else [wire.decode(data)]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return True
    return all(is_validated(message) for message in found)


def is_validated(message: wire.Message) -> bool:
    """Whether a message's values are ones of its entity: that is the other side's to see to."""
    numbers = all(abs(getattr(message, name, 0) or 0) < 1e12 for name in _NUMBERS)
    if not numbers or (isinstance(message, wire.Simulate) and message.level not in (0, 1)):
        return False
    if isinstance(message, wire.Hello):
        return message.session >= 0 and all(map(_is_ours, message.devices)) and _is_wired(message.devices)
    if isinstance(message, wire.Health | wire.Latched | wire.Blob):
        return message.device in ("", "eye", *SPECS)
    if isinstance(message, wire.Answer):
        return message.state is None or isinstance(message.state, bool)
    if isinstance(message, wire.Happened):
        return _is_plain(message.event)
    return not isinstance(message, _Valued) or _is_of_entity(message)


def _is_ours(spec: dict[str, Any]) -> bool:
    """Whether a device is none that the agent has as something else."""
    name, kind = spec.get("id"), spec.get("kind")
    if not isinstance(name, str) or not is_publishable(name):
        return False
    return name not in SPECS or kind == SPECS[name]["kind"] or not isinstance(kind, str) or kind not in KINDS


def _is_wired(specs: list[dict[str, Any]]) -> bool:
    """Whether no two devices want one line, which `pimqtt check` tells."""
    lines = [line for spec in specs if (device := made(spec)) for _, line in device.lines()]
    return len(set(lines)) == len(lines)


def _is_of_entity(message: _Valued) -> bool:
    values = [getattr(message, name) for name in ("value", "state", "resting") if hasattr(message, name)]
    device = _DEVICES.get(message.device)
    entity = next((part for part in device.declared if part.key == message.key), None) if device else None
    if device is None or entity is None or entity.rules is None:
        return device is None or all(value is None for value in values)
    if isinstance(message, wire.Do) and not _is_timed(message, entity):
        return False
    if not all(value is None or fits(entity, value) for value in values):
        return False
    for value in values:
        check_value(value)
    return values[0] is not None or device.kind == "servo"


def _is_timed(message: wire.Do, entity: Entity) -> bool:
    ttl_s, transition_s = message.ttl_s, message.transition_s
    return (
        (ttl_s is None or 0.05 <= ttl_s < 1e6)
        and (transition_s is None or 0 <= transition_s < 1e4)
        and (not message.stop or (entity.rules is not None and message.value == entity.rules.safe))
    )


def _is_plain(part: Any) -> bool:
    try:
        return bool(msgspec.json.encode(part))
    except (TypeError, ValueError, RecursionError):
        return False
