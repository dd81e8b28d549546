"""Actions as somebody calls them."""

from __future__ import annotations

from typing import Any

from homeassistant.auth.permissions import PolicyPermissions
from homeassistant.core import Context, HomeAssistant


async def act(hass: HomeAssistant, action: str, context: Context | None = None, /, **data: Any) -> Any:
    return await hass.services.async_call("pimqtt", action, data, blocking=True, return_response=True, context=context)


async def somebody(hass: HomeAssistant, *control: str) -> Context:
    user = await hass.auth.async_create_user("Anna", group_ids=[])
    rights = {"entities": {"entity_ids": {one: {"read": True, "control": True} for one in control}}}
    user.__dict__["permissions"] = PolicyPermissions(rights, None)  # type: ignore[arg-type]
    return Context(user_id=user.id)
