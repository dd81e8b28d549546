"""Entities to command, and what becomes of a payload for one: a request, or the reason why it is none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pimqtt_agent.commands import Request, open_envelope, read
from pimqtt_agent.devices.drive import Drive
from pimqtt_agent.devices.light import Light
from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.entities import Button, Entity, Number, Switch
from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import Rules, Ttl

SWITCH = Switch(rules=Rules())
FAN = Motor.model_validate({"id": "fan", "kind": "motor", "forward": 23, "backward": 24}).entities()[0]
CAR = Drive.model_validate(
    {"id": "car", "kind": "drive", "left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19}}
).entities()[0]
LAMP = Light.model_validate({"id": "lamp", "kind": "light", "pin": 18}).entities()[0]
PRESS = Button()
ALL: dict[str, Entity] = {"switch": SWITCH, "motor": FAN, "drive": CAR, "light": LAMP, "button": PRESS, "sub": Number()}


def request(payload: bytes | str, entity: Entity = SWITCH) -> Request:
    data = payload if isinstance(payload, bytes) else payload.encode()
    return read(entity, open_envelope(data))


def refusal(payload: bytes | str, entity: Entity = SWITCH) -> CommandError:
    with pytest.raises(CommandError) as caught:
        request(payload, entity)
    return caught.value


def with_ttl(**ttl: Any) -> Entity:
    return replace(SWITCH, rules=Rules(ttl=Ttl(**ttl)))
