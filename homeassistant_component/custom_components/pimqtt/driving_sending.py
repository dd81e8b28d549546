"""What a driving session sends: published in order, counted, and known again when it is answered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from homeassistant.core import HomeAssistant

from .answers import UNANSWERED, Answer, refusing
from .commanding import Commands
from .errors import RefusedError
from .topics import Place

#: Commands at most in a second.
MOST_HZ: Final = 50
#: Heartbeats are this far apart at least, and complaints about too many commands (s).
HEARTBEAT_S: Final = 0.3
COMPLAINT_S: Final = 1.0


class Sender:
    """One per session, which is the beginning of every id. ``refused`` is told what could not be sent."""

    def __init__(
        self, hass: HomeAssistant, commands: Commands, session: str, place: Place, owner: str,
        refused: Callable[[Answer, int | None], None],
    ) -> None:  # fmt: skip
        """Have sent nothing yet."""
        self._hass, self._commands, self._session = hass, commands, session
        self._place, self._owner, self._refused = place, owner, refused
        self._sent: dict[str, tuple[int, float]] = {}
        self._times: deque[float] = deque(maxlen=MOST_HZ)
        self._beat_s = self._complained_s = float("-inf")

    def put(self, seq: int | None, command: dict[str, Any]) -> None:
        """Publish a command now; ``seq`` is the browser's number of it, None where it sent none."""
        command["id"] = f"{self._session}-{'end' if seq is None else seq}"
        if seq is not None:
            self._sent[command["id"]] = seq, time.monotonic()
            while len(self._sent) > 2 * MOST_HZ:
                del self._sent[next(iter(self._sent))]
        # eager: what was sent first is published first, and a stop before its session is gone
        self._hass.async_create_task(self._put(seq, command), f"pimqtt drive {self._place.name}", eager_start=True)

    def beat(self, now: float) -> None:
        """Publish a heartbeat, unless the last one is young."""
        if now - self._beat_s < HEARTBEAT_S:
            return
        self._beat_s = now
        call = {"action": "heartbeat", "owner": self._owner, "id": f"{self._session}-beat"}
        self._hass.async_create_task(self._put_call(call), f"pimqtt heartbeat {self._place.name}", eager_start=True)

    def sent(self, result_id: str | None) -> tuple[int, float] | None:
        """Return the number and the time (monotonic, s) of a command of the browser's; None for any other id."""
        return self._sent.get(result_id or "")

    def is_ours(self, result_id: str | None) -> bool:
        """Tell whether an id is one of this session's."""
        return result_id is not None and result_id.startswith(f"{self._session}-")

    def too_fast(self, now: float) -> bool:
        """Count a command; tell whether it is one too many."""
        if len(self._times) < MOST_HZ or now - self._times[0] >= 1:
            self._times.append(now)
            return False
        return True

    def may_complain(self, now: float) -> bool:
        """Tell whether it is time to say again that there are too many; if so it counts as done."""
        if now - self._complained_s < COMPLAINT_S:
            return False
        self._complained_s = now
        return True

    async def _put(self, seq: int | None, command: dict[str, Any]) -> None:
        try:
            await self._commands.publish(self._place, "set", command)
        except RefusedError as error:
            self._refused(refusing(error, self._owner, outcome=UNANSWERED), seq)

    async def _put_call(self, call: dict[str, Any]) -> None:
        try:
            await self._commands.publish(Place(self._place.node), "call", call)
        except RefusedError as error:
            self._refused(refusing(error, outcome=UNANSWERED), None)
