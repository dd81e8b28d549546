"""What is driven, as its node tells: whether it can be, by whom it is, and how soon it stops by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .answers import Answer, refusing, unable_to
from .errors import INVALID, NOT_CONNECTED, NOT_FOUND, RefusedError
from .fleet import Fleet
from .model import Entity
from .topics import Place

#: The dead-man of what no node ever told of (s).
DEADMAN_S: Final = 0.5


class Driven:
    """A motor or a car, which may be away."""

    def __init__(self, fleet: Fleet, place: Place) -> None:
        """Read what is known."""
        self._fleet, self.place = fleet, place
        self.deadman_s = DEADMAN_S
        self.follow()

    def follow(self) -> bool:
        """Read the dead-man again; tell whether it is another. What the node said last holds while it says nothing."""
        before, known = self.deadman_s, self._known()
        self.deadman_s = (known.deadman_s if known else None) or before
        return self.deadman_s != before

    @property
    def holder(self) -> str | None:
        """Who holds the lease."""
        node = self._fleet.nodes.get(self.place.node)
        held = node.leases.get((self.place.device, self.place.key)) if node else None
        return held.lease.owner if held else None

    @property
    def shared(self) -> bool:
        """Whether several may drive it at once."""
        known = self._known()
        return known is not None and known.control == "shared"

    def refusal(self, owner: str, token: str | None) -> Answer | None:
        """Say why a command is not sent at all; None where it is."""
        node = self._fleet.nodes.get(self.place.node)
        if node is None:
            return refusing(RefusedError(NOT_CONNECTED, "node_left", node=self.place.node), owner)
        unable = unable_to(node, owner)
        if unable is None and node.entity(self.place) is None:
            return refusing(RefusedError(NOT_FOUND, "no_such_output", output=self.place.name), owner)
        if unable is None and token is None:
            return replace(refusing(RefusedError(INVALID, "no_token"), owner), code="token")
        return unable

    def _known(self) -> Entity | None:
        node = self._fleet.nodes.get(self.place.node)
        return node.entity(self.place) if node else None
