"""Node calls: one JSON object or a list of them, done in order, each answer echoing its call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pimqtt_agent import PROTOCOL, __version__
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.commands import MAX_BYTES
from pimqtt_agent.entities import quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.model import Model
from pimqtt_agent.strict_json import MAX_NAME, read_json

Action = Callable[[dict[str, Any]], Awaitable[Any]]
MOST = 100
MAX_TARGET = 2 * MAX_NAME + 1  # device/entity


class Calls:
    """The actions by name; each raises ``CommandError`` or returns what stands under ``result``."""

    def __init__(
        self, model: Model, keeper: Callable[[str], KeeperLink], readings: Callable[[], dict[str, Any]]
    ) -> None:
        """``keeper`` names the link of a device; ``readings`` are the node's own."""
        self._model, self._keeper, self._readings = model, keeper, readings
        self._at_s, self._retained = 0.0, False
        self.actions: dict[str, Action] = {
            "list_actions": self._list,
            "get_version": self._version,
            "get_resource_info": self._resources,
            "token": self._token,
            "heartbeat": self._heartbeat,
            "snapshot": self._snapshot,
            "list_pins": self._pins,
        }

    async def answer(self, payload: bytes, at_s: float, *, retained: bool = False) -> Any:
        """Do what a payload that came at ``at_s`` asks for; return the answer or the list of answers."""
        self._at_s, self._retained = at_s, retained
        try:
            content = _read(payload)
        except CommandError as error:
            return _rejected(error.extra, error)
        if isinstance(content, list):
            return [await self._one(call) for call in content]
        return await self._one(content)

    async def _one(self, call: Any) -> dict[str, Any]:
        if not isinstance(call, dict):
            return _rejected({}, CommandError("invalid", f"{quote(call)} is not an object with an action"))
        try:
            name = _text(call, "action")
            action = self.actions.get(name)
            if action is None:
                known = ", ".join(sorted(self.actions))
                raise CommandError("unknown", f"there is no action {quote(name)}; there are {known}")  # noqa: TRY301
            if self._retained:
                raise CommandError("retained", f"{quote(name)} is never done from a retained message")  # noqa: TRY301
            result = await action(call)
        except CommandError as error:
            return _rejected(call, error)
        return {**_echo(call), "outcome": "accepted", "code": None, "reason": None, "result": result}

    async def _list(self, _call: dict[str, Any]) -> Any:
        return sorted(self.actions)

    async def _version(self, _call: dict[str, Any]) -> Any:
        return {"version": __version__, "protocol": PROTOCOL}

    async def _resources(self, _call: dict[str, Any]) -> Any:
        return self._readings()

    async def _heartbeat(self, call: dict[str, Any]) -> Any:
        owner = _text(call, "owner")
        self._keeper("").tell(wire.Heartbeat(owner, self._at_s))
        return None

    async def _token(self, call: dict[str, Any]) -> Any:
        device, key = self._output(call)
        answer = await self._ask(device, lambda seq: wire.Token(seq, device, key))
        return {"token": answer.token, **(answer.extra or {})}

    async def _snapshot(self, call: dict[str, Any]) -> Any:
        device = _text(call, "device", MAX_TARGET)
        if self._model.thing(device, "snapshot") is None:
            cameras = [name for name, key in self._model.things if key == "snapshot"]
            raise CommandError("unknown", f"there is no camera {quote(device)}; there {_are(cameras)}")
        now = boottime_s()
        await self._ask(device, lambda seq: wire.Press(seq, device, "snapshot", now))
        return None

    async def _pins(self, _call: dict[str, Any]) -> Any:
        answer = await self._ask("", wire.Pins)
        rows = (answer.extra or {}).get("pins", [])
        return {"pins": [dict(zip(wire.PIN, row, strict=True)) for row in rows]}

    def _output(self, call: dict[str, Any]) -> tuple[str, str]:
        device, _, key = _text(call, "device", MAX_TARGET).partition("/")
        if not key and call.get("entity") is not None:
            key = _text(call, "entity")
        thing = self._model.thing(device, key)
        if thing is not None and thing.entity.rules is not None:
            return device, key
        outputs = [thing.name for thing in self._model.outputs()]
        name = f"{device}/{key}" if key else device
        raise CommandError("unknown", f"there is no output {quote(name)}; there {_are(outputs)}")

    async def _ask(self, device: str, make: Callable[[int], wire.Message]) -> wire.Answer:
        answered: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        self._keeper(device).ask(make, lambda answer: None if answered.done() else answered.set_result(answer))
        answer = await answered
        if answer.code:
            raise CommandError(answer.code, answer.reason)
        return answer


def _read(payload: bytes) -> Any:
    if len(payload) > MAX_BYTES:
        raise CommandError("too_large", f"{len(payload)} bytes; calls have at most {MAX_BYTES}")
    content = read_json(payload)
    if isinstance(content, list) and not 0 < len(content) <= MOST:
        raise CommandError("invalid", f"a list of {len(content)} calls; allowed are 1 to {MOST}")
    return content


def _text(call: dict[str, Any], key: str, longest: int = MAX_NAME) -> str:
    if key not in call:
        raise CommandError("invalid", f"key {key!r} is missing")
    text = call[key]
    if not isinstance(text, str) or not 0 < len(text) <= longest:
        raise CommandError("invalid", f"{key} {quote(text)} is not a text of 1 to {longest} characters")
    return text


def _are(names: list[str]) -> str:
    return f"are {', '.join(sorted(names))}" if names else "are none"


def _echo(call: dict[str, Any]) -> dict[str, Any]:
    return {**call, "id": call.get("id"), "action": call.get("action")}


def _rejected(call: dict[str, Any], error: CommandError) -> dict[str, Any]:
    return {**_echo(call), "outcome": "rejected", "code": error.code, "reason": str(error), "result": None}
