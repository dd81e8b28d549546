"""Driving from an automation: the action itself renews, for as long as it was told, and then stops."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import Any, Final

from .answers import ACCEPTED, ANSWER_S, REJECTED, UNANSWERED, Answer, refusing
from .errors import NOT_CONNECTED, RefusedError
from .runtime import Runtime
from .topics import Place

#: Refusals after which the next renewal may well be taken.
_PASSING: Final = frozenset({"stale", "token", "not_armed"})


class Operator:
    """What a browser is to a session: here Home Assistant drives, so the tokens are its own to send back."""

    def __init__(self, place: Place) -> None:
        """Nothing was told yet."""
        self.token: str | None = None
        self.ended = False
        silent = RefusedError(NOT_CONNECTED, "unanswered", name=place.node, seconds=f"{ANSWER_S:g}")
        self.last = self._silence = refusing(silent, outcome=UNANSWERED)
        self._answered = asyncio.Event()
        self._answered_seq = -1

    def tell(self, event: dict[str, Any]) -> None:
        """Take an event of the session."""
        self.token = event.get("token") or self.token
        if "ended" in event:
            self.ended = True
            told = {key: event[key] for key in ("reason_key", "reason_placeholders")}
            self.last = Answer(outcome=REJECTED, code="unavailable", reason=event["ended"], **told)
            self._answered.set()
        elif "answer" in event and not self.ended:
            answer = dict(event["answer"])
            seq = answer.pop("seq")
            self._answered_seq = self._answered_seq if seq is None else max(self._answered_seq, seq)
            self.last = Answer(**answer)
            self._answered.set()

    @property
    def gives_up(self) -> bool:
        """Whether going on is useless."""
        refused = self.last is not self._silence and self.last.outcome != ACCEPTED
        return self.ended or (refused and self.last.code not in _PASSING)

    async def answered(self, seq: int) -> Answer:
        """Return the answer to the last command, wait for it; of a drive that was given up, why."""
        try:
            async with asyncio.timeout(ANSWER_S):
                while not self.gives_up and self._answered_seq < seq:
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError:
            return self._silence
        return self.last


async def drive_for(
    runtime: Runtime, place: Place, value: Any, *, owner: str, duration_s: float, priority: int | None
) -> Answer:
    """Move for so many seconds and stop; 0: send it once, which lasts one dead-man. Return the last answer."""
    operator = Operator(place)
    session = runtime.sessions.open(place, owner, operator.tell)
    try:
        await session.start()
        if operator.token is None:
            return operator.last
        ends_s = time.monotonic() + duration_s
        for seq in count():  # pragma: no branch - it ends by breaking
            session.send(seq, value, operator.token, priority)
            if duration_s == 0:
                session.let_run()
                break
            await asyncio.sleep(1 / session.rate_hz)
            if operator.gives_up or time.monotonic() >= ends_s:
                break
        if duration_s and session.may_hold(time.monotonic()):
            session.stop()  # before anything is waited for
        return await operator.answered(seq)
    finally:
        runtime.sessions.close(session)
