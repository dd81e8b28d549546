"""An agent on ha-mqtt-discoverable, as its documentation shows; started with the peers' Python: PORT OUTPUTS."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Announce switches that do nothing and answer every command by its state."""
    port, outputs = int(sys.argv[1]), int(sys.argv[2])
    base = import_module("ha_mqtt_discoverable")
    sensors = import_module("ha_mqtt_discoverable.sensors")
    device = base.DeviceInfo(name="bench", identifiers="bench")
    mqtt = base.Settings.MQTT(host="127.0.0.1", port=port)
    switches: list[Any] = []
    for number in range(outputs):
        name = f"o{number}"
        info = sensors.SwitchInfo(name=name, device=device, unique_id=name)
        settings = base.Settings(mqtt=mqtt, entity=info, manual_availability=True)

        def obey(_client: Any, _userdata: Any, message: Any, number: int = number) -> None:
            # forced: without it nothing is published where the state does not change
            switches[number]._update_state(message.payload.decode(), force_update=True)  # noqa: SLF001

        switches.append(sensors.Switch(settings, obey))
    for switch in switches:
        switch.off()
        switch.set_availability(True)
    signal.pause()


if __name__ == "__main__":
    main()
