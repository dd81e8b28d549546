"""Everything that MQTT brings, on every topic that the agent listens to: a whole node reads it, its pins are watched.

A record's head is a topic (below the node's, or whole where it begins with ``/``) and flags: ``q`` (QoS 1), ``r``
(retain), ``p`` (our marker has not come back yet), ``3`` (MQTT 3.1.1), ``w=N`` (N s later), ``s=N`` (N s late),
``e=N`` (what is left of its expiry), ``a=TOPIC`` (response topic), ``c=TEXT`` (correlation data), ``b`` (in one read
with the next), ``k`` (while we read back what is retained). In the payload ``%TOKEN%`` is a fresh token and ``%NOW%``
the wall clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager

from pimqtt_agent import identity
from pimqtt_agent.broker import Incoming
from pimqtt_agent.keeper import messages as wire
from tests.fuzz.answers import Before, check_answered, check_movement, check_result
from tests.fuzz.clockwork import Loop
from tests.fuzz.node import Node
from tests.fuzz.target import Target, records, replaced, strict

#: Records of one input.
MOST = 6
#: A node lives for so many inputs.
LIVES = 2000


class Messages(Target):
    """A node, and what it is told."""

    def open(self) -> None:
        self.loop = Loop(self.clock)
        self.node = self._new()

    def close(self) -> None:
        self.loop.run_until_complete(self.node.close())
        self.loop.close()

    def patches(self) -> Iterable[AbstractContextManager[None]]:
        return (replaced(identity, "addresses", list),)

    def run(self, data: bytes) -> None:
        if self._used:
            self.renew()
        self.live(data)

    def renew(self) -> None:
        self.loop.run_until_complete(self.node.close())
        for file in self.folder.iterdir():
            file.unlink()
        self.node = self._new()

    def live(self, data: bytes) -> None:
        self._used += 1
        if self._used > LIVES:
            self.run(data)
            return
        self.loop.run_until_complete(self._play(data))

    def _new(self) -> Node:
        self._used = 0
        return Node(self.clock, self.loop, self.folder)

    async def _play(self, data: bytes) -> None:
        node = self.node
        node.forget()
        await node.wait(1.0)
        together: list[Incoming] = []
        for head, payload in records(data, MOST):
            topic, *flags = head.split(" ")
            options = {flag[0]: flag[2:] for flag in flags if flag}
            await node.wait(_seconds(options.get("w", "0")))
            if not topic or set(topic) & set("+#\0") or len(topic.encode()) > 60_000:
                continue  # no broker brings that
            if "k" in options:
                node.session.read_back._reading = True
                node.session.read_back._missing = {"pimqtt/car1/pump/state"}
            message = self._message(topic, payload, options)
            if "b" in options:
                together.append(message)
            elif together:
                await node.read(*together, message)  # they may overtake each other: only the end of it is judged
                node.board.sound()
                together = []
            else:
                await self._one(message)
        if node.session.replaying:
            node.session.marked(node.session._marker)
        await node.settle()
        await node.wait(2.5)
        node.board.sound()
        await node.clean()

    def _message(self, topic: str, payload: bytes, options: dict[str, str]) -> Incoming:
        node = self.node
        if b"%" in payload:
            payload = payload.replace(b"%TOKEN%", node.shell.voice.stamp.give(self.clock.now_s).encode())
            payload = payload.replace(b"%NOW%", str(self.clock.time()).encode())
        node.broker.version = "3.1.1" if "3" in options else "5"
        if "p" in options:
            node.session.replaying = True
        whole = topic[1:] if topic.startswith("/") else f"pimqtt/car1/{topic}"
        five = node.broker.version == "5"
        expiry_s = min(int(_seconds(options["e"])), 1 << 32) if "e" in options and five else None
        answer = (options.get("a"), options.get("c", "").encode() or None) if five else (None, None)
        at_s = self.clock.now_s - _seconds(options.get("s", "0"))
        return Incoming(whole, payload, int("q" in options), "r" in options, at_s, expiry_s, *answer)

    async def _one(self, message: Incoming) -> None:
        node, levels = self.node, dict(self.node.board.levels)
        latched = [name for name, is_on in node.model.latched.items() if is_on]
        before = Before(latched, node.session.replaying)
        node.forget()
        heard = self._listen()
        await node.read(message)
        node.board.sound()
        for content in [strict(data) for topic, data in node.broker.told if topic.endswith("/result") and data]:
            for answer in content if isinstance(content, list) else [content]:
                check_result(answer)
        if node.board.levels != levels:
            check_movement(node, message, before, heard)
        if message.payload and not before.replaying and not node.session.replaying:
            check_answered(node, message)

    def _listen(self) -> list[wire.Message]:
        """Note what the keeper answers."""
        heard: list[wire.Message] = []
        link, end = self.node.link, self.node.link._link
        receive = type(end).receive

        def noting() -> list[tuple[int, wire.Message]]:
            came = receive(end)
            heard.extend(part for _, part in came)
            return came

        link._link.receive = noting  # type: ignore[method-assign]
        return heard


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), 10_000.0) if math.isfinite(value) else 0.0
