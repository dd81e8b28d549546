"""The agent's side of the links: commands out with 300 ms for an answer, what keepers tell in."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from pimqtt_agent.errors import LinkError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link
from pimqtt_agent.keeper.messages import Message

log = logging.getLogger(__name__)

#: A command that is unanswered for this long is rejected (s).
ANSWER_S = 0.3
#: More than this wait for answers: the rest stays with the agent, where a stop can overtake it.
WINDOW = 100
#: For so long the answer to a single command is watched for before we sleep (s): most come within half of it, and to
#: be woken takes as long again. Not where the keeper would wait for the processor that watches.
WATCH_S = 0.000_25 if len(os.sched_getaffinity(0)) > 1 else 0.0

Done = Callable[[wire.Answer], None]
Make = Callable[[int], Message]


@dataclass(slots=True)
class Asked:
    """What waits for an answer until ``due_s`` (the loop's time); ``again``: how to ask the next keeper for it."""

    done: Done
    due_s: float
    again: Make | None


class KeeperLink:
    """One keeper as the agent sees it. ``tell`` gets everything that is not an answer."""

    def __init__(
        self,
        name: str,
        end: socket.socket,
        devices: list[dict[str, Any]],
        *,
        tell: Callable[[KeeperLink, Message], None],
        ask_beat: Callable[[str], None],
        after: Callable[[], None],
    ) -> None:
        """``name`` is empty for the pins; ``after`` is called when a wake-up's messages are done."""
        self.name = name
        self.welcome = False
        self.replaced = False
        self.said_bye = asyncio.Event()
        self._link = Link(end)
        self._devices = devices
        self._session = int.from_bytes(os.urandom(4), "little") | 1
        #: how many questions there were
        self.asked = 0
        self._waiting: dict[int, Asked] = {}
        self._again: list[tuple[Make, Done]] = []
        self._tell, self._ask_beat, self._after = tell, ask_beat, after
        self._timer: asyncio.TimerHandle | None = None
        self._doubtful = False
        self._answers = select.poll()

    def start(self) -> None:
        """Listen, and ask for everything."""
        asyncio.get_running_loop().add_reader(self._link.fileno(), self._readable)
        self._answers.register(self._link.fileno(), select.POLLIN)
        self._hello()

    def stop(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self._link.fileno())
        if self._timer:
            self._timer.cancel()
            self._timer = None

    @property
    def room(self) -> bool:
        """Whether another ordinary command may be sent."""
        return len(self._waiting) < WINDOW

    def hold(self) -> None:
        """Collect what is asked from now on."""
        self._link.hold()

    def release(self) -> None:
        """Ask it, in one message; refuse what finds no room."""
        for message in self._link.release():
            asked = self._waiting.pop(message.seq, None) if isinstance(message, wire.Do | wire.Press) else None
            if asked:
                asked.done(_unavailable(0, "the keeper does not keep up"))

    def ask(self, make: Make, done: Done, *, again: bool = False, now: bool = False) -> None:
        """Send what ``make`` makes of a sequence number; ``done`` gets the answer, or its absence as a rejection.

        ``again`` is for what must not be lost (an emergency stop): it is the first that the next keeper is asked for.
        ``now`` overtakes what is being collected.
        """
        self.asked += 1
        seq = self.asked
        if not self.welcome:
            if again:
                self._again.append((make, done))
            else:
                done(_unavailable(seq, "the keeper is not there"))
            return
        if not self._link.send(make(seq), now=now or again):
            done(_unavailable(seq, "the keeper does not keep up"))
            return
        loop = asyncio.get_running_loop()
        self._waiting[seq] = Asked(done, loop.time() + ANSWER_S, make if again else None)
        if self._timer is None:
            self._timer = loop.call_later(ANSWER_S, self._expire)

    def watch(self) -> None:
        """Take the answer to what was just asked, if it comes at once."""
        end_s = time.monotonic() + WATCH_S
        while (asked := self._waiting.get(self.asked)) and asked.due_s < inf and time.monotonic() < end_s:
            if self._answers.poll(0):
                self._readable()

    def tell(self, message: Message) -> None:
        """Send what has no answer."""
        if self.welcome:
            self._link.send(message)

    def _hello(self) -> None:
        self._link.send(wire.Hello(wire.VERSION, self._session, self._devices))

    def _readable(self) -> None:
        try:
            received = self._link.receive()
        except LinkError as error:  # what waits for an answer is refused, and the supervisor asked for a beat
            log.warning("%s", error)
            received = []
        for generation, message in received:
            if isinstance(message, wire.Welcome):
                self._welcomed(generation, message)
            elif self.welcome and generation == self._link.generation:
                self._take(message)
        self._link.flush()
        self._after()

    def _welcomed(self, generation: int, message: wire.Welcome) -> None:
        known = self._link.generation
        if generation != known:
            self.replaced = self.replaced or known > 0
            self._lose("the keeper was replaced")
        self._link.generation = generation
        if message.session != self._session:
            self.welcome = False
            if generation > 1 or known:  # the first keeper still has our first hello before it
                self._hello()
            return
        self.welcome, self._doubtful = True, False
        asked, self._again = self._again, []
        for make, done in asked:
            self.ask(make, done, again=True)
        self._tell(self, message)

    def _take(self, message: Message) -> None:
        if isinstance(message, wire.Answer):
            asked = self._waiting.pop(message.seq, None)
            if asked:
                asked.done(message)
            elif not message.code and not self._doubtful:  # a stop that was rejected for its keeper's silence is done
                self._doubtful = True
                self._hello()
        elif isinstance(message, wire.Pending):
            if message.seq in self._waiting:
                self._waiting[message.seq].due_s = inf
        else:
            self._tell(self, message)

    def blob(self, message: wire.Blob) -> bytes:
        """Take the picture that a message announced."""
        return self._link.blobs.pop((message.device, message.key), b"")

    def _lose(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for seq, asked in waiting.items():
            if asked.again:
                self._again.append((asked.again, asked.done))
            else:
                asked.done(_unavailable(seq, reason))

    def _expire(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        late = [seq for seq, asked in self._waiting.items() if asked.due_s <= loop.time()]
        if late:
            self._ask_beat(self.name)
        for seq in late:
            asked = self._waiting[seq]
            if asked.again:
                asked.due_s = inf  # this keeper, or the next one
            else:
                del self._waiting[seq]
                asked.done(_unavailable(seq, f"the keeper did not answer within {ANSWER_S * 1000:g} ms"))
        next_due_s = min((asked.due_s for asked in self._waiting.values()), default=inf)
        if next_due_s < inf:
            self._timer = loop.call_later(max(0.001, next_due_s - loop.time()), self._expire)
        self._after()


def _unavailable(seq: int, reason: str) -> wire.Answer:
    return wire.Answer(seq, "unavailable", reason, None, None, None, None, None)
