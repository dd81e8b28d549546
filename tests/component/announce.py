"""Prints what an agent publishes, as JSON, made by the agent's own code in the agent's own Python.

Reads a configuration (YAML) on stdin. ``retained`` has topics and payloads as they stand after a start, ``result`` and
``answer`` the empty shapes of a result and of an answer to a call. ``refused`` is what the agent's code refuses, each
with ``output``, the ``command``, and the ``code`` and ``reason`` of the rejection.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pimqtt_agent import commands, discovery, identity, info
from pimqtt_agent.config import load
from pimqtt_agent.devices.system import SystemDevice
from pimqtt_agent.discovery import Node
from pimqtt_agent.errors import CommandError
from pimqtt_agent.model import Model
from pimqtt_agent.replies import result
from pimqtt_agent.topics import Topics

#: Beyond the limits of an output, in its value or its TTL.
BEYOND = (
    ("arm", {"value": 500}),
    ("fan", {"value": 150, "ttl": 1}),
    ("lamp", {"value": {"state": "ON", "brightness": 999}}),
    ("pump", {"value": "ON", "ttl": 3600}),
)


def refused(model: Model) -> Iterator[dict[str, Any]]:
    """Refuse what is beyond the limits, as the intake of commands does."""
    for output, command in BEYOND:
        try:
            commands.read(model.things[output, ""].entity, commands.open_envelope(json.dumps(command).encode()))
        except CommandError as error:
            yield {"output": output, "command": command, "code": error.code, "reason": str(error)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(sys.stdin.read())
        settings = load(path)
    topics = Topics(settings.mqtt.base, settings.node.id, settings.mqtt.discovery_prefix)
    hardware_id, _ = identity.identity(settings)
    node = Node(
        topics=topics, identity=hardware_id, title=settings.node.title, model="Raspberry Pi 5", area=settings.node.area
    )
    system = SystemDevice.of(settings.system)
    model = Model(topics, [*settings.devices, system])
    moment = info.Moment(
        mqtt="5", instance="1", problem=None, denied=[], max_packet_size=None, clock_synchronised=True,
        under_voltage=None,
    )  # fmt: skip
    said = info.info(model, node, moment)
    said["addresses"] = ["192.0.2.7"]
    retained = {topics.discovery("system"): discovery.node_payload(node, system), topics.info: said}
    for device in settings.devices:
        retained[topics.discovery(device.id)] = discovery.device_payload(node, device)
        retained[topics.device(device.id, "availability")] = "online"
    for device in {thing.device.id for thing in model.outputs()} | {""}:
        retained[topics.stop(device, "state")] = "OFF"
    for thing in model.outputs():
        retained[thing.topic_lease] = {}
        rules = thing.entity.rules
        if rules is not None:
            retained[thing.topic_state] = thing.entity.encode(rules.safe)
    retained[topics.availability] = "online"
    texts = {topic: one if isinstance(one, str) else json.dumps(one) for topic, one in retained.items()}
    answer = {"id": None, "action": None, "outcome": "accepted", "code": None, "reason": None, "result": None}
    print(json.dumps({"retained": texts, "result": result(), "answer": answer, "refused": list(refused(model))}))


main()
