"""The last signs of life that the agent has had, as the pin keeper is told them. Pure."""

from __future__ import annotations

from pimqtt_agent.keeper import messages as wire


class Proofs:
    """The broker proves itself; Home Assistant is as alive as the broker, unless its status reads offline."""

    def __init__(self) -> None:
        """Have heard nothing of Home Assistant; it counts as alive unless the agent before us knew better."""
        self.lost = False
        self._heard = False
        self._home_assistant_s = 0.0

    def heard(self, word: str, at_s: float, *, replaying: bool) -> None:
        """Read Home Assistant's status. An ``offline`` that was replayed proves nothing: who knows since when."""
        if word not in ("online", "offline"):
            return
        if word == "offline" and not self.lost and not replaying:
            self._home_assistant_s = at_s
        self.lost, self._heard = word == "offline", True

    def remembered(self) -> None:
        """The keeper knows from the agent before us that Home Assistant was lost; nobody says so twice."""
        self.lost = self.lost or not self._heard

    def proof(self, broker_s: float, *, replaying: bool) -> wire.Proof:
        """Return what the keeper is told. While what is retained still comes, Home Assistant proves nothing."""
        if not self.lost and not replaying:
            self._home_assistant_s = broker_s
        return wire.Proof(broker_s, self._home_assistant_s, self.lost)
