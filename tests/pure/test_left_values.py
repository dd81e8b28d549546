"""What is left on the page for the next keeper: every value that a command can set is taken up by its successor."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from pimqtt_agent.devices import KINDS
from pimqtt_agent.devices.base import Device
from pimqtt_agent.keeper.bench import fits

COMMANDS: dict[str, list[Any]] = {
    "switch": ["ON", "OFF"],
    "light": ["ON", "OFF", {"state": "ON", "brightness": 1}, {"state": "ON", "brightness": 255}],
    "strip": [{"state": "ON", "brightness": 7, "color": {"r": 1, "g": 2, "b": 255}}, "OFF"],
    "motor": [-100, 33.3, "stop"],
    "servo": [0, 12.345678, 90],
    "drive": [{"x": 0.1, "y": -0.7}, "stop"],
}
EXAMPLES = {"strip": "{id: strip, kind: light, rgb: {red: 5, green: 6, blue: 13}}"}


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_value_of_every_kind_is_its_own(kind: str) -> None:
    example = yaml.safe_load(EXAMPLES.get(kind) or KINDS[kind].example)
    device: Device = TypeAdapter(KINDS[example["kind"]]).validate_python(example)
    (entity,) = [entity for entity in device.entities() if not entity.key]
    for raw in COMMANDS[kind]:
        value = entity.decode(raw)[0]
        assert fits(entity, value), (raw, value)


def test_a_value_of_another_kind_is_not() -> None:
    (lamp,) = TypeAdapter(KINDS["light"]).validate_python({"id": "a", "kind": "light", "pin": 1}).entities()
    assert not fits(lamp, value=True)
    assert not fits(lamp, {"x": 0.0, "y": 0.0})
