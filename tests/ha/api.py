"""What the rig says to Home Assistant: REST by the standard library, websocket by ``websockets``.

Nothing here is bound to an event loop, so one Home Assistant may serve tests that have a loop each.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from websockets.asyncio.client import ClientConnection, connect

#: A state as Home Assistant tells it: entity_id, state, attributes, last_changed, ...
State: TypeAlias = dict[str, Any]
T = TypeVar("T")
_POLL_S = 0.05
_USER = {"name": "Rig", "username": "rig", "password": "rig-rig-rig", "language": "en"}
#: A proxy of the environment must not stand between the tests and their loopback.
_open = build_opener(ProxyHandler({})).open


class ApiError(Exception):
    """Home Assistant refused a request."""


async def until(check: Callable[[], Awaitable[T | None]], timeout_s: float, what: str) -> T:
    """Ask again and again until the answer is true; TimeoutError tells what was missed."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not (found := await check()):
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        await asyncio.sleep(_POLL_S)
    return found


class Api:
    """The two ways into a running Home Assistant; ``onboard`` must come first, once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""

    async def rest(self, method: str, path: str, body: object = None) -> Any:
        """Send JSON to ``path`` and give the JSON answered."""
        data = None if body is None else json.dumps(body).encode()
        return json.loads(await self.fetch(method, path, data, "application/json"))

    async def fetch(self, method: str, path: str, data: bytes | None = None, kind: str = "") -> bytes:
        """Give the raw answer of ``path``."""
        headers = {"Content-Type": kind} if data is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return await asyncio.to_thread(_exchange, Request(self.url + path, data, headers, method=method))

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[ClientConnection]:
        """Give an authenticated websocket."""
        async with connect(self.url.replace("http", "ws", 1) + "/api/websocket", proxy=None, max_size=None) as socket:
            await socket.recv()
            await socket.send(json.dumps({"type": "auth", "access_token": self.token}))
            if (answer := json.loads(await socket.recv()))["type"] != "auth_ok":
                raise ApiError(answer["message"])
            yield socket

    async def ask(self, kind: str, **arguments: object) -> Any:
        """Send one websocket command on a connection of its own and give its result."""
        async with self.socket() as socket:
            await socket.send(json.dumps({"id": 1, "type": kind, **arguments}))
            answer = json.loads(await socket.recv())
        if not answer["success"]:
            raise ApiError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def onboard(self) -> None:
        """Create the owner and keep a token of theirs that outlives restarts."""
        client = self.url + "/"
        code = (await self.rest("POST", "/api/onboarding/users", {**_USER, "client_id": client}))["auth_code"]
        form = urlencode({"grant_type": "authorization_code", "code": code, "client_id": client}).encode()
        answer = await self.fetch("POST", "/auth/token", form, "application/x-www-form-urlencoded")
        self.token = json.loads(answer)["access_token"]
        self.token = await self.ask("auth/long_lived_access_token", client_name="rig", lifespan=30)

    async def states(self) -> dict[str, State]:
        """Give all states by entity id."""
        return {state["entity_id"]: state for state in await self.rest("GET", "/api/states")}

    async def state(self, entity_id: str) -> State | None:
        """Give the state of an entity, or None where there is none."""
        return (await self.states()).get(entity_id)

    async def wait_state(self, entity_id: str, wanted: str | Callable[[State], bool], timeout_s: float = 10) -> State:
        """Wait until a state is ``wanted`` or fulfils it; TimeoutError tells what it was instead."""
        state: State | None = None

        async def fulfilled() -> State | None:
            nonlocal state
            state = await self.state(entity_id)
            if state is None:
                return None
            return state if (wanted(state) if callable(wanted) else state["state"] == wanted) else None

        try:
            return await until(fulfilled, timeout_s, entity_id)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it is {state}") from None

    async def wait_gone(self, entity_id: str, timeout_s: float = 10) -> None:
        """Wait until an entity has no state any more."""

        async def gone() -> bool:
            return await self.state(entity_id) is None

        await until(gone, timeout_s, f"{entity_id} gone")

    async def entity_id(self, unique_id: str, timeout_s: float = 10) -> str:
        """Give the id of the MQTT entity with this unique id, as soon as it is registered."""

        async def registered() -> str | None:
            return (await self.entities()).get(unique_id, {}).get("entity_id")

        return await until(registered, timeout_s, f"unique id {unique_id}")

    async def entities(self, platform: str = "mqtt") -> dict[str, dict[str, Any]]:
        """Give the entity registry's entries of a platform, by unique id."""
        entries = await self.ask("config/entity_registry/list")
        return {entry["unique_id"]: entry for entry in entries if entry["platform"] == platform}

    async def devices(self) -> list[dict[str, Any]]:
        """Give the device registry."""
        return list(await self.ask("config/device_registry/list"))

    async def call(self, domain: str, service: str, data: dict[str, Any]) -> None:
        """Do an action and wait for its end; ApiError where it failed."""
        await self.rest("POST", f"/api/services/{domain}/{service}", data)

    async def camera_image(self, entity_id: str) -> bytes:
        """Give what the camera shows."""
        return await self.fetch("GET", f"/api/camera_proxy/{entity_id}")

    async def entry(self, domain: str) -> Any:
        """Give the configuration entry of an integration, or None."""
        entries = await self.rest("GET", f"/api/config/config_entries/entry?domain={domain}")
        return entries[0] if entries else None

    async def add_integration(self, domain: str, answers: Mapping[str, object]) -> Any:
        """Walk through a config flow, answering its forms by name and else by their defaults; give the entry."""
        step = await self.rest("POST", "/api/config/config_entries/flow", {"handler": domain})
        while step["type"] == "form":
            if step["errors"]:
                raise ApiError(f"config flow of {domain}: {step['errors']}")
            filled = _fill(step["data_schema"] or [], answers)
            step = await self.rest("POST", f"/api/config/config_entries/flow/{step['flow_id']}", filled)
        if step["type"] != "create_entry":
            raise ApiError(f"config flow of {domain}: {step}")
        return step["result"]


def _exchange(request: Request) -> bytes:
    try:
        with _open(request, timeout=30) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        with error:
            reason = error.read().decode(errors="replace")
        raise ApiError(f"{request.full_url}: {HTTPStatus(error.code).phrase}: {reason}") from None


def _fill(schema: list[dict[str, Any]], answers: Mapping[str, object]) -> dict[str, object]:
    """Answer the fields of a form, sections included."""
    filled: dict[str, object] = {}
    for field in schema:
        if field.get("type") == "expandable":
            filled[field["name"]] = _fill(field["schema"], answers)
        elif field["name"] in answers:
            filled[field["name"]] = answers[field["name"]]
        elif "default" in field:
            filled[field["name"]] = field["default"]
    return filled
