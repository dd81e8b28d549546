"""Who is measured: each agent, started as its users start it, and what to watch of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from benchmarks import environment
from benchmarks.candidates import Candidate
from benchmarks.driver import Driver, Pair
from benchmarks.errors import BenchmarkError
from tests.rig import ROOT, Node

PEERS = Path(__file__).with_name("peers")


class Pimqtt(Candidate):
    """`pimqtt run`: supervisor, agent and pin keeper, on the simulated backend without a trace."""

    name = "pimqtt"
    node: ClassVar[str] = "bench"
    source: ClassVar[Path] = ROOT

    @property
    def pairs(self) -> list[Pair]:
        """The topics of its switches."""
        return [(f"pimqtt/{self.node}/o{n}/set", f"pimqtt/{self.node}/o{n}/state") for n in range(self.outputs)]

    @property
    def announced(self) -> list[str]:
        """One discovery message a device, the node's and every device's availability, states."""
        devices = [f"o{n}" for n in range(self.outputs)]
        return [
            f"homeassistant/device/{self.node}/system/config", f"pimqtt/{self.node}/availability",
            *(f"homeassistant/device/{self.node}/{device}/config" for device in devices),
            *(f"pimqtt/{self.node}/{device}/{level}" for device in devices for level in ("availability", "state")),
        ]  # fmt: skip

    def launch(self) -> int:
        """Start the supervisor."""
        devices = "".join(f"  - {{id: o{n}, kind: switch, pin: {n}}}\n" for n in range(self.outputs))
        head = f"node: {self.node}\nmqtt: {{host: 127.0.0.1, port: {self.port}}}\nhardware: {{backend: simulated}}\n"
        env = {"PYTHONUNBUFFERED": "", "PYTHONPATH": str(self.source)}
        self._node = Node(self.folder, f"{head}devices:\n{devices}", env, self.node)
        process = self._node.start(wait=False).process
        assert process
        return process.pid

    def end(self) -> None:
        """Stop the supervisor; it stops the others."""
        self._node.__exit__(None, None, None)


def another(checkout: Path) -> type[Pimqtt]:
    """Make a candidate of another checkout of pimqtt: side by side, whatever slows one slows both."""
    if not (checkout / "pimqtt_agent").is_dir():
        raise BenchmarkError(f"{checkout}: no checkout of pimqtt")
    name = f"pimqtt {environment.commit(checkout)}"
    return type("Another", (Pimqtt,), {"name": name, "node": "another", "source": checkout.resolve()})


class Peer(Candidate):
    """An agent from the peers' environment, started by a script in ``peers/``."""

    script: ClassVar[str]
    python_is_theirs = True

    @abstractmethod
    def arguments(self) -> list[str]:
        """What the script is told."""

    def launch(self) -> int:
        """Start the script."""
        with (self.folder / "peer.log").open("wb") as log:
            command = [str(self.python), str(PEERS / self.script), *self.arguments()]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        return self._process.pid

    def end(self) -> None:
        """Kill it: nothing of it outlives a run."""
        self._process.kill()
        self._process.wait(5)


class MqttIo(Peer):
    """mqtt-io with a GPIO module that does nothing, its default thread pool, and its log at WARNING."""

    name = "mqtt-io"
    script = "mqtt_io_noop.py"

    @property
    def pairs(self) -> list[Pair]:
        """The topics of its digital outputs."""
        return [(f"mqttio/output/o{n}/set", f"mqttio/output/o{n}") for n in range(self.outputs)]

    @property
    def announced(self) -> list[str]:
        """One discovery message and a state an output, and its status."""
        configs = [f"homeassistant/switch/mqttio/o{n}/config" for n in range(self.outputs)]
        return [*configs, "mqttio/status", *(state for _, state in self.pairs)]

    def arguments(self) -> list[str]:
        """Write its configuration: JSON is YAML."""
        quiet = {"version": 1, "root": {"level": "WARNING"}, "loggers": {"mqtt_io": {"level": "WARNING"}}}
        config = {
            "mqtt": {
                "host": "127.0.0.1", "port": self.port, "topic_prefix": "mqttio", "client_id": "mqttio",
                "ha_discovery": {"enabled": True},
            },
            "gpio_modules": [{"name": "noop", "module": "noop"}],
            "digital_outputs": [{"name": f"o{n}", "module": "noop", "pin": n} for n in range(self.outputs)],
            "logging": {**quiet, "disable_existing_loggers": False},
        }  # fmt: skip
        path = self.folder / "config.yaml"
        path.write_text(json.dumps(config))
        return [str(path)]


class Discoverable(Peer):
    """ha-mqtt-discoverable: a connection and a thread for each entity, as is its default; states are forced."""

    name = "ha-mqtt-discoverable"
    script = "discoverable.py"

    @property
    def pairs(self) -> list[Pair]:
        """The topics of its switches."""
        roots = [f"hmd/switch/bench/o{n}" for n in range(self.outputs)]
        return [(f"{root}/command", f"{root}/state") for root in roots]

    @property
    def announced(self) -> list[str]:
        """Discovery, availability and state of each switch."""
        roots = [f"hmd/switch/bench/o{n}" for n in range(self.outputs)]
        configs = [f"homeassistant/switch/bench/o{n}/config" for n in range(self.outputs)]
        return [*configs, *(f"{root}/{level}" for root in roots for level in ("availability", "state"))]

    def arguments(self) -> list[str]:
        """Tell it where and how many."""
        return [str(self.port), str(self.outputs)]


class Floor(Candidate):
    """No agent: the driver's own echo. What broker, sockets and driver cost on this machine just now."""

    name = "echo (floor)"

    @property
    def pairs(self) -> list[Pair]:
        """Topics of nobody else."""
        return [(f"echo/o{n}/set", f"echo/o{n}/state") for n in range(self.outputs)]

    @property
    def announced(self) -> list[str]:
        """Nothing: it announces nothing."""
        return []

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self._pid = self.launch()
        return self

    def launch(self) -> int:
        """Start the echo."""
        return self._stack.enter_context(Driver(self.port).echo(self.pairs))

    def end(self) -> None:
        """End the echo."""
        self._stack.close()


#: All, pimqtt first.
CANDIDATES: Sequence[type[Candidate]] = (Pimqtt, MqttIo, Discoverable, Floor)
#: Those with a start, memory and rest of their own.
AGENTS: Sequence[type[Candidate]] = (Pimqtt, MqttIo, Discoverable)
