"""The tokens of a driving session: stamps of the keeper's clock, asked for in time. Only newer ones count.

They are for the browser to send back. None is ever filled in here, see ``driving``.
"""

from __future__ import annotations

import time
from typing import Final

from .answers import UNANSWERED, Answer, refusing
from .commanding import Commands
from .errors import RefusedError
from .strict_json import number
from .topics import Place

#: No token is fresh for longer (s).
MAX_AGE_S: Final = 60


class Tokens:
    """One per session. ``max_age_s`` is the node's word, until it came the dead-man."""

    def __init__(self, commands: Commands, place: Place, owner: str, max_age_s: float) -> None:
        """Have none yet."""
        self.max_age_s = max_age_s
        self._commands, self._place, self._owner = commands, place, owner
        self._newest_s = self._asked_s = float("-inf")

    def due(self, now: float) -> bool:
        """Tell whether the newest is half too old."""
        return now - self._newest_s > self.max_age_s / 2

    def may_ask(self, now: float) -> bool:
        """Tell whether it is time to ask again; if so it counts as done."""
        if now - self._asked_s < self.max_age_s / 4:
            return False
        self._asked_s = now
        return True

    def fresh(self, token: str | None, sent_s: float) -> str | None:
        """Return a token that is newer than all before, with the time of what asked for it (monotonic, s)."""
        if token is None or sent_s < self._newest_s:
            return None
        self._newest_s = sent_s
        return token

    async def ask(self) -> tuple[str | None, Answer | None]:
        """Ask the node; return a token that is newer than all before, and what was answered."""
        asked_s = time.monotonic()
        try:
            answer = await self._commands.call(self._place.node, "token", {"device": self._place.output})
        except RefusedError as error:
            return None, refusing(error, self._owner, outcome=UNANSWERED)
        result = answer["result"] if isinstance(answer["result"], dict) else {}
        token, max_age_s = result.get("token"), number(result.get("max_age_s"))
        if max_age_s is not None and 0 < max_age_s <= MAX_AGE_S:
            self.max_age_s = max_age_s
        why = {key: answer[key] for key in ("outcome", "code", "reason", "reason_key", "reason_placeholders")}
        found = self.fresh(token if isinstance(token, str) else None, asked_s)
        return found, Answer(**why, owner=self._owner)
