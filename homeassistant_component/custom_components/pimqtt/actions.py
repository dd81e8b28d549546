"""The actions of automations and scripts. What an agent refuses fails the action, unless its response is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import service

from . import entities, operations
from .answers import ACCEPTED
from .const import DOMAIN
from .driving_action import drive_for
from .errors import INVALID, NOT_FOUND, UNAUTHORIZED, RefusedError
from .runtime import Runtime, required
from .topics import STOP, SYSTEM, Place

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

_OWNER: Final = vol.All(cv.string, vol.Length(min=1, max=64))
_PRIORITY: Final = vol.All(vol.Coerce(int), vol.Range(min=0, max=9))
_SECONDS: Final = vol.All(vol.Coerce(float), vol.Range(min=0.05, max=31_536_000))
_AXIS: Final = vol.All(vol.Coerce(float), vol.Range(min=-1, max=1))
_WHO: Final = {vol.Optional("owner"): _OWNER, vol.Optional("priority"): _PRIORITY}
_ID: Final = vol.All(cv.string, vol.Length(min=1, max=64))

_COMMAND = cv.make_entity_service_schema({vol.Required("value"): object, vol.Optional("ttl"): _SECONDS, **_WHO})
_DRIVE = cv.make_entity_service_schema(
    {
        vol.Optional("x", default=0.0): _AXIS,
        vol.Optional("y", default=0.0): _AXIS,
        vol.Optional("speed"): vol.All(vol.Coerce(float), vol.Range(min=-100, max=100)),
        vol.Optional("duration", default=0.0): vol.All(vol.Coerce(float), vol.Range(min=0, max=60)),
        **_WHO,
    }
)
_LATCH = vol.Schema({vol.Optional("everything", default=False): cv.boolean, **cv.ENTITY_SERVICE_FIELDS})
_SNAPSHOT = cv.make_entity_service_schema({})
_CALL = vol.Schema(
    {vol.Required("node"): _ID, vol.Required("action"): _ID, vol.Optional("arguments", default=dict): {str: object}}
)

Handler = Callable[[Runtime, User | None, ServiceCall], Awaitable[dict[str, Any]]]


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every action."""
    table: dict[str, tuple[Handler, Any]] = {
        "command": (_command, _COMMAND),
        "drive": (_drive, _DRIVE),
        "stop": (_stop, _LATCH),
        "reset": (_reset, _LATCH),
        "snapshot": (_snapshot, _SNAPSHOT),
        "call": (_call, _CALL),
    }
    for name, (handler, schema) in table.items():
        hass.services.async_register(
            DOMAIN, name, _answering(hass, handler), schema=schema, supports_response=SupportsResponse.OPTIONAL
        )


def _answering(hass: HomeAssistant, handler: Handler) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    async def answer(call: ServiceCall) -> ServiceResponse:
        user = await _user(hass, call)
        try:
            response = await handler(required(hass), user, call)
        except RefusedError as error:
            if error.code == UNAUTHORIZED:
                raise Unauthorized(context=call.context, permission="control") from error
            raise
        if not call.return_response:
            _insist(response)
        return response

    return answer


async def _user(hass: HomeAssistant, call: ServiceCall) -> User | None:
    """Return who calls; None for automations and the system."""
    if call.context.user_id is None:
        return None
    user = await hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user


async def _targets(
    runtime: Runtime, user: User | None, call: ServiceCall, fits: Callable[[Place], bool]
) -> dict[str, Place]:
    """Return the entities that are meant: of a device or an area those that fit, one named itself must."""
    extracted = await service.async_extract_entity_ids(call)
    named = call.data.get("entity_id")
    explicit = set(named) & extracted if isinstance(named, list) else set()
    found: dict[str, Place] = {}
    for entity_id in sorted(extracted):
        if entity_id not in explicit and not entities.is_ours(call.hass, entity_id):
            continue
        place = operations.place_of(call.hass, runtime, user, entity_id)
        if fits(place):
            found[entity_id] = place
        elif entity_id in explicit:
            raise RefusedError(INVALID, "does_not_fit", entity=entity_id, action=f"{DOMAIN}.{call.service}")
    if not found:
        raise RefusedError(NOT_FOUND, "nothing_to_do", action=f"{DOMAIN}.{call.service}")
    return found


