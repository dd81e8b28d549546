"""A Pi as Home Assistant sees it: the payloads of the agent's own code, and answers as an agent gives them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_mqtt_message

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "homeassistant_component" / "custom_components" / "pimqtt"

CONFIG = """
node: {id: NODE, name: "The red car"}
hardware: {backend: simulated}
system: {allow: [restart]}
devices:
  - {id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}
  - {id: lamp, kind: light, pin: 18}
  - {id: bell, kind: button, pin: 25}
  - {id: fan, kind: motor, forward: 23, backward: 24}
  - {id: arm, kind: servo, pin: 12}
  - {id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}
  - {id: eye, kind: camera, source: synthetic}
"""


@cache
def said_by_agent(node: str) -> dict[str, Any]:
    """Return what an agent of this node publishes; PIMQTT_AGENT_PYTHON is a Python that has its requirements."""
    python = os.environ.get("PIMQTT_AGENT_PYTHON", sys.executable)
    done = subprocess.run(
        [python, Path(__file__).with_name("announce.py")],
        input=CONFIG.replace("NODE", node), capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, f"PIMQTT_AGENT_PYTHON={python} can't run the agent's code:\n{done.stderr}"
    return dict(json.loads(done.stdout))


@dataclass(frozen=True)
class Published:
    """What the component published."""

    topic: str
    payload: Any
    qos: int
    retain: bool


class Pi:
    """A node. ``silent`` answers nothing; ``refuse`` maps an output to what a rejection says."""

    def __init__(self, hass: HomeAssistant, node: str = "car1") -> None:
        self.hass, self.node, self._home = hass, node, f"pimqtt/{node}"
        said = said_by_agent(node)
        self.retained: dict[str, str] = dict(said["retained"])
        self._result, self._answer = said["result"], said["answer"]
        #: what the agent's own code refuses: ``output``, ``command``, and the rejection's ``code`` and ``reason``
        self.refused: list[dict[str, Any]] = said["refused"]
        self.published: list[Published] = []
        #: what is retained is delivered once as such, later changes are live
        self.announced = False
        self.silent = False
        self.refuse: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, Any] = {}
        self.tokens = 0

    @property
    def info(self) -> dict[str, Any]:
        return dict(json.loads(self.retained[f"{self._home}/info"]))

    async def announce(self, **info: Any) -> None:
        """Publish all that is retained, ``info`` laid over the node's own."""
        self.retained[f"{self._home}/info"] = json.dumps({**self.info, **info})
        for topic, payload in self.retained.items():
            async_fire_mqtt_message(self.hass, topic, payload, retain=not self.announced)
        self.announced = True
        await self.hass.async_block_till_done()
        await self.hass.async_block_till_done()

    async def say(self, below: str, payload: Any) -> None:
        """Publish below the node, live: bytes and texts as they are, all else as JSON."""
        raw = payload if isinstance(payload, bytes | str) else json.dumps(payload)
        async_fire_mqtt_message(self.hass, f"pimqtt/{self.node}/{below}", raw)
        await self.hass.async_block_till_done()

    async def result(self, output: str, **fields: Any) -> None:
        """Tell a result."""
        await self.say(f"{output}/result", {**self._result, **fields})

    async def lease(self, output: str, **fields: Any) -> None:
        """Tell a lease; none: at rest."""
        whole = {"owner": "Bob", "value": "ON", "resting": "OFF", "remaining_s": 4.0, "end": None, "id": None}
        await self.say(f"{output}/lease", {**whole, **fields} if fields else {})

    def commands(self, output: str) -> list[Any]:
        """Return what an output was sent."""
        return [one.payload for one in self.published if one.topic == f"pimqtt/{self.node}/{output}/set"]

    def heard(self, topic: str, payload: Any, qos: int = 0, retain: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002
        """Take what the component publishes, and answer it a moment later."""
        text = payload.decode() if isinstance(payload, bytes) else payload or ""
        content = json.loads(text) if text[:1] == "{" else text
        self.published.append(Published(topic, content, qos, retain))
        head = f"pimqtt/{self.node}/"
        if topic.startswith(head) and not self.silent and not retain:
            for below, told in self._reply(topic.removeprefix(head), content):
                raw = told if isinstance(told, str) else json.dumps(told)
                self.hass.loop.call_soon(async_fire_mqtt_message, self.hass, f"{head}{below}", raw)
        elif topic == "pimqtt/stop/set" and not self.silent:
            self.hass.loop.call_soon(async_fire_mqtt_message, self.hass, f"{head}stop/state", content)

    def _reply(self, below: str, content: Any) -> list[tuple[str, Any]]:
        if below == "call":
            return [("call/result", self._called(content))]
        output = below.removesuffix("/set")
        if output.rpartition("/")[2] == "stop" and output not in self.refuse:
            return [(f"{output}/state", content)]
        if not isinstance(content, dict):
            content = {"value": content}
        echo = {key: content.get(key) for key in ("id", "value", "owner")}
        if output in self.refuse and content["value"] != "stop":
            return [(f"{output}/result", {**self._result, **echo, "outcome": "rejected", **self.refuse[output]})]
        done = {"outcome": "accepted", "state": content["value"], "ttl": content.get("ttl"), "token": self._token()}
        return [(f"{output}/result", {**self._result, **echo, **done, "holder": content.get("owner")})]

    def _called(self, call: dict[str, Any]) -> dict[str, Any]:
        answer = {**self._answer, **call}
        if call["action"] == "token":
            return {**answer, "result": {"token": self._token(), "max_age_s": 0.5}}
        if call["action"] in self.calls:
            return {**answer, "result": self.calls[call["action"]]}
        reason = f"there is no action {call['action']!r}"
        return {**answer, "outcome": "rejected", "code": "unknown", "reason": reason}

    def _token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"


def listen(client: MagicMock, *pis: Pi) -> None:
    """Bring what the component publishes to the Pis."""

    async def publish(topic: str, payload: Any, *more: Any, **options: Any) -> None:
        for pi in pis:
            pi.heard(topic, payload, *more, **options)

    client.async_publish.side_effect = publish


async def set_up(hass: HomeAssistant, **options: Any) -> ConfigEntry:
    """Set the component up."""
    data = {"base_topic": "pimqtt"}
    made = MockConfigEntry(domain="pimqtt", data=data, unique_id="pimqtt", options=options)
    made.add_to_hass(hass)
    assert await hass.config_entries.async_setup(made.entry_id)
    await hass.async_block_till_done()
    entry: ConfigEntry = made
    return entry


class Socket:
    """A browser's websocket."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.events: list[dict[str, Any]] = []

    async def ask(self, type_: str, **message: Any) -> dict[str, Any]:
        """Send a command and return its answer; events that come first are kept."""
        await self.client.send_json_auto_id({"type": type_, **message})
        while True:
            answer = await self.client.receive_json(timeout=3)
            if answer["type"] == "result":
                return dict(answer)
            self.events.append(answer)

    async def event(self, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Return the next event that fits; the others before it are left out."""
        while True:
            message = self.events.pop(0) if self.events else await self.client.receive_json(timeout=3)
            if message["type"] == "event" and fits(message["event"]):
                return dict(message["event"])
