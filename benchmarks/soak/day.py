"""What happens in a house's day, compressed 72 times, and the clients that do it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt

from tests.rig import Mosquitto, Node, config

#: A day in 20 minutes.
FACTOR = 72
DAY_S = 86_400 / FACTOR
#: How often each thing happens in a day; the rare ones at least three times in a shorter run.
PER_DAY = {
    "level commands": 43_200,
    "leases": 28_800,
    "renewals of a drive (2 h at 10 Hz)": 72_000,
    "mistakes": 8_640,
    "calls": 2_880,
    "clients that come and go": 1_440,
    "stills": 1_440,
    "births of Home Assistant": 24,
    "emergency stops with their resets": 24,
    "restarts of the broker": 6,
    "reloads of the troubled node": 24,
    "kills of the troubled node's agent": 6,
    "kills of the troubled node's pin keeper": 6,
}
#: The broker's restarts are part of the day.
_QUIET = logging.getLogger(__name__)
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
LAMP = "{id: lamp, kind: switch, pin: 27, initial: last}"
PUMP = "{id: pump, kind: switch, pin: 17, ttl: {default: 1, max: 60}, on_disconnect: {after: 2, value: off}}"
CAR = "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}"
EYE = "{id: eye, kind: camera, source: synthetic}"
MISTAKES = ("1junk", "NaN", '{"value": 1e999}', '{"value": "ON", "ttl": -1}', "", "x" * 5000, '{"tll": 1}', "[" * 500)


@dataclass
class House:
    """The broker and its two nodes; ``troubled`` is reloaded and killed, ``calm`` runs through."""

    broker: Mosquitto
    calm: Node
    troubled: Node
    done: Counter[str] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _client: aiomqtt.Client | None = None

    async def live(self, seconds: float) -> None:
        """Go through so much of the day."""
        ways: dict[str, Callable[[], Awaitable[None]]] = {
            "level commands": self._level, "leases": self._lease, "mistakes": self._mistake, "calls": self._call,
            "renewals of a drive (2 h at 10 Hz)": self._drive, "clients that come and go": self._visit,
            "stills": lambda: self._send("eye/snapshot/set", "PRESS"), "births of Home Assistant": self._birth,
            "emergency stops with their resets": self._stop, "restarts of the broker": self._restart,
            "reloads of the troubled node": self._reload,
            "kills of the troubled node's agent": lambda: self._kill("agent"),
            "kills of the troubled node's pin keeper": lambda: self._kill("keeper pins"),
        }  # fmt: skip
        async with asyncio.TaskGroup() as group:
            connection = group.create_task(self._stay_connected())
            phases = {name: number / len(ways) for number, name in enumerate(ways)}
            acts = [group.create_task(self._often(name, act, seconds, phases[name])) for name, act in ways.items()]
            await asyncio.wait(acts)
            connection.cancel()

    async def _often(self, name: str, act: Callable[[], Awaitable[None]], seconds: float, phase: float) -> None:
        """Do it in even intervals; by its phase nothing rare falls into one moment with something else."""
        period_s = min(DAY_S / PER_DAY[name], seconds / 3)
        started_s = time.monotonic()
        for number in itertools.count():
            due_s = (number + phase) * period_s
            if due_s >= seconds:
                return
            await asyncio.sleep(max(0.0, started_s + due_s - time.monotonic()))
            with contextlib.suppress(aiomqtt.MqttError):  # the broker is being restarted: that is part of the day
                await act()
                self.done[name] += 1

    async def _stay_connected(self) -> None:
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", self.broker.port, logger=_QUIET) as self._client:
                    await self._client.subscribe("pimqtt/+/+/result")
                    async for _ in self._client.messages:
                        """As somebody who looks at everything would."""
            await asyncio.sleep(0.1)

    async def _send(self, topic: str, payload: object, qos: int = 0) -> None:
        if self._client is None:
            raise aiomqtt.MqttError("not connected yet")
        text = payload if isinstance(payload, str) else json.dumps(payload)
        for node in (self.calm, self.troubled):
            await self._client.publish(f"pimqtt/{node.name}/{topic}", text, qos=qos, timeout=1)

    async def _level(self) -> None:
        await self._send("lamp/set", "ON" if next(self._numbers) % 2 else "OFF")

    async def _lease(self) -> None:
        number = next(self._numbers)
        command = {"value": "ON", "ttl": 0.1 + number % 9 / 10, "id": str(number), "owner": f"owner{number % 50}"}
        await self._send("pump/set", command, qos=int(number % 20 == 0))

    async def _drive(self) -> None:
        number = next(self._numbers)
        await self._send("car/set", {"value": {"x": 0, "y": number % 100 / 100}, "owner": "driver"})

    async def _mistake(self) -> None:
        number = next(self._numbers)
        await self._send(f"{('lamp', 'car', f'nobody{number % 500}')[number % 3]}/set", MISTAKES[number % 8])

    async def _call(self) -> None:
        action = ("get_resource_info", "token", "heartbeat", "list_pins", "nonsense")[next(self._numbers) % 5]
        await self._send("call", {"action": action, "device": "car", "owner": "driver"})

    async def _birth(self) -> None:
        if self._client:
            await self._client.publish("homeassistant/status", "online", timeout=1)

    async def _stop(self) -> None:
        await self._send("stop/set", "ON")
        await asyncio.sleep(0.2)
        await self._send("stop/set", "OFF")

    async def _visit(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self.broker.port, logger=_QUIET) as visitor:
            await visitor.subscribe("pimqtt/#")
            await visitor.publish(f"pimqtt/{self.calm.name}/lamp/set", '{"value": "ON", "id": "visit"}', qos=1)

    async def _restart(self) -> None:
        await asyncio.to_thread(self.broker.stop)
        await asyncio.to_thread(self.broker.start)

    async def _reload(self) -> None:
        """With another device every other time."""
        extra = (f"{{id: extra, kind: switch, pin: {number}}}" for number in [9] * (next(self._numbers) % 2))
        self.troubled.config.write_text(configuration(self.broker.port, "car2", *extra))
        if self.troubled.process:
            self.troubled.process.send_signal(1)

    async def _kill(self, role: str) -> None:
        if self.troubled.pid(role):
            await asyncio.to_thread(self.troubled.signal, role, 9)


def configuration(port: int, name: str, *extra: str) -> str:
    """Write a node's configuration, without a trace: it would grow, as it is meant to."""
    text = config(port, LAMP, PUMP, CAR, EYE, *extra)
    return text.replace("node: car1", f"node: {name}").replace(", trace: trace.jsonl", "")


def house(folder: Path, broker: Mosquitto) -> House:
    """Prepare both nodes."""
    calm, troubled = (Node(folder / name, configuration(broker.port, name), name=name) for name in ("car1", "car2"))
    return House(broker, calm, troubled)
