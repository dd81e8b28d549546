"""A node with every kind: its devices, and what they are called in Home Assistant."""

from __future__ import annotations

from typing import Any

from tests.ha.api import State
from tests.ha.pi import Pi
from tests.rig import Observer

DEVICES = (
    "{id: pump, kind: switch, pin: 17, ttl: {default: 1, max: 60}}",
    "{id: relay, kind: switch, name: Garden relay, area: Garden, pin: 27, active_low: true, device_class: outlet}",
    "{id: heater, kind: switch, pin: 26, min_off: 3600}",
    "{id: lamp, kind: light, pin: 18}",
    "{id: glow, kind: light, rgb: {red: 8, green: 9, blue: 10}}",
    "{id: front-door, kind: binary_sensor, pin: 22, device_class: door, pull: up}",
    "{id: bell, kind: button, pin: 25, long: 1.5, double: 0.8}",
    "{id: fan, kind: motor, forward: 23, backward: 24, deadman: 0.5, ttl: {max: 30}}",
    "{id: winch, kind: motor, phase: 20, enable: 21, deadman: 0.5}",
    "{id: arm, kind: servo, pin: 12}",
    "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, ttl: {max: 30}}",
    "{id: truck, kind: drive, motor: {forward: 2, backward: 3}, steering: {pin: 14}}",
    "{id: eye, kind: camera, source: synthetic}",
)
DRIVE = {
    "": ("sensor", ""), "forward": ("button", "Forward"), "backward": ("button", "Backward"),
    "left": ("button", "Left"), "right": ("button", "Right"), "halt": ("button", "Stop"),
    "limit": ("number", "Speed limit"), "stop": ("switch", "Emergency stop"),
}
MOTOR = {"": ("number", ""), "halt": ("button", "Stop"), "stop": ("switch", "Emergency stop")}
#: By device: its name, its kind in words, its room; and its entities: platform and name.
EVERYTHING: dict[str, tuple[str, str, str, dict[str, tuple[str, str]]]] = {
    "pump": ("Pump", "switch", "workshop", {"": ("switch", "")}),
    "relay": ("Garden relay", "switch", "garden", {"": ("switch", "")}),
    "heater": ("Heater", "switch", "workshop", {"": ("switch", "")}),
    "lamp": ("Lamp", "light", "workshop", {"": ("light", "")}),
    "glow": ("Glow", "light", "workshop", {"": ("light", "")}),
    "front-door": ("Front door", "binary sensor", "workshop", {"": ("binary_sensor", "")}),
    "bell": ("Bell", "button", "workshop", {"": ("event", "")}),
    "fan": ("Fan", "motor", "workshop", MOTOR),
    "winch": ("Winch", "motor", "workshop", MOTOR),
    "arm": ("Arm", "servo", "workshop", MOTOR),
    "car": ("Car", "drive", "workshop", DRIVE),
    "truck": ("Truck", "drive", "workshop", DRIVE),
    "eye": ("Eye", "camera", "workshop", {
        "": ("camera", "Picture"), "snapshot": ("button", "Take picture"), "taken": ("sensor", "Picture taken"),
    }),
}  # fmt: skip
#: The node's own entities; more of them where the board has more to read.
NODE = {
    "system.connection": ("binary_sensor", "Connection"), "stop": ("switch", "Emergency stop"),
    "system.load": ("sensor", "Load"), "system.memory": ("sensor", "Memory used"),
    "system.disk": ("sensor", "Disk used"), "system.booted": ("sensor", "Booted"),
    "system.started": ("sensor", "Agent started"), "system.version": ("sensor", "Version"),
    "system.address": ("sensor", "IP address"), "system.restart": ("button", "Restart pimqtt"),
}  # fmt: skip
#: Registered, but switched off until the user wants them.
HIDDEN = {
    "pump.stop": "switch", "relay.stop": "switch", "heater.stop": "switch", "lamp.stop": "switch",
    "glow.stop": "switch", "eye.size": "sensor",
}  # fmt: skip


def held(state: State) -> bool:
    return "owner" in state["attributes"]


def known(state: State) -> bool:
    return state["state"] not in ("unknown", "unavailable")


async def result(watch: Observer, house: Pi, device: str, since: int, **want: Any) -> None:
    """Wait for a result of a device with these fields."""
    await watch.wait(
        house.topic(device, "result"),
        lambda seen: all(seen.json()[key] == value for key, value in want.items()),
        10, since,
    )  # fmt: skip
