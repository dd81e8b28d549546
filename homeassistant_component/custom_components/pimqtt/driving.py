"""Driving by renewal from a browser: one session per card and car.

A session's commands bear the keeper's token as the *browser* last had it, never one that we fill in: a link that stalls
delivers all its frames at once, and only their old token shows that they are late. When the browser is gone, the
session stops what it may have moved; where even that can't be sent, the dead-man stops it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from .answers import REJECTED, Answer, answer_of, refusing
from .commanding import Commands, envelope
from .driven import Driven
from .driving_sending import MOST_HZ, Sender
from .driving_tokens import Tokens
from .errors import INVALID, RefusedError
from .fleet import SIGNAL_NODE, SIGNAL_RESULT, Fleet
from .model import Result
from .nodes import Told
from .topics import Place
from .view import told_view

#: Commands at least in a second, and in a dead-man.
LEAST_HZ, PER_DEADMAN = 10.0, 5
#: A session may still hold what it moved for one dead-man and so long (s).
GRACE_S: Final = 1.0
STOP, RELEASE = "stop", "release"
#: Refusals that say that somebody or something else has it.
_NOT_OURS: Final = frozenset({"held", "let_go", "latched"})
_STALE: Final = frozenset({"stale", "token"})

Tell = Callable[[dict[str, Any]], None]


class Session:
    """The controls of one motor or car, as one browser has them. ``tell`` sends an event to it."""

    def __init__(
        self, hass: HomeAssistant, fleet: Fleet, commands: Commands, *, id_: str, place: Place, owner: str, tell: Tell
    ) -> None:
        """Move nothing yet."""
        #: the connection that may use it, and the entity as it named it
        self.browser: ActiveConnection | None = None
        self.entity = ""
        self.id, self.place, self.owner = id_, place, owner
        self._hass, self._tell = hass, tell
        self._driven = Driven(fleet, place)
        self._tokens = Tokens(commands, place, owner, self._driven.deadman_s)
        self._sender = Sender(hass, commands, id_, place, owner, self.tell_answer)
        self._seq = self._moved_seq = -1
        self._moved_s: float | None = None
        self._arming = False
        self._holder: str | None = None
        self._ends = [
            async_dispatcher_connect(hass, SIGNAL_RESULT, self._result),
            async_dispatcher_connect(hass, SIGNAL_NODE, self._changed),
        ]

    async def start(self) -> None:
        """Tell the browser what it needs, the first token with it."""
        token, refusal = await self._tokens.ask()
        if not self._ends:
            return
        self._tell_opened(token)
        self._tell_holder()
        if token is None and refusal is not None:
            self.tell_answer(refusal)

    @property
    def rate_hz(self) -> float:
        """How often a command is due."""
        return min(float(MOST_HZ), max(LEAST_HZ, PER_DEADMAN / self._driven.deadman_s))

    @callback
    def send(self, seq: int, value: Any, token: str | None = None, priority: int | None = None) -> None:
        """Take what the browser sends; what became of it is told as an event. A stop is never dropped."""
        if not self._ends:
            return
        now = time.monotonic()
        if value in (STOP, RELEASE):
            self._seq = max(self._seq, seq)
            if value == STOP or self.may_hold(now):
                self.stop(seq)
            return
        if seq <= self._seq or self._too_fast(now):
            return
        self._seq = seq
        refusal = self._driven.refusal(self.owner, token)
        if refusal:
            self.tell_answer(refusal, seq)
        else:
            self._moved_s, self._moved_seq = now, seq
            ttl = self._driven.deadman_s
            self._sender.put(seq, envelope(value, owner=self.owner, ttl=ttl, priority=priority, token=token))
        if self._tokens.due(now):
            self.ask_token()
        self._beat(now)

    @callback
    def stop(self, seq: int | None = None) -> None:
        """Send a stop now: the safe value, without TTL, token or time, so that nothing can refuse it."""
        self._moved_s = None
        self._sender.put(seq, {"value": STOP, "owner": self.owner})

    @callback
    def ask_token(self) -> None:
        """Ask for a fresh token, to be told as an event."""
        now = time.monotonic()
        if self._tokens.may_ask(now):
            self._hass.async_create_task(self._tell_token(), f"pimqtt token {self.place.name}")
        self._beat(now)

    def may_hold(self, now: float) -> bool:
        """Tell whether this session moves it, or may: nobody said otherwise, and it was not long ago."""
        return self._moved_s is not None and now - self._moved_s < self._driven.deadman_s + GRACE_S

    @callback
    def let_run(self) -> None:
        """Let what was sent last end by itself, at its deadline."""
        self._moved_s = None

    @callback
    def end(self, reason: RefusedError | None = None) -> None:
        """Stop what this session may have moved, and nothing else; ``reason`` tells a browser that is still there."""
        if not self._ends:
            return
        if self.may_hold(time.monotonic()):
            self.stop()
        while self._ends:
            self._ends.pop()()
        if reason:
            told = refusing(reason)
            key, placeholders = told.reason_key, told.reason_placeholders
            self._tell({"ended": told.reason, "reason_key": key, "reason_placeholders": placeholders})

    @callback
    def tell_answer(self, answer: Answer, seq: int | None = None) -> None:
        """Tell what became of a command of the browser's; None: of none that it knows by its number."""
        self._tell({"answer": {**answer.as_dict(), "seq": seq}})

    def _too_fast(self, now: float) -> bool:
        if not self._sender.too_fast(now):
            return False
        if self._sender.may_complain(now):
            error = RefusedError(INVALID, "too_fast", most=str(MOST_HZ))
            self.tell_answer(replace(refusing(error, self.owner), code=None))
        return True

    def _beat(self, now: float) -> None:
        """Send a heartbeat where one is asked for: only what the browser sends is a proof of its life."""
        if self._arming:
            self._sender.beat(now)

    async def _tell_token(self) -> None:
        token, _ = await self._tokens.ask()
        if token is not None and self._ends:
            self._tell({"token": token})

    @callback
    def _result(self, place: Place, result: Result) -> None:
        if place != self.place:
            return
        sent = self._sender.sent(result.id)
        if sent is None or result.outcome == "reverted":
            self._heard(result, sent[0] if sent else None)
            return
        seq, sent_s = sent
        if result.outcome == REJECTED and result.code in _NOT_OURS and seq == self._moved_seq:
            self._moved_s = None
        if result.code in _STALE:
            self.ask_token()
        self._arming = self._arming or result.code == "not_armed"
        event: dict[str, Any] = {"answer": {**answer_of(result, sent_s).as_dict(), "seq": seq}}
        if token := self._tokens.fresh(result.token, sent_s):
            event["token"] = token
        self._tell(event)

    def _heard(self, result: Result, seq: int | None) -> None:
        """Take what became of others' commands, and of our lease; ``seq`` is the number of our command."""
        if result.outcome == "reverted" and seq is not None and seq == self._moved_seq:
            self._moved_s = None
        if result.outcome == "reverted" or not self._sender.is_ours(result.id):
            self._tell({"told": told_view(Told(result, dt_util.utcnow()))})

    @callback
    def _changed(self, node: str) -> None:
        if node != self.place.node:
            return
        other = self._driven.follow()
        if other:
            self._tokens.max_age_s = self._driven.deadman_s
            self._tell_opened(None)
        self._tell_holder(again=other)

    def _tell_opened(self, token: str | None) -> None:
        self._tell({
            "session": self.id, "owner": self.owner, "deadman_s": self._driven.deadman_s, "rate_hz": self.rate_hz,
            "max_age_s": self._tokens.max_age_s, "token": token,
        })  # fmt: skip

    def _tell_holder(self, *, again: bool = False) -> None:
        holder = self._driven.holder
        if holder == self._holder and not again:
            return
        self._holder = holder
        if holder is not None and holder != self.owner and not self._driven.shared:
            self._moved_s = None
        self._tell({"holder": holder, "mine": holder == self.owner})
