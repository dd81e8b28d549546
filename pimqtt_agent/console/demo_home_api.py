"""What the demo asks of its Home Assistant: its first user, then integrations by their config flows. REST alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from pimqtt_agent.errors import PimqttError

TIMEOUT_S = 30.0
#: A proxy of the environment must not stand between us and loopback.
_open = build_opener(ProxyHandler({})).open
_FLOWS = "/api/config/config_entries"


class HomeApi:
    """A running Home Assistant; ``onboard`` comes first, once."""

    def __init__(self, url: str) -> None:
        """``url`` without a slash at its end."""
        self.url = url
        self._token = ""

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send JSON and give the JSON answered; raises OSError while nothing answers."""
        data = None if body is None else json.dumps(body).encode()
        return await self._fetch(method, path, data, "application/json")

    async def onboard(self, name: str, user: str, password: str) -> None:
        """Create the first user, and speak as this user from then on."""
        client = f"{self.url}/"
        about = {"name": name, "username": user, "password": password, "language": "en", "client_id": client}
        code = (await self.ask("POST", "/api/onboarding/users", about))["auth_code"]
        form = urlencode({"grant_type": "authorization_code", "code": code, "client_id": client}).encode()
        kind = "application/x-www-form-urlencoded"
        self._token = (await self._fetch("POST", "/auth/token", form, kind))["access_token"]

    async def add(self, domain: str, answers: Mapping[str, object]) -> str:
        """Add an integration, answering its forms by name and else by their defaults; return the entry's id."""
        entry = await self._walk(f"{_FLOWS}/flow", {"handler": domain}, answers)
        return str(entry["result"]["entry_id"])

    async def set_options(self, entry_id: str, answers: Mapping[str, object]) -> None:
        """Set the options of an integration."""
        await self._walk(f"{_FLOWS}/options/flow", {"handler": entry_id}, answers)

    async def _walk(self, path: str, start: dict[str, str], answers: Mapping[str, object]) -> Any:
        step = await self.ask("POST", path, start)
        while step["type"] == "form":
            if step["errors"]:
                raise PimqttError(f"Home Assistant does not take {start['handler']}: {step['errors']}")
            step = await self.ask("POST", f"{path}/{step['flow_id']}", _fill(step["data_schema"] or [], answers))
        if step["type"] != "create_entry":
            raise PimqttError(f"Home Assistant does not take {start['handler']}: {step.get('reason', step)}")
        return step

    async def _fetch(self, method: str, path: str, data: bytes | None, kind: str) -> Any:
        headers = {"Content-Type": kind} if data is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own loopback address
        return json.loads(await asyncio.to_thread(_exchange, request))


def _exchange(request: Request) -> bytes:
    try:
        with _open(request, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        with error:
            reason = error.read().decode(errors="replace")
        raise PimqttError(f"Home Assistant refused {request.full_url}: {error.code} {reason}") from None


def _fill(schema: list[dict[str, Any]], answers: Mapping[str, object]) -> dict[str, object]:
    """Answer the fields of a form, sections included."""
    filled: dict[str, object] = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            filled[name] = _fill(field["schema"], answers)
        elif name in answers:
            filled[name] = answers[name]
        elif "default" in field:
            filled[name] = field["default"]
    return filled
