"""What people and automations may ask for, with their rights checked: websocket commands and actions are thin above it.

``user`` is None for automations. Raises ``RefusedError`` before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant

from . import entities, rights
from .answers import Answer, of_place, refusing, unable_to
from .const import LONGEST_OWNER, OWNER
from .errors import INVALID, NOT_FOUND, UNAUTHORIZED, RefusedError
from .nodes import Node
from .runtime import Runtime
from .strict_json import number
from .topics import ID, STOP, Place


def owner_of(user: User | None) -> str:
    """Return whom commands name as their owner: the user as Home Assistant shows it."""
    return (user.name if user and user.name else "").strip()[:LONGEST_OWNER] or OWNER


def place_of(hass: HomeAssistant, runtime: Runtime, user: User | None, entity: str) -> Place:
    """Return the place of an entity that the user may control, given by its entity id or its unique id."""
    by_entity_id = not entity.startswith("pimqtt.")
    if by_entity_id:
        rights.check(user, entity)
    place = entities.locate(hass, runtime.fleet, entity)
    if not by_entity_id:
        rights.check_place(hass, runtime.fleet, user, place)
    return place


async def owner_for(hass: HomeAssistant, user: User | None, owner: str | None) -> str:
    """Return whom a command names as its owner. Raises ``RefusedError`` for who would renew another's lease as that."""
    if owner is None or user is None or user.is_admin:
        return owner or owner_of(user)
    others = [one.name for one in await hass.auth.async_get_users() if one.id != user.id]
    if any(_goes_by(owner, name) for name in (*others, OWNER) if name and name != user.name):
        raise RefusedError(INVALID, "owner_of_another", owner=owner)
    return owner


async def command(
    hass: HomeAssistant,
    runtime: Runtime,
    user: User | None,
    place: Place,
    value: Any,
    *,
    ttl: float | None,
    owner: str | None,
    priority: int | None,
) -> Answer:
    """Command an entity; an emergency stop's switch is latched."""
    if place.key == STOP and value in ("ON", "OFF"):
        latched, on = Place(place.node, place.device), value == "ON"
        (told,) = (not on and _unable(runtime, [latched])) or await runtime.latches.send([latched], on=on)
        return Answer(**{key: told[key] for key in Answer.__slots__})
    named = await owner_for(hass, user, owner)
    return await runtime.commands.send(place, value, owner=named, ttl=ttl, priority=priority)


async def snapshot(runtime: Runtime, user: User | None, place: Place) -> Answer:
    """Take a picture with the camera that an entity belongs to."""
    node = known(runtime, place.node)
    button = Place(place.node, place.device, "snapshot")
    if node.entity(button) is None:
        raise RefusedError(NOT_FOUND, "not_a_camera", what=place.name)
    return await runtime.commands.send(button, "PRESS", owner=owner_of(user))


async def latch(
    hass: HomeAssistant,
    runtime: Runtime,
    user: User | None,
    *,
    on: bool,
    node: str | None = None,
    device: str | None = None,
) -> list[dict[str, Any]]:
    """Stop or reset a device, a node, or everything that the user may stop."""
    if node is not None:
        return await latch_places(hass, runtime, user, [Place(node, device or "")], on=on)
    allowed = rights.may_stop if on else rights.may_reset
    nodes = [one for one in runtime.fleet.nodes.values() if one.shown and allowed(hass, user, one)]
    everything = rights.may_all(user, rights.POLICY_CONTROL)
    if not nodes and not everything:
        raise RefusedError(UNAUTHORIZED, "unauthorized", what="pimqtt")
    return await runtime.latches.send([Place(one.id) for one in nodes], on=on, everything=everything)


async def latch_places(
    hass: HomeAssistant, runtime: Runtime, user: User | None, places: list[Place], *, on: bool
) -> list[dict[str, Any]]:
    """Stop or reset nodes and devices.

    A stop reaches whatever can be reached, and what can't is an answer; it raises only where that is all. A reset is
    strict: one place that it may not reset, or that can't be, and nothing is reset.
    """
    allowed: list[Place] = []
    refused: list[tuple[Place, RefusedError]] = []
    for place in places:
        try:
            rights.check_latch(hass, user, _with_latch(runtime, place), place, on=on)
            allowed.append(place)
        except RefusedError as error:
            refused.append((place, error))
    if refused and (not on or not allowed):
        raise refused[0][1]
    if not on and (unable := _unable(runtime, allowed)):
        return unable
    answers = await runtime.latches.send(allowed, on=on)
    return answers + [of_place(place, refusing(error)) for place, error in refused]


async def call(
    hass: HomeAssistant, runtime: Runtime, user: User | None, node: str, action: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Make a node call."""
    rights.check_call(hass, user, known(runtime, node), action)
    if isinstance(owner := arguments.get("owner"), str):
        await owner_for(hass, user, owner)
    return await runtime.commands.call(node, action, arguments)


async def pins(hass: HomeAssistant, runtime: Runtime, user: User | None, node: str) -> dict[str, Any]:
    """Return the lines of a node that are in use, with their levels, and its model."""
    answer = await call(hass, runtime, user, node, "list_pins", {})
    result = answer["result"] if isinstance(answer["result"], dict) else {}
    listed = result.get("pins")
    if not isinstance(listed, list):
        reason = answer["reason"] or "it answered something else"
        raise RefusedError(NOT_FOUND, "no_pins", node=node, reason=str(reason))
    info = known(runtime, node).info
    return {"pins": [pin for one in listed if (pin := _pin(one))], "model": info.model if info else None}


def known(runtime: Runtime, node: str) -> Node:
    """Find a node."""
    found = runtime.fleet.nodes.get(node)
    if found is None:
        raise RefusedError(NOT_FOUND, "no_such_node", node=node[:64])
    return found


def _with_latch(runtime: Runtime, place: Place) -> Node:
    """Return the node of a place whose topic can be published to: a device's name is whatever a user wrote."""
    if place.device and not ID.fullmatch(place.device):
        raise RefusedError(NOT_FOUND, "no_such_output", output=place.name)
    return known(runtime, place.node)


def _unable(runtime: Runtime, places: list[Place]) -> list[dict[str, Any]]:
    """Return the answers of those places that are only stopped: an offline node, one of another protocol."""
    nodes = ((place, known(runtime, place.node)) for place in places)
    return [of_place(place, unable) for place, node in nodes if (unable := unable_to(node, ""))]


def _goes_by(owner: str, name: str) -> bool:
    """Tell whether somebody is called so; a user's further driving sessions have a number behind the name."""
    return owner == name or (owner.startswith(f"{name} ") and owner.removeprefix(f"{name} ").isdecimal())


def _pin(raw: Any) -> dict[str, Any] | None:
    line = raw.get("line") if isinstance(raw, dict) else None
    if not isinstance(line, int | str) or isinstance(line, bool):
        return None
    texts = {key: raw[key] if isinstance(raw.get(key), str) else None for key in ("device", "role", "mode")}
    return {"line": line, **texts, "level": number(raw.get("level"))}