async def _command(runtime: Runtime, user: User | None, call: ServiceCall) -> dict[str, Any]:
    def takes(place: Place) -> bool:
        entity = runtime.fleet.nodes[place.node].entity(place)
        return entity is not None and entity.motion is not None

    explicit = set(call.data.get("entity_id") or ()) if isinstance(call.data.get("entity_id"), list) else set()
    targets = await _targets(runtime, user, call, lambda place: True if explicit else takes(place))
    value = call.data["value"]
    if isinstance(value, bool):  # YAML's on and off
        value = "ON" if value else "OFF"
    given = {key: call.data.get(key) for key in ("ttl", "owner", "priority")}
    answers = {}
    for entity_id, place in targets.items():
        answers[entity_id] = (await operations.command(runtime, user, place, value, **given)).as_dict()
    return answers


async def _drive(runtime: Runtime, user: User | None, call: ServiceCall) -> dict[str, Any]:
    def drives(place: Place) -> bool:
        entity = runtime.fleet.nodes[place.node].entity(place)
        return entity is not None and entity.motion == "continuous"

    targets = await _targets(runtime, user, call, drives)
    if len(targets) > 1:
        raise RefusedError(INVALID, "one_at_a_time", entities=", ".join(targets))
    ((entity_id, place),) = targets.items()
    data = call.data
    value = data["speed"] if "speed" in data else {"x": data["x"], "y": data["y"]}
    answer = await drive_for(
        runtime, place, value, owner=data.get("owner") or operations.owner_of(user), duration_s=data["duration"],
        priority=data.get("priority"),
    )  # fmt: skip
    return {entity_id: answer.as_dict()}


async def _stop(runtime: Runtime, user: User | None, call: ServiceCall) -> dict[str, Any]:
    return await _latch(runtime, user, call, on=True)


async def _reset(runtime: Runtime, user: User | None, call: ServiceCall) -> dict[str, Any]:
    if not call.data["everything"] and not _has_target(call):
        raise RefusedError(INVALID, "reset_what")
    return await _latch(runtime, user, call, on=False)


async def _latch(runtime: Runtime, user: User | None, call: ServiceCall, *, on: bool) -> dict[str, Any]:
    """Stop or reset what the target names; a stop without a target is one of everything."""
    if call.data["everything"] or not _has_target(call):
        return {"answers": await operations.latch(call.hass, runtime, user, on=on)}
    extracted = await service.async_extract_entity_ids(call)
    named = call.data.get("entity_id")
    explicit = set(named) & extracted if isinstance(named, list) else set()
    places = []
    for entity_id in sorted(extracted):
        if entity_id in explicit or entities.is_ours(call.hass, entity_id):
            place = entities.locate(call.hass, runtime.fleet, entity_id)
            places.append(Place(place.node, "" if place.device == SYSTEM else place.device))
    if not places:
        raise RefusedError(NOT_FOUND, "nothing_to_do", action=f"{DOMAIN}.{call.service}")
    return {"answers": await operations.latch_places(call.hass, runtime, user, list(dict.fromkeys(places)), on=on)}


async def _snapshot(runtime: Runtime, user: User | None, call: ServiceCall) -> dict[str, Any]:
    def camera(place: Place) -> bool:
        entity = runtime.fleet.nodes[place.node].entity(place)
        return entity is not None and entity.platform == "camera"

    targets = await _targets(runtime, user, call, camera)
    return {one: (await operations.snapshot(runtime, user, place)).as_dict() for one, place in targets.items()}


async def _call(runtime: Runtime, user: User | None, call: ServiceCall) -> dict[str, Any]:
    data = call.data
    return await operations.call(call.hass, runtime, user, data["node"], data["action"], data["arguments"])


def _has_target(call: ServiceCall) -> bool:
    return any(call.data.get(str(key)) for key in cv.ENTITY_SERVICE_FIELDS)


def _insist(response: dict[str, Any]) -> None:
    """Raise the first answer that was not accepted."""
    answers = response.get("answers", [response] if "outcome" in response else response)
    items = answers.items() if isinstance(answers, dict) else ((_named(one), one) for one in answers)
    for what, answer in items:
        if answer["outcome"] != ACCEPTED:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="not_done",
                translation_placeholders={
                    "what": what,
                    "outcome": str(answer["outcome"]),
                    "code": str(answer["code"] or "-"),
                    "reason": str(answer["reason"] or "-"),
                },
            )


def _named(answer: dict[str, Any]) -> str:
    return "/".join(str(answer[key]) for key in ("node", "device", "action") if answer.get(key)) or STOP
