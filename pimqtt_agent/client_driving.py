"""Driving by renewal: as long as a value is wanted it is sent again, ten times a second, so that its lease lives on.

It lets go (sends nothing more) when somebody else took over or stopped it; ``go`` starts anew. Every answer brings a
fresh token, so that what waits in a queue is refused. On leaving, whatever we moved is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import OrderedDict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pimqtt_agent.client_connection import Incoming
from pimqtt_agent.client_results import NoAnswerError, NotAllowedError, Result, content_of
from pimqtt_agent.client_topics import Place
from pimqtt_agent.errors import BrokerError, PimqttError

if TYPE_CHECKING:
    from pimqtt_agent.client import Client

#: Seconds between renewals, and between heartbeats where the output asks for arming.
RENEW_S, HEARTBEAT_S = 0.1, 0.3
STOP = "stop"
#: Refusals after which we go on: the next renewal may well be taken.
_PASSING = frozenset({"stale", "token", "not_armed", "unavailable", "too_large"})
_TAKEN_AWAY = frozenset({"stopped", "emergency", "disconnected", "max_on"})


class Driving:
    """The controls of one car or motor. ``last`` is the newest answer, ``refusal`` why it does not move."""

    #: ends with the connection
    renewing: asyncio.Task[None]

    def __init__(self, client: Client, place: Place, priority: int | None = None) -> None:
        """Take the controls with ``async with``."""
        self.place = place
        self.value: Any = None
        self.last: Result | None = None
        self.refusal: Result | None = None
        self.last_s = 0.0
        self.round_trip_s: float | None = None
        self._client, self._priority = client, priority
        self._renew_s = RENEW_S
        self._token: str | None = None
        self._token_s = 0.0
        self.max_age_s = 0.5
        self._sent: OrderedDict[str, float] = OrderedDict()
        self._moving = self._arming = False
        self._changed, self._got_token = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> Self:
        """Ask for a token; raises ``NoAnswerError``, or ``PimqttError`` where there is nothing to drive."""
        client, base = self._client, self._client.broker.base
        async with contextlib.AsyncExitStack() as stack:
            self._topic, self._answers = (self.place.topic(base, level) for level in ("set", "result"))
            self._calls, self._called = (Place(self.place.node).topic(base, level) for level in ("call", "call/result"))
            await self._first_token()
            stack.enter_context(client.connection.listen(self._hear))
            await client.subscribe([self._answers, self._called])
            self.renewing = asyncio.create_task(self._renew(), name=f"drive {self.place.name}")
            stack.push_async_callback(self._end)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Stop what we moved, and let go; raises what ended the renewing."""
        await self._stack.aclose()
        if error is None and not self.renewing.cancelled():
            self.renewing.result()

    def go(self, value: Any) -> None:
        """Move like this from now on, until ``go``, ``rest`` or the end."""
        if value != self.value:
            self.value, self.refusal = value, None
            self._changed.set()

    def rest(self) -> None:
        """Stop."""
        if self.value is not None:
            self.value = None
            self._changed.set()

    async def stop(self, timeout: float = 1.0) -> Result:
        """Stop, whoever drives, and wait for the answer."""
        self.value, self._moving = None, False
        return await self._client.send(self.place.name, STOP, timeout=timeout)

    async def _end(self) -> None:
        self.renewing.cancel()
        await asyncio.wait({self.renewing})
        if self._moving:
            with contextlib.suppress(BrokerError, NoAnswerError, NotAllowedError):  # then the dead-man stops it
                await asyncio.shield(self.stop())

    async def _renew(self) -> None:
        heartbeat_s = 0.0
        while True:
            self._changed.clear()
            now = time.monotonic()
            if self._arming and now >= heartbeat_s:
                heartbeat_s = now + HEARTBEAT_S
                await self._call({"action": "heartbeat", "owner": self._client.owner})
            if self.value is not None and await self._fresh() and self.value is not None:
                self._moving = True
                await self._put(self.value)
            elif self._moving and self.value is None:
                await self._put(STOP, qos=1)
                self._moving = False
            idle_s = HEARTBEAT_S if self._arming else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), idle_s if self.value is None else self._renew_s)

    async def _put(self, value: Any, qos: int = 0) -> None:
        message = self._client.command(value, expiry_s=1, priority=self._priority, token=self._token)
        self._note(message["id"])
        await self._client.publish(self._topic, message, qos=qos, expiry_s=1)

    async def _first_token(self) -> None:
        """Get a token, and the dead-man with it."""
        place = self.place
        name = f"{place.device}/{place.entity}" if place.entity else place.device
        asked_s = time.monotonic()
        answer = await self._client.call(place.node, "token", device=name)
        if not answer.accepted or not isinstance(answer.result, dict):
            raise PimqttError(f"{place.name} can't be driven: {answer.reason}")
        self._token_call = {"action": "token", "device": name}
        self._token, self._token_s = answer.result.get("token"), asked_s
        self.max_age_s = answer.result.get("max_age_s") or self.max_age_s
        self._renew_s = min(RENEW_S, self.max_age_s / 3)

    async def _fresh(self) -> bool:
        """See to a fresh token: answers bring one each; after a rest, or where they are late, one is asked for."""
        if time.monotonic() - self._token_s < self.max_age_s / 2:
            return True
        self._got_token.clear()
        await self._call(self._token_call)
        if time.monotonic() - self._token_s >= self.max_age_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._got_token.wait(), self.max_age_s)
        if time.monotonic() - self._token_s < self.max_age_s:
            return True
        reason = f"no fresh token within {self.max_age_s:g} s: the way to {self.place.node} is too slow"
        self.refusal = Result(target=self.place.name, outcome="rejected", code="stale", reason=reason)
        return False

    async def _call(self, call: dict[str, Any]) -> None:
        message = {**call, "id": secrets.token_hex(8)}
        self._note(message["id"])
        await self._client.publish(self._calls, message, qos=0, expiry_s=1)

    def _note(self, sent_id: str) -> None:
        self._sent[sent_id] = time.monotonic()
        while len(self._sent) > 50:
            self._sent.popitem(last=False)

    def _hear(self, incoming: Incoming) -> None:
        ours = incoming.topic in (self._answers, self._called)
        content = content_of(incoming.payload) if ours else None
        if not isinstance(content, dict):
            return
        result = Result.read(self.place.name, content)
        sent_s = self._sent.get(result.id or "")
        if sent_s is None:
            return
        if incoming.topic == self._called:
            self._renew_token(result.result.get("token") if isinstance(result.result, dict) else None, sent_s)
        elif result.outcome != "reverted":
            self._take(result, sent_s)
        elif result.cause in _TAKEN_AWAY and self.value is not None:
            self._let_go(result)

    def _renew_token(self, token: str | None, sent_s: float) -> None:
        if token and sent_s >= self._token_s:
            self._token, self._token_s = token, sent_s
            self._got_token.set()

    def _take(self, result: Result, sent_s: float) -> None:
        self.last, self.last_s = result, time.monotonic()
        self.round_trip_s = self.last_s - sent_s
        self._renew_token(result.token, sent_s)
        if result.accepted:
            self.refusal = None if self.value is not None else self.refusal
        elif result.code in _PASSING:
            self.refusal = result
            self._token_s = self._token_s if result.code == "not_armed" else 0.0
            self._arming = self._arming or result.code == "not_armed"
        elif self.value is not None:
            self._let_go(result)

    def _let_go(self, why: Result) -> None:
        """Fall silent; a stop of ours would end what another does now."""
        self.value, self._moving, self.refusal = None, False, why
