"""What the demo says first: lines to paste, that work in another terminal whatever is installed there."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pimqtt_agent.client_broker import Broker

#: What to paste: the last part of the topic, the payload, and the same for `pimqtt` (which sets no inputs). Line 22 is
#: the door's, 25 the bell's (0 pressed, 1 let go).
_LINES = (
    ("pump/set", '{"value": "ON", "ttl": 5}', ("send", "{}/pump", "ON", "--ttl", "5")),
    ("car/set", "forward", ("send", "{}/car", "forward")),
    ("fan/set", '{"value": 60, "ttl": 10}', ("send", "{}/fan", "60", "--ttl", "10")),
    ("lamp/set", '{"state": "ON", "brightness": 80}', ("send", "{}/lamp", '{"state": "ON", "brightness": 80}')),
    ("arm/set", "45", ("send", "{}/arm", "45")),
    ("sim/22/set", "0", ()),
    ("sim/25/set", "0", ()),
    ("sim/25/set", "1", ()),
    ("eye/snapshot/set", "PRESS", ("send", "{}/eye/snapshot", "PRESS")),
    ("stop/set", "ON", ("stop", "{}")),
    ("stop/set", "OFF", ("reset", "{}")),
)


def greeting(broker: Broker, node: str, what: str) -> Iterator[str]:
    """Say where it is and what to paste, line by line; ``what`` is the broker."""
    start = _program(broker)
    yield f"A simulated Pi, node {node}, at {what}: {broker}."
    yield "Paste into another terminal:"
    yield ""
    yield from publications(broker, node)
    if shutil.which("mosquitto_pub") is None:
        yield ""
        yield "mosquitto_pub is not on this machine: sudo apt install mosquitto-clients. Without it, most of the same:"
        yield ""
        yield from _commands(start, node)
    yield f"{start} drive {node}/car"
    yield f"{start} watch"
    yield ""
    yield "Ctrl-C ends."
    yield ""


def publications(broker: Broker, node: str) -> list[str]:
    """Return commands for a shell, by Mosquitto's client."""
    head = ["mosquitto_pub", "-h", broker.host, "-p", str(broker.port)]
    if broker.tls:
        head += ["--cafile", broker.ca] if broker.ca else ["--tls-use-os-certs"]
    start = shlex.join(head) + (f' -u {shlex.quote(broker.user)} -P "$PIMQTT_PASSWORD"' if broker.user else "")
    return [f"{start} -t {broker.base}/{node}/{topic} -m {shlex.quote(payload)}" for topic, payload, _ in _LINES]


def _commands(start: str, node: str) -> Iterator[str]:
    for *_, words in _LINES:
        if words:
            yield f"{start} {shlex.join(node if word == '{}' else word.replace('{}/', f'{node}/') for word in words)}"


def _program(broker: Broker) -> str:
    """Return how to call this very pimqtt, for this broker."""
    options = ["--broker", str(broker)]
    if broker.tls:
        options += ["--tls", *(["--ca", broker.ca] if broker.ca else [])]
    if broker.user:
        options += ["--user", broker.user]
    return f"{program()} {shlex.join(options)}"


def program() -> str:
    """Return how to call this very pimqtt from another terminal, in any folder."""
    ours, found = Path(sys.executable).with_name("pimqtt"), shutil.which("pimqtt")
    elsewhere = not os.environ.get("VIRTUAL_ENV")  # an activated environment is this terminal's alone
    if found and elsewhere and Path(found).resolve() == ours.resolve():
        return "pimqtt"
    return _quoted(ours) if ours.exists() else f"{shlex.quote(sys.executable)} -m pimqtt_agent"


def _quoted(path: Path) -> str:
    """Write a path for a shell, shortly."""
    home = Path.home()
    return f"~/{shlex.quote(str(path.relative_to(home)))}" if path.is_relative_to(home) else shlex.quote(str(path))
