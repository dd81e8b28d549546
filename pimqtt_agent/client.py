"""A typed client for operators: send, watch, call, drive, stop. Needs a broker only, no configuration.

>>> async with Client(Broker(host="broker.lan")) as client:
...     result = await client.send("car1/pump", "ON", ttl=5)
...     async with client.drive("car1/car") as car:
...         car.go({"x": 0, "y": 0.5})
...         await asyncio.sleep(2)
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.client_connection import NOBODY_LISTENS, NOT_ALLOWED, REFUSED, Connection, Incoming
from pimqtt_agent.client_driving import Driving
from pimqtt_agent.client_results import Change, NoAnswerError, Node, NotAllowedError, Result, content_of
from pimqtt_agent.client_stops import Latching
from pimqtt_agent.client_topics import Place, place, target, watched
from pimqtt_agent.rules import ANONYMOUS
from pimqtt_agent.topics import Topics

#: How long an answer is waited for, and how long nodes may take to show up (s).
ANSWER_S, SETTLE_S = 3.0, 0.4

_json = msgspec.json.Encoder().encode


class Client:
    """One operator at one broker. ``owner`` names us in every command; a random name where it is left out."""

    def __init__(self, broker: Broker | None = None, *, owner: str | None = None) -> None:
        """Connect with ``async with``; that raises ``BrokerError``."""
        self.broker = broker or Broker()
        self.owner = owner or f"client-{secrets.token_hex(4)}"
        self.connection = Connection(self.broker)

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.connection.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self.connection.__aexit__(kind, error, tb)

    async def send(
        self,
        name: str,
        value: Any,
        *,
        ttl: float | None = None,
        owner: str | None = None,
        priority: int | None = None,
        token: str | None = None,
        timeout: float = ANSWER_S,
    ) -> Result:
        """Send a command to ``NODE/DEVICE[/ENTITY]`` and wait for its result. ``owner`` may be ``anonymous``."""
        where = target(name)
        message = self.command(value, ttl=ttl, owner=owner, priority=priority, token=token, expiry_s=timeout)
        return await self._ask(where, "set", "result", message, timeout)

    async def call(self, node: str, action: str, *, timeout: float = ANSWER_S, **arguments: Any) -> Result:
        """Do a node call; what it gives is the result's ``result``."""
        where = target(node, least=1, most=1)
        message = {**arguments, "action": action, "id": arguments.get("id") or secrets.token_hex(8)}
        return await self._ask(where, "call", "call/result", message, timeout)

    async def stop(self, name: str | None = None, *, timeout: float = ANSWER_S) -> list[Result]:
        """Set the emergency stop of ``NODE[/DEVICE]``, of every node where it is left out."""
        return await self._latch(name, "ON", timeout)

    async def reset(self, name: str | None = None, *, timeout: float = ANSWER_S) -> list[Result]:
        """Leave the emergency stop. That of the whole node still holds a device that is reset: then it is rejected."""
        return await self._latch(name, "OFF", timeout)

    def drive(self, name: str, *, priority: int | None = None) -> Driving:
        """Drive a car or a motor: ``async with`` it, ``go(value)`` as often as wanted; it is renewed until ``rest``."""
        return Driving(self, target(name), priority)

    async def nodes(self, *, settle: float = SETTLE_S) -> list[Node]:
        """Find the nodes that the broker knows, also those that are offline."""
        found: dict[str, Node] = {}

        def take(incoming: Incoming) -> None:
            where = place(self.broker.base, incoming.topic)
            if where is None or where.device or where.what not in ("availability", "info") or not incoming.payload:
                return
            node, content = found.get(where.node) or Node(id=where.node, online=False), content_of(incoming.payload)
            online = content == "online" if where.what == "availability" else node.online
            info = content if where.what == "info" and isinstance(content, dict) else node.info
            found[where.node] = Node(id=where.node, online=online, info=info)

        topics = Topics(self.broker.base, "+")
        with self.connection.listen(take):
            await self.subscribe([topics.availability, topics.info])
            await self.connection.unless_lost(asyncio.sleep(settle))
        return [found[name] for name in sorted(found)]

    async def watch(self, node: str | None = None, *, commands: bool = False) -> AsyncIterator[Change]:
        """Tell every change of a node or of all, what is retained first; ``commands``: also commands and pictures."""
        if node is not None:
            target(node, least=1, most=1)
        changes: asyncio.Queue[Change] = asyncio.Queue()

        def take(incoming: Incoming) -> None:
            where = place(self.broker.base, incoming.topic)
            if where is not None and node in (None, where.node):
                changes.put_nowait(Change(place=where, content=content_of(incoming.payload), retained=incoming.retain))

        with self.connection.listen(take):
            await self.subscribe(watched(self.broker.base, node, commands=commands))
            while True:
                yield await self.connection.unless_lost(changes.get())

    def command(self, value: Any, *, expiry_s: float, **fields: Any) -> dict[str, Any]:
        """Make a command's JSON: with an id, the time, the owner, its expiry."""
        owner = fields.pop("owner", None) or self.owner
        given = {key: field for key, field in fields.items() if field is not None}
        if owner != ANONYMOUS:
            given["owner"] = owner
        expiry = max(1, int(-(-expiry_s // 1)))
        return {"value": value, **given, "id": secrets.token_hex(8), "at": round(time.time(), 3), "expiry": expiry}

    async def publish(self, topic: str, message: Any, *, qos: int = 1, expiry_s: float | None = None) -> int:
        """Publish JSON (or text as it is); return the broker's reason code. Raises ``NotAllowedError``."""
        payload = message if isinstance(message, str) else _json(message)
        code = await self.connection.publish(topic, payload, qos=qos, expiry_s=expiry_s)
        if code == NOT_ALLOWED:
            raise NotAllowedError(f"broker {self.broker} does not let {self._login} publish to {topic}")
        return code

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe. Raises ``NotAllowedError``."""
        for topic, code in zip(topics, await self.connection.subscribe(topics), strict=True):
            if code >= REFUSED:
                raise NotAllowedError(f"broker {self.broker} does not let {self._login} read {topic}")

    @property
    def _login(self) -> str:
        return repr(self.broker.user) if self.broker.user else "somebody without a login"

    async def _ask(self, where: Place, level: str, answer: str, message: dict[str, Any], timeout_s: float) -> Result:
        """Publish JSON with an id and wait for the answer that bears it."""
        base, done = self.broker.base, asyncio.get_running_loop().create_future()
        topic, start_s = where.topic(base, answer), time.monotonic()

        def take(incoming: Incoming) -> None:
            content = content_of(incoming.payload) if incoming.topic == topic else None
            if isinstance(content, dict) and _answers(content, message["id"]) and not done.done():
                done.set_result(Result.read(where.name, content, time.monotonic() - start_s))

        with self.connection.listen(take):
            await self.subscribe([topic])
            start_s = time.monotonic()
            code = await self.publish(where.topic(base, level), message, expiry_s=timeout_s)
            if code == NOBODY_LISTENS:
                raise NoAnswerError(f"nobody listens at {where.topic(base, level)}: is node {where.node} running?")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    result: Result = await self.connection.unless_lost(done)
                    return result
        raise NoAnswerError(f"no answer from {where.name} within {timeout_s:g} s: is node {where.node} running?")

    async def _latch(self, name: str | None, word: str, timeout_s: float) -> list[Result]:
        """Say a stop or a reset at once, then see who did it."""
        base, latch = self.broker.base, Latching(target(name, least=1, most=2) if name else None, word)

        def take(incoming: Incoming) -> None:
            where = place(base, incoming.topic)
            if where is not None:
                latch.hear(where, content_of(incoming.payload), retained=incoming.retain)

        with self.connection.listen(take):
            start_s = time.monotonic()
            # no waiting for the subscriptions: the broker takes things in their order, and a stop is urgent
            subscribed = asyncio.create_task(self.subscribe(latch.topics(base)))
            await asyncio.sleep(0)
            code = await self.publish(latch.command(base), word)
            await subscribed
            while not latch.complete(settled=time.monotonic() - start_s > SETTLE_S):
                if code == NOBODY_LISTENS or time.monotonic() - start_s > timeout_s:
                    break
                await self.connection.unless_lost(asyncio.sleep(0.01))
        return latch.results(timeout_s)


def _answers(content: dict[str, Any], command_id: str) -> bool:
    """Tell whether a result is ours; what refuses a payload unread knows no id."""
    unread = content.get("id") is None and content.get("code") in ("unknown", "too_large")
    return bool(content.get("id") == command_id or unread)
