"""The actions of automations and scripts. What an agent refuses fails the action, unless its response is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv

from . import insisting, operations, targets
from .answers import Answer
from .const import DOMAIN
from .driving_action import drive_for
from .errors import INVALID, UNAUTHORIZED, RefusedError
from .model import Entity
from .publishing import encoded
from .runtime import required
from .schemas import AXIS, ID, SECONDS, WHO
from .targets import Asked
from .topics import Place

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

_COMMAND = cv.make_entity_service_schema({vol.Required("value"): object, vol.Optional("ttl"): SECONDS, **WHO})
_DRIVE = cv.make_entity_service_schema(
    {
        vol.Optional("x", default=0.0): AXIS,
        vol.Optional("y", default=0.0): AXIS,
        vol.Optional("speed"): vol.All(vol.Coerce(float), vol.Range(min=-100, max=100)),
        vol.Optional("duration", default=0.0): vol.All(vol.Coerce(float), vol.Range(min=0, max=60)),
        **WHO,
    }
)
_LATCH = vol.Schema({vol.Optional("everything", default=False): cv.boolean, **cv.ENTITY_SERVICE_FIELDS})
_SNAPSHOT = cv.make_entity_service_schema({})
_CALL = vol.Schema(
    {vol.Required("node"): ID, vol.Required("action"): ID, vol.Optional("arguments", default=dict): {str: object}}
)

Response = dict[str, Any]
Handler = Callable[[Asked], Awaitable[Response]]
Insist = Callable[[Response], None]


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every action."""
    table: Final[dict[str, tuple[Handler, Any, Insist]]] = {
        "command": (_command, _COMMAND, insisting.on_all),
        "drive": (_drive, _DRIVE, insisting.on_all),
        "stop": (_stop, _LATCH, insisting.on_any),
        "reset": (_reset, _LATCH, insisting.on_all),
        "snapshot": (_snapshot, _SNAPSHOT, insisting.on_all),
        "call": (_call, _CALL, insisting.on_all),
    }
    for name, (handler, schema, insist) in table.items():
        answer = _answering(hass, handler, insist)
        hass.services.async_register(DOMAIN, name, answer, schema=schema, supports_response=SupportsResponse.OPTIONAL)


def _answering(
    hass: HomeAssistant, handler: Handler, insist: Insist
) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    async def answer(call: ServiceCall) -> ServiceResponse:
        user = await targets.user_of(hass, call)
        try:
            response = await handler(Asked(required(hass), user, call))
        except RefusedError as error:
            if error.code == UNAUTHORIZED:
                raise Unauthorized(context=call.context, permission="control") from error
            raise
        if not call.return_response:
            insist(response)
        return response

    return answer


async def _command(asked: Asked) -> Response:
    data = asked.call.data
    value = data["value"]
    if isinstance(value, bool):  # YAML's on and off
        value = "ON" if value else "OFF"
    encoded(value)  # what can't be sent is sent to none
    given = {key: data.get(key) for key in ("ttl", "owner", "priority")}

    # what is named itself may also be a button, or an emergency stop
    places = await targets.places(asked, _takes_values, or_named=True)

    async def send(place: Place) -> Answer:
        return await operations.command(asked.hass, asked.runtime, asked.user, place, value, **given)

    return await _each(places, send)


async def _drive(asked: Asked) -> Response:
    found = await targets.places(asked, _is_driven)
    if len(found) > 1:
        raise RefusedError(INVALID, "one_at_a_time", entities=", ".join(found))
    ((entity_id, place),) = found.items()
    data = asked.call.data
    value = data["speed"] if "speed" in data else {"x": data["x"], "y": data["y"]}
    owner = await operations.owner_for(asked.hass, asked.user, data.get("owner"))
    answer = await drive_for(
        asked.runtime, place, value, owner=owner, duration_s=data["duration"], priority=data.get("priority")
    )
    return {entity_id: answer.as_dict()}


async def _stop(asked: Asked) -> Response:
    """Stop what the target names; without a target, everything."""
    if asked.call.data["everything"] or not asked.has_target:
        return {"answers": await operations.latch(asked.hass, asked.runtime, asked.user, on=True)}
    places, unknown = await targets.to_stop(asked)
    if not places:
        raise unknown[0][1]
    answers = await operations.latch_places(asked.hass, asked.runtime, asked.user, places, on=True)
    return {"answers": answers + [targets.lost(*one) for one in unknown]}


async def _reset(asked: Asked) -> Response:
    """Reset what the target names, all of it or nothing."""
    if asked.call.data["everything"]:
        return {"answers": await operations.latch(asked.hass, asked.runtime, asked.user, on=False)}
    if not asked.has_target:
        raise RefusedError(INVALID, "reset_what")
    places = await targets.to_reset(asked)
    return {"answers": await operations.latch_places(asked.hass, asked.runtime, asked.user, places, on=False)}


async def _snapshot(asked: Asked) -> Response:
    async def send(place: Place) -> Answer:
        return await operations.snapshot(asked.runtime, asked.user, place)

    return await _each(await targets.places(asked, _is_camera), send)


async def _call(asked: Asked) -> Response:
    data = asked.call.data
    return await operations.call(asked.hass, asked.runtime, asked.user, data["node"], data["action"], data["arguments"])


async def _each(places: Mapping[str, Place], send: Callable[[Place], Awaitable[Answer]]) -> Response:
    """Send to all before anybody's answer is waited for."""
    answers = await asyncio.gather(*map(send, places.values()))
    return {entity_id: answer.as_dict() for entity_id, answer in zip(places, answers, strict=True)}


def _takes_values(entity: Entity | None) -> bool:
    return entity is not None and entity.motion is not None


def _is_driven(entity: Entity | None) -> bool:
    return entity is not None and entity.motion == "continuous"


def _is_camera(entity: Entity | None) -> bool:
    return entity is not None and entity.platform == "camera"
