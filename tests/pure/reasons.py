"""Devices of every sort of reason, and what a reason must hold."""

from __future__ import annotations

from pimqtt_agent.devices import Device
from pimqtt_agent.devices.camera import Camera
from pimqtt_agent.devices.drive import Drive
from pimqtt_agent.devices.light import Light
from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.devices.servo import Servo
from pimqtt_agent.devices.switch import Switch
from pimqtt_agent.entities import Entity

DEVICES: dict[str, Device] = {
    "pump": Switch.model_validate({"id": "pump", "kind": "switch", "pin": 17, "ttl": {"min": 1, "max": 60}}),
    "gate": Switch.model_validate({"id": "gate", "kind": "switch", "pin": 4, "ttl": {"required": True}}),
    "fan": Motor.model_validate({"id": "fan", "kind": "motor", "forward": 23, "backward": 24}),
    "arm": Servo.model_validate({"id": "arm", "kind": "servo", "pin": 12, "min_angle": -45, "max_angle": 45}),
    "lamp": Light.model_validate({"id": "lamp", "kind": "light", "pin": 18}),
    "glow": Light.model_validate({"id": "glow", "kind": "light", "rgb": {"red": 8, "green": 9, "blue": 10}}),
    "car": Drive.model_validate(
        {"id": "car", "kind": "drive", "left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19}}
    ),
    "eye": Camera.model_validate({"id": "eye", "kind": "camera", "source": "synthetic"}),
}
Told = tuple[str, str]


def entity(name: str) -> Entity:
    device, _, key = name.partition("/")
    return next(found for found in DEVICES[device].declared if found.key == key)


def lacks(reason: str, parts: list[str]) -> list[str]:
    """List what a reason does not hold of what it must; the whole of it stays short enough for a phone."""
    assert len(reason) < 250, reason
    return [part for part in parts if part not in reason]
