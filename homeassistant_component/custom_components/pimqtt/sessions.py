"""Who drives: the sessions of all browsers, each under an owner of its own."""

from __future__ import annotations

import secrets
from itertools import count

from homeassistant.core import HomeAssistant, callback

from .commanding import Commands
from .const import LONGEST_OWNER, OWNER
from .driving import Session, Tell
from .errors import INVALID, NOT_FOUND, RefusedError
from .fleet import Fleet
from .topics import Place

#: Some characters of a name are left to tell sessions of one user apart.
_LONGEST = LONGEST_OWNER - 6


class Sessions:
    """One per entry."""

    def __init__(self, hass: HomeAssistant, fleet: Fleet, commands: Commands) -> None:
        """Nobody drives yet."""
        self._hass, self._fleet, self._commands = hass, fleet, commands
        self._sessions: dict[str, Session] = {}

    def open(self, place: Place, owner: str, tell: Tell) -> Session:
        """Open a session for whoever is called ``owner``. Raises ``RefusedError`` for what nobody drives."""
        node = self._fleet.nodes.get(place.node)
        entity = node.entity(place) if node else None
        if entity is None:
            raise RefusedError(NOT_FOUND, "no_such_output", output=place.name)
        if entity.motion != "continuous":
            raise RefusedError(INVALID, "not_driven", output=place.name)
        session = Session(
            self._hass, self._fleet, self._commands,
            id_=secrets.token_hex(6), place=place, owner=self._unique(owner), tell=tell,
        )  # fmt: skip
        self._sessions[session.id] = session
        return session

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    def get(self, session_id: str) -> Session | None:
        """Find a session that has not ended."""
        return self._sessions.get(session_id)

    @callback
    def close(self, session: Session, reason: RefusedError | None = None) -> None:
        """End a session."""
        self._sessions.pop(session.id, None)
        session.end(reason)

    @callback
    def close_all(self, reason: RefusedError) -> None:
        """End every session: Home Assistant stops, or the entry is unloaded."""
        for session in list(self._sessions.values()):
            self.close(session, reason)

    def _unique(self, owner: str) -> str:
        """Tell sessions of one name apart: ``Anna``, ``Anna 2``."""
        name = owner[:_LONGEST].strip() or OWNER
        taken = {session.owner for session in self._sessions.values()}
        return next(one for number in count(1) if (one := name if number == 1 else f"{name} {number}") not in taken)
