"""Driving by renewal from a browser: one session per card and car.

A session's commands bear the keeper's token as the *browser* last had it, never one that we fill in: a link that stalls
delivers all its frames at once, and only their old token shows that they are late. When the browser is gone, the
session stops what it may have moved; where even that can't be sent, the dead-man stops it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from .answers import REJECTED, UNANSWERED, Answer, answer_of, refusing, unable_to
from .commanding import Commands, envelope
from .errors import INVALID, NOT_CONNECTED, NOT_FOUND, RefusedError
from .fleet import SIGNAL_NODE, SIGNAL_RESULT, Fleet
from .model import Entity, Result
from .nodes import Told
from .strict_json import number
from .topics import Place
from .view import told_view

#: Commands at most and at least in a second, and at least in a dead-man.
MOST_HZ, LEAST_HZ, PER_DEADMAN = 50, 10.0, 5
#: A session may still hold what it moved for one dead-man and so long (s).
GRACE_S: Final = 1.0
HEARTBEAT_S: Final = 0.3
DEADMAN_S: Final = 0.5
#: No token is fresh for longer (s).
MAX_AGE_S: Final = 60
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
        self._hass, self._fleet, self._commands, self._tell = hass, fleet, commands, tell
        self.deadman_s = DEADMAN_S
        self.deadman_s = self.max_age_s = self._deadman_s()
        self._seq = self._moved_seq = -1
        self._moved_s: float | None = None
        self._sent: dict[str, tuple[int, float]] = {}
        self._times: deque[float] = deque(maxlen=MOST_HZ)
        self._token_s = self._asked_s = self._beat_s = self._slowed_s = float("-inf")
        self._arming = False
        self._holder: str | None = None
        self._ends = [
            async_dispatcher_connect(hass, SIGNAL_RESULT, self._result),
            async_dispatcher_connect(hass, SIGNAL_NODE, self._changed),
        ]

    async def start(self) -> None:
        """Tell the browser what it needs, the first token with it."""
        token, refusal, asked_s = await self._token()
        token = self._fresh(token, asked_s)
        self._tell_opened(token)
        self._tell_holder()
        if token is None and refusal is not None:
            self.tell_answer(refusal)

    @property
    def rate_hz(self) -> float:
        """How often a command is due."""
        return min(float(MOST_HZ), max(LEAST_HZ, PER_DEADMAN / self.deadman_s))

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
        refusal = self._refusal(token)
        if refusal:
            self.tell_answer(refusal, seq)
        else:
            self._moved_s, self._moved_seq = now, seq
            self._publish(seq, envelope(value, owner=self.owner, ttl=self.deadman_s, priority=priority, token=token))
        if now - self._token_s > self.max_age_s / 2:
            self.ask_token()
        self._beat(now)

    @callback
    def stop(self, seq: int | None = None) -> None:
        """Send a stop now: the safe value, without TTL, token or time, so that nothing can refuse it."""
        self._moved_s = None
        self._publish(seq, {"value": STOP, "owner": self.owner})

    @callback
    def ask_token(self) -> None:
        """Ask for a fresh token, to be told as an event."""
        now = time.monotonic()
        if now - self._asked_s >= self.max_age_s / 4:
            self._asked_s = now
            self._hass.async_create_task(self._tell_token(), f"pimqtt token {self.place.name}")
        self._beat(now)

    def may_hold(self, now: float) -> bool:
        """Tell whether this session moves it, or may: nobody said otherwise, and it was not long ago."""
        return self._moved_s is not None and now - self._moved_s < self.deadman_s + GRACE_S

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

    def _refusal(self, token: str | None) -> Answer | None:
        """Say what is not sent at all."""
        node = self._fleet.nodes.get(self.place.node)
        if node is None:
            return refusing(RefusedError(NOT_CONNECTED, "node_left", node=self.place.node), self.owner)
        unable = unable_to(node, self.owner)
        if unable is None and node.entity(self.place) is None:
            return refusing(RefusedError(NOT_FOUND, "no_such_output", output=self.place.name), self.owner)
        if unable is None and token is None:
            return replace(refusing(RefusedError(INVALID, "no_token"), self.owner), code="token")
        return unable

    def _too_fast(self, now: float) -> bool:
        if len(self._times) < MOST_HZ or now - self._times[0] >= 1:
            self._times.append(now)
            return False
        if now - self._slowed_s >= 1:
            self._slowed_s = now
            error = RefusedError(INVALID, "too_fast", most=str(MOST_HZ))
            self.tell_answer(replace(refusing(error, self.owner), code=None))
        return True

    def _publish(self, seq: int | None, command: dict[str, Any]) -> None:
        command["id"] = f"{self.id}-{'end' if seq is None else seq}"
        if seq is not None:
            self._sent[command["id"]] = seq, time.monotonic()
            while len(self._sent) > 2 * MOST_HZ:
                del self._sent[next(iter(self._sent))]
        self._hass.async_create_task(self._put(seq, command), f"pimqtt drive {self.place.name}", eager_start=True)

    async def _put(self, seq: int | None, command: dict[str, Any]) -> None:
        try:
            await self._commands.publish(self.place, "set", command)
        except RefusedError as error:
            self.tell_answer(refusing(error, self.owner, outcome=UNANSWERED), seq)

    def _beat(self, now: float) -> None:
        """Send a heartbeat where one is asked for: only what the browser sends is a proof of its life."""
        if not self._arming or now - self._beat_s < HEARTBEAT_S:
            return
        self._beat_s = now
        call = {"action": "heartbeat", "owner": self.owner, "id": f"{self.id}-beat"}
        self._hass.async_create_task(self._put_call(call), f"pimqtt heartbeat {self.place.name}", eager_start=True)

    async def _put_call(self, call: dict[str, Any]) -> None:
        try:
            await self._commands.publish(Place(self.place.node), "call", call)
        except RefusedError as error:
            self.tell_answer(refusing(error, outcome=UNANSWERED))

    async def _token(self) -> tuple[str | None, Answer | None, float]:
        """Return a token, or why there is none, and the time of asking."""
        asked_s = time.monotonic()
        try:
            answer = await self._commands.call(self.place.node, "token", {"device": self.place.output})
        except RefusedError as error:
            return None, refusing(error, self.owner, outcome=UNANSWERED), asked_s
        result = answer["result"] if isinstance(answer["result"], dict) else {}
        token, max_age_s = result.get("token"), number(result.get("max_age_s"))
        if max_age_s is not None and 0 < max_age_s <= MAX_AGE_S:
            self.max_age_s = max_age_s
        why = {key: answer[key] for key in ("outcome", "code", "reason", "reason_key", "reason_placeholders")}
        return token if isinstance(token, str) else None, Answer(**why, owner=self.owner), asked_s

    async def _tell_token(self) -> None:
        token, _, asked_s = await self._token()
        token = self._fresh(token, asked_s)
        if token is not None and self._ends:
            self._tell({"token": token})

    def _fresh(self, token: str | None, sent_s: float) -> str | None:
        """Return a token that is newer than all before, with the time of what asked for it."""
        if token is None or sent_s < self._token_s:
            return None
        self._token_s = sent_s
        return token

    @callback
    def _result(self, place: Place, result: Result) -> None:
        if place != self.place:
            return
        sent = self._sent.get(result.id or "")
        if sent is None or result.outcome == "reverted":
            self._heard(result, ours=sent is not None)
            return
        seq, sent_s = sent
        if result.outcome == REJECTED and result.code in _NOT_OURS and seq == self._moved_seq:
            self._moved_s = None
        if result.code in _STALE:
            self.ask_token()
        self._arming = self._arming or result.code == "not_armed"
        event: dict[str, Any] = {"answer": {**answer_of(result, sent_s).as_dict(), "seq": seq}}
        if token := self._fresh(result.token, sent_s):
            event["token"] = token
        self._tell(event)

    def _heard(self, result: Result, *, ours: bool) -> None:
        """Take what became of others' commands, and of our lease."""
        if result.outcome == "reverted" and ours and self._sent[result.id or ""][0] == self._moved_seq:
            self._moved_s = None
        if result.id is None or not result.id.startswith(f"{self.id}-") or result.outcome == "reverted":
            self._tell({"told": told_view(Told(result, dt_util.utcnow()))})

    @callback
    def _changed(self, node: str) -> None:
        if node != self.place.node:
            return
        deadman_s = self._deadman_s()
        if deadman_s != self.deadman_s:
            self.deadman_s = self.max_age_s = deadman_s
            self._tell_opened(None)
            self._tell_holder(again=True)
        else:
            self._tell_holder()

    def _known(self) -> Entity | None:
        node = self._fleet.nodes.get(self.place.node)
        return node.entity(self.place) if node else None

    def _deadman_s(self) -> float:
        """Return what the node says; what it said last while it says nothing."""
        known = self._known()
        return (known.deadman_s if known else None) or self.deadman_s

    def _tell_opened(self, token: str | None) -> None:
        self._tell({
            "session": self.id, "owner": self.owner, "deadman_s": self.deadman_s, "rate_hz": self.rate_hz,
            "max_age_s": self.max_age_s, "token": token,
        })  # fmt: skip

    def _tell_holder(self, *, again: bool = False) -> None:
        node = self._fleet.nodes.get(self.place.node)
        held = node.leases.get((self.place.device, self.place.key)) if node else None
        holder = held.lease.owner if held else None
        if holder == self._holder and not again:
            return
        self._holder = holder
        known = self._known()
        shared = known is not None and known.control == "shared"
        if holder is not None and holder != self.owner and not shared:
            self._moved_s = None
        self._tell({"holder": holder, "mine": holder == self.owner})
