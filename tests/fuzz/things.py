"""The node that is fuzzed: a device of each kind, and of each rule."""

from __future__ import annotations

from typing import Any

from pimqtt_agent.devices import KINDS, Device
from pimqtt_agent.devices.system import SystemDevice
from pimqtt_agent.discovery import Node as Announced
from pimqtt_agent.topics import Topics

TOPICS = Topics("pimqtt", "car1")
IDENTITY = Announced(topics=TOPICS, identity="car1", title="Car", model="Pi")
_BRIDGES = {"left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19}}
SPECS: dict[str, dict[str, Any]] = {
    "pump": {"kind": "switch", "pin": 17, "ttl": {"default": 5, "max": 60}, "restore": "last"},
    "heater": {
        "kind": "switch",
        "pin": 27,
        "active_low": True,
        "max_on": 30,
        "min_off": 2,
        "interlock": {"group": "heat", "dead_time": 0.5},
        "on_disconnect": {"after": 30, "value": "off"},
    },
    "cooler": {"kind": "switch", "pin": 4, "interlock": {"group": "heat", "dead_time": 0.5}},
    "guard": {"kind": "switch", "pin": 7, "ttl": {"required": True, "max": 9}, "control": "shared"},
    "lamp": {"kind": "light", "pin": 18, "gamma": 2.2},
    "glow": {"kind": "light", "rgb": {"red": 8, "green": 9, "blue": 10}},
    "fan": {"kind": "motor", "forward": 23, "backward": 24},
    "winch": {"kind": "motor", "phase": 20, "enable": 21, "deadman": 0.3, "token": "required"},
    "arm": {"kind": "servo", "pin": 12},
    "car": {"kind": "drive", **_BRIDGES, "arming": {"heartbeat_s": 1}},
    "truck": {"kind": "drive", "motor": {"forward": 2, "backward": 3}, "steering": {"pin": 14}},
    "bell": {"kind": "button", "pin": 25},
    "door": {"kind": "binary_sensor", "pin": 22},
}
EYE = {"id": "eye", "kind": "camera", "source": "synthetic"}
OWNERS = {"guest": 2}
DEVICES = [KINDS[str(spec["kind"])].model_validate({"id": name, **spec}) for name, spec in SPECS.items()]
CAMERA: Device = KINDS["camera"].model_validate(EYE)
SYSTEM = SystemDevice(allow=frozenset({"restart"}), found=frozenset({"restart", "reboot"}))
