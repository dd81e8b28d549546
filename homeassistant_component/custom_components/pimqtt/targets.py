"""What an action is used with: who asks, and the places that its target means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import UnknownUser
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import service

from . import entities, operations
from .answers import of_place, refusing
from .const import DOMAIN
from .errors import INVALID, NOT_FOUND, RefusedError
from .model import Entity
from .runtime import Runtime
from .topics import SYSTEM, Place


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that somebody calls; ``user`` is None for automations and the system."""

    runtime: Runtime
    user: User | None
    call: ServiceCall

    @property
    def hass(self) -> HomeAssistant:
        """Return the Home Assistant in which it is called."""
        return self.call.hass

    @property
    def name(self) -> str:
        """Return the action as people write it."""
        return f"{DOMAIN}.{self.call.service}"

    @property
    def has_target(self) -> bool:
        """Whether anything is named."""
        return any(self.call.data.get(str(key)) for key in cv.ENTITY_SERVICE_FIELDS)


async def user_of(hass: HomeAssistant, call: ServiceCall) -> User | None:
    """Return who calls; None for automations and the system."""
    if call.context.user_id is None:
        return None
    user = await hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user


async def places(asked: Asked, fits: Callable[[Entity | None], bool], *, or_named: bool = False) -> dict[str, Place]:
    """Return the entities that are meant: of a device or an area those that fit; one named itself must fit.

    With ``or_named`` what is named itself is taken as it is.
    """
    named, others = await _extracted(asked)
    found = {one: operations.place_of(asked.hass, asked.runtime, asked.user, one) for one in named}
    for one, place in found.items():
        if not or_named and not fits(asked.runtime.fleet.nodes[place.node].entity(place)):
            raise RefusedError(INVALID, "does_not_fit", entity=one, action=asked.name)
    for one in others:
        if fits(_entity(asked, one)):
            found[one] = operations.place_of(asked.hass, asked.runtime, asked.user, one)
    if not found:
        raise RefusedError(NOT_FOUND, "nothing_to_do", action=asked.name)
    return found


async def to_reset(asked: Asked) -> list[Place]:
    """Return the devices and nodes that are meant. Raises ``RefusedError`` where one can't be told."""
    named, others = await _extracted(asked)
    found = [_latched_at(entities.locate(asked.hass, asked.runtime.fleet, one)) for one in (*named, *others)]
    if not found:
        raise RefusedError(NOT_FOUND, "nothing_to_do", action=asked.name)
    return list(dict.fromkeys(found))


async def to_stop(asked: Asked) -> tuple[list[Place], list[tuple[str, RefusedError]]]:
    """Return the devices and nodes that are meant, and what can't be told.

    Of two boards with one identity, both are meant.
    """
    named, others = await _extracted(asked)
    found: list[Place] = []
    unknown: list[tuple[str, RefusedError]] = []
    for one in (*named, *others):
        try:
            found += map(_latched_at, entities.locate_all(asked.hass, asked.runtime.fleet, one))
        except RefusedError as error:
            unknown.append((one, error))
    if not found and not unknown:
        raise RefusedError(NOT_FOUND, "nothing_to_do", action=asked.name)
    return list(dict.fromkeys(found)), unknown


def lost(entity_id: str, error: RefusedError) -> dict[str, Any]:
    """Return the answer of an entity whose place nobody knows."""
    return {**of_place(Place(""), refusing(error)), "node": None, "entity_id": entity_id}


async def _extracted(asked: Asked) -> tuple[list[str], list[str]]:
    """Return the entities that are named themselves, and ours of the devices, areas and labels that are."""
    extracted = sorted(await service.async_extract_entity_ids(asked.call))
    given = asked.call.data.get("entity_id")
    named = [one for one in extracted if isinstance(given, list) and one in given]
    return named, [one for one in extracted if one not in named and entities.is_ours(asked.hass, one)]


def _entity(asked: Asked, entity_id: str) -> Entity | None:
    """Return an entity as its node has it; None where no node does, as of one that was removed."""
    fleet = asked.runtime.fleet
    try:
        place = entities.locate_all(asked.hass, fleet, entity_id)[0]
    except RefusedError:
        return None
    return fleet.nodes[place.node].entity(place)


def _latched_at(place: Place) -> Place:
    return Place(place.node, "" if place.device == SYSTEM else place.device)
