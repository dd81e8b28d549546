"""Frames of the link, both ways, on a real socket pair; and the words that supervisor and children exchange.

What is decoded is handed to a living keeper or agent, where its values are such as the other side would have let pass.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
from typing import Any

from pimqtt_agent.errors import LinkError
from pimqtt_agent.keeper import messages as wire
from tests.fuzz import mutate
from tests.fuzz.child_words import tell_keeper, tell_supervisor
from tests.fuzz.messages import Messages
from tests.fuzz.seeds.frames import ASKED, CUT, FILED, MANY, NO_FILE, OTHER, TO_AGENT, WORD, seeds
from tests.fuzz.target import Finding
from tests.fuzz.trusted import is_trusted, is_validated

#: A node lives for so many inputs: what was said to it may have crippled it.
LIVES = 200


class Frames(Messages):
    """A node whose link is spoken to by somebody who may say anything."""

    name = "frames"
    modules = (
        "keeper/link:receive,_one",
        "keeper/sealed:read",
        "keepers:_readable,_welcomed,_take,_lose,blob",
        "reports",
        "keeper/shell:handle,_hello,_reconfigure,_do,_refused,_press,_latch,_proof,_heartbeat,_owner_lives,_token,_simulate,_pins",
        "keeper/mounted:made,is_as",
        "child_agent:heard",
        "child_keepers:heard,ask_beat",
        "keeper/process:_read_control",
    )
    share = 25
    takes_ms = 7.5

    @classmethod
    def seeds(cls) -> list[bytes]:
        return seeds()

    @classmethod
    def mutated(cls, data: bytes, rng: random.Random) -> bytes:
        return mutate.packed(data, rng)

    def open(self) -> None:
        super().open()
        self.renew()

    def live(self, data: bytes) -> None:
        self._used += 1
        if self._used > LIVES:
            self.renew()
        self.loop.run_until_complete(self._speak(data[0] if data else 0, data[1:]))

    def renew(self) -> None:
        super().renew()
        self.node.link._session = 5  # else no welcome could be ours

    async def _speak(self, flags: int, data: bytes) -> None:
        node, to_agent = self.node, bool(flags & TO_AGENT)
        if flags & WORD:
            self._say(data[:8192], to_agent=to_agent)
            return
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - it is asked often
        node.forget()
        if flags & ASKED:
            node.link.ask(lambda seq: wire.Latch(seq, "", False), lambda _answer: None, again=True)
            node.link.ask(lambda seq: wire.Token(seq, "car", ""), lambda _answer: None)
        sender = node.keeper_end.socket if to_agent else node.link._link.socket
        _send(sender, flags, data, node.link._link.generation)
        if to_agent:
            self._agent(trusted=bool(flags & CUT) or is_trusted(data, many=bool(flags & MANY)))
        else:
            self._keeper()
        await node.settle()
        node.board.sound()
        await node.wait(0.5)
        node.board.sound()
        if len(os.listdir("/proc/self/fd")) > before:  # noqa: PTH208
            raise Finding("a descriptor was left open")
        if node.shell.done or node.broker.dropped or node.link.said_bye.is_set():
            self._used = LIVES

    def _say(self, word: bytes, *, to_agent: bool) -> None:
        if to_agent:
            tell_supervisor(word, self.clock.now_s)
        else:
            tell_keeper(word, self.node.shell)
            self._used = LIVES

    def _keeper(self) -> None:
        node, levels, moved = self.node, dict(self.node.board.levels), False
        came: Any = True
        while came and not node.shell.done:
            try:
                came = node.keeper_end.receive()
            except LinkError:
                continue
            for generation, message in came:
                if generation in (0, 1) and is_validated(message) and not node.shell.done:
                    node.shell.handle(message, self.clock.now_s)
                    moved |= isinstance(message, wire.Do | wire.Latch | wire.Hello)
        if node.board.levels != levels and not moved:
            raise Finding("pins moved by what is no command")

    def _agent(self, *, trusted: bool) -> None:
        if trusted:
            self.node.link._readable()
            return
        with contextlib.suppress(LinkError):
            self.node.link._link.receive()


def _send(sender: socket.socket, flags: int, data: bytes, generation: int) -> None:
    stamp = generation + bool(flags & OTHER) | (0x8000_0000 if flags & MANY else 0)
    handles: list[int] = []
    if flags & (FILED | NO_FILE):
        stamp |= 0x4000_0000 if flags & FILED else 0
        handles = [os.memfd_create("fuzz"), *os.pipe()]
        os.write(handles[0], data)
    head = stamp.to_bytes(4, "little") + (b"" if flags & FILED else data[:150_000])
    head = head[: len(data) % 4] if flags & CUT else head
    try:
        chosen = [handles[0] if flags & FILED else handles[1]] if handles else []
        socket.send_fds(sender, [head], chosen)
    finally:
        for handle in handles:
            os.close(handle)
