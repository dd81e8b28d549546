"""The node of every trial: its devices, and which of its pins are in which class."""

from __future__ import annotations

from typing import Literal

#: What a pin's promise depends on. ``reverse`` are the motors' other directions, which nobody asks for.
PinClass = Literal["motion", "reverse", "pump", "heater", "lamp"]
#: What a released line does: keep its level (a Raspberry Pi's kernel), or fall to the outside pull (mainline).
Rule = Literal["latch", "pull"]

PINS: dict[PinClass, tuple[int, ...]] = {
    "motion": (5, 13, 23), "reverse": (6, 19, 24), "pump": (17,), "heater": (27,), "lamp": (22,),
}  # fmt: skip
NAMES = {
    5: "left wheel", 13: "right wheel", 23: "fan", 6: "left wheel, backward", 19: "right wheel, backward",
    24: "fan, backward", 17: "pump", 27: "heater", 22: "lamp",
}  # fmt: skip
DEADMAN_S, PUMP_TTL_S, AFTER_S = 0.5, 2.0, 1.0
#: Where a trial begins, before anybody drives.
AT_REST = {**dict.fromkeys((*PINS["motion"], *PINS["reverse"], 17), 0.0), 27: 1.0, 22: 1.0}
WHEELS = "left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}"
SPARE = "{id: spare, kind: switch, pin: 26}"
DEVICES = (
    f"{{id: car, kind: drive, {WHEELS}, deadman: {DEADMAN_S}}}",
    f"{{id: fan, kind: motor, forward: 23, backward: 24, deadman: {DEADMAN_S}}}",
    "{id: pump, kind: switch, pin: 17, ttl: {max: 60}}",
    f"{{id: heater, kind: switch, pin: 27, on_disconnect: {{after: {AFTER_S:g}, value: off}}}}",
    "{id: lamp, kind: switch, pin: 22}",
    SPARE,
)


def class_of(pin: int) -> PinClass:
    """Name the class of a pin."""
    return next(name for name, pins in PINS.items() if pin in pins)


def config(node: str, host: str, port: int, rule: Rule, devices: tuple[str, ...] = DEVICES) -> str:
    """Write the configuration of a node."""
    lines = "".join(f"  - {device}\n" for device in devices)
    return (
        f"node: {node}\nmqtt: {{host: {host}, port: {port}}}\n"
        f"hardware: {{backend: simulated, trace: trace.jsonl, on_release: {rule}}}\ndevices:\n{lines}"
    )


def speed(number: int) -> float:
    """Tell the level of the motors after the renewal of this number: each differs from those around it."""
    return (30 + number % 40) / 100
