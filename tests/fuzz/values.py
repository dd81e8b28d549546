"""The bare reading of a command, for every kind of output at once, against a second reading (``reference.py``)."""

from __future__ import annotations

import math
from typing import Any

from pimqtt_agent import commands as reading
from pimqtt_agent.entities import Button, Entity
from pimqtt_agent.errors import CommandError
from pimqtt_agent.retained import Arrival, judge, resolved
from pimqtt_agent.rules import MIN_TTL_S
from tests.fuzz.answers import CODES, KINDS
from tests.fuzz.reference import NOTHING, fits, value_of
from tests.fuzz.seeds.commands import commands
from tests.fuzz.seeds.words import COMMAND_WORDS
from tests.fuzz.target import Finding, Target, records
from tests.fuzz.things import CAMERA, DEVICES

#: Of the entities what reads; what writes is no parser.
ENTITIES = "entities:quote,names,shortened,figure,quoted,number,from_text,decode"
_LAST = {"on": True, "brightness": 7, "rgb": [1, 2, 3]}
_ARRIVALS = tuple(
    Arrival(retain=retain, replay=replay, wall_s=wall_s, left_s=left_s, way_s=way_s)
    for retain, replay, wall_s, left_s, way_s in (
        (False, False, None, None, 0.0), (True, True, 1.8e9, 3, 0.0), (True, False, 5.0, 9, 0.0),
        (False, False, None, 9, 2.0),
    )
)


def _entities() -> dict[str, Entity]:
    named = {
        f"{device.id}/{entity.key}" if entity.key else device.id: entity
        for device in (*DEVICES, CAMERA)
        for entity in device.declared
        if entity.takes_commands
    }
    several = ("pump", "guard", "lamp", "glow", "fan", "arm", "car", "car/limit", "eye/snapshot")
    return {name: named[name] for name in several}


class Values(Target):
    """Envelope, value, TTL and verdict."""

    name = "values"
    modules = ("commands", "strict_json", ENTITIES, "retained")
    share = 718
    takes_ms = 0.21
    words = COMMAND_WORDS

    def open(self) -> None:
        self._entities = _entities()

    @classmethod
    def seeds(cls) -> list[bytes]:
        found = {payload for data in commands() for _, payload in records(data, 9)}
        return sorted(found, key=lambda payload: (len(payload), payload))

    def run(self, data: bytes) -> None:
        value = value_of(data)
        try:
            envelope = reading.open_envelope(data)
        except CommandError as error:
            check_refusal(error)
            return
        if value is NOTHING:
            raise Finding(f"taken for a command: {data[:200]!r}")
        for name, entity in self._entities.items():
            self._read(name, entity, envelope, value)

    def _read(self, name: str, entity: Entity, envelope: reading.Envelope, value: Any) -> None:
        kind = "press" if isinstance(entity, Button) else KINDS[name]
        try:
            request = reading.read(entity, envelope, _LAST if kind.startswith("light") else None)
        except CommandError as error:
            check_refusal(error)
            return
        if not fits(kind, value):
            raise Finding(f"{name} takes {value!r}")
        check_value(request.value)
        if request.ttl_s is not None and not MIN_TTL_S <= request.ttl_s < math.inf:
            raise Finding(f"{name}: a ttl of {request.ttl_s!r}")
        for arrival in _ARRIVALS:
            verdict = judge(entity, envelope, request, arrival)
            left_s = resolved(request, verdict).ttl_s
            if not request.stop and left_s is not None and request.ttl_s is not None and left_s > request.ttl_s + 1e-6:
                raise Finding(f"{name}: a ttl of {request.ttl_s} became {left_s}")


def check_value(value: Any) -> None:
    """Tell a value that no driver may see."""
    flat = value.values() if isinstance(value, dict) else [value]
    for part in (inner for outer in flat for inner in (outer if isinstance(outer, list) else [outer])):
        if isinstance(part, int | float) and not isinstance(part, bool) and not abs(part) < 1e6:
            raise Finding(f"{part!r} is on its way to a pin")


def check_refusal(error: CommandError) -> None:
    """Tell a refusal that is not as the contract says."""
    if error.code not in CODES or not str(error):
        raise Finding(f"refused as {error.code!r}: {error}")
