"""Which topic is whose business; and the watch for stalls of our own."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Callable
from typing import Any

from msgspec import structs

from pimqtt_agent.answers import Answers
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import Incoming
from pimqtt_agent.calls import Calls
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.entities import quote
from pimqtt_agent.intake import Intake
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model, Thing
from pimqtt_agent.refusals import Refusals, mistake
from pimqtt_agent.retained import digest
from pimqtt_agent.session import Session
from pimqtt_agent.stops import Stops

log = logging.getLogger(__name__)

#: After Home Assistant's birth states are published again within this (s).
JITTER_S = (0.2, 2.0)
_PIN = re.compile(r"[0-9]{1,4}")


class Router:
    """Sorts what one wake-up brought."""

    def __init__(
        self,
        *,
        model: Model,
        bridge: Bridge,
        session: Session,
        intake: Intake,
        answers: Answers,
        calls: Calls,
        memory: Memory,
        keeper: Callable[[str], KeeperLink],
        again: Callable[[], None],
    ) -> None:
        """``again`` publishes pictures once more, after Home Assistant's birth and after an announcement."""
        self._model, self._bridge, self._session, self._intake = model, bridge, session, intake
        self._answers, self._calls, self._memory, self._keeper = answers, calls, memory, keeper
        self._refusals = Refusals(model.topics, answers, intake.reply)
        self._stops = Stops(model, bridge, answers, intake, self._refusals, memory, keeper)
        self._again = session.announcer.again = again
        session.replayed = self._release
        self._tasks: set[asyncio.Task[None]] = set()
        self._calling, self._greeting = asyncio.Lock(), False
        topics = model.topics
        self._exact: dict[str, Callable[[Incoming], None]] = {
            topics.marker: lambda m: session.marked(m.payload.decode("ascii", "replace")),
            topics.availability: lambda m: session.heard_availability(m.payload.decode("ascii", "replace")),
            topics.info: lambda m: session.heard_info(m.payload),
            topics.ha_status: self._home_assistant,
            topics.call: self._call,
            **dict.fromkeys(self._stops.topics, self._stop),
        }
        deadmen = [t.entity.rules.deadman_s for t in model.outputs() if t.entity.rules and t.moves]
        self._limit_s = min(deadmen) / 2 if deadmen else 0.0
        self._alive_s = boottime_s()

    def batch(self, messages: list[Incoming], *, drained: bool) -> None:
        """Pass on every message; after a stall motion is stale until the socket was read empty."""
        self._check_stall()
        for message in messages:
            try:
                self._sort(message)
            except Exception:  # one message must not cost the others, a stop among them
                log.exception("what came on %r is left out", message.topic[:200])
        if drained:
            self._intake.motion_stale = ""

    def _sort(self, message: Incoming) -> None:
        thing = self._model.by_set.get(message.topic)
        if thing is not None:
            replaying = self._session.replaying
            if message.payload and not (replaying and self._hold(message, thing)):
                self._command(message, thing, replaying=replaying)
            elif not message.payload and not message.retain:
                self._memory.cleared(message.topic)
        elif message.topic in self._exact:
            self._exact[message.topic](message)
        else:
            self._other(message)

    async def watch_stalls(self) -> None:
        """Note that the loop is alive, eight times in the shortest dead-man's half; not at all without motion."""
        if not self._limit_s:
            return
        while True:
            self._check_stall()
            self._alive_s = boottime_s()
            await asyncio.sleep(self._limit_s / 2)

    def _check_stall(self) -> None:
        stall_s = boottime_s() - self._alive_s
        if self._limit_s and stall_s > self._limit_s:
            self._intake.motion_stale = f"the agent stood still for {stall_s:.2f} s; this may have waited"
            self._alive_s = boottime_s()

    def _hold(self, message: Incoming, thing: Thing) -> bool:
        """Keep a command in its order until our marker is back; False where it is (also) done now: a stop."""
        held = self._session.held
        stop = self._intake.is_stop(message, thing)
        behind = stop and any(other.topic == message.topic for other in held)
        if not stop or behind:
            held.append(message)
        return not stop or (behind and not thing.moves)

    def _release(self, messages: list[Incoming]) -> None:
        """Do what came before our marker, now that we know that the node's name is ours."""
        now = boottime_s()
        for message in messages:
            if message.topic in self._stops.topics:
                self._intake.latched(self._stops.topics[message.topic])
                continue
            held_s = int(now - message.at_s)
            left_s = None if message.expiry_s is None else max(0, message.expiry_s - held_s)
            late = structs.replace(message, at_s=now, expiry_s=left_s) if message.retain else message
            self._command(late, self._model.by_set[message.topic], replaying=True)
        self._intake.pump()

    def _command(self, message: Incoming, thing: Any, *, replaying: bool) -> None:
        five = self._bridge.version == "5"
        self._memory.keeps_digests = not five
        replay = message.retain and (replaying or not five)
        known = replay and not five and self._memory.was_accepted(message.topic, digest(message.payload))
        if known and not self._intake.is_stop(message, thing):
            self._clear(message.topic)
            return
        self._intake.take(message, thing, replay=replay)
        if message.retain:
            self._clear(message.topic)

    def _clear(self, topic: str) -> None:
        self._bridge.publish(topic, b"", qos=1, retain=True)
        self._memory.cleared(topic)

    def _other(self, message: Incoming) -> None:
        if self._session.read_back.take(message.topic):
            return
        device = self._model.topics.discovered(message.topic)
        if device is not None:
            if self._session.replaying:
                self._session.announcer.found(device, message.payload)
            return
        parts = self._model.topics.below(message.topic)
        if not message.payload or not parts or parts[-1] != "set":
            return
        if len(parts) == 3 and parts[0] == "sim":
            self._simulate(message, parts[1])
            return
        self._unknown(message, "/".join(parts[:-1]))

    def _unknown(self, message: Incoming, name: str) -> None:
        known = ", ".join(sorted({thing.name for thing in self._model.by_set.values()}))
        what = f"there is no {quote(name)} that takes commands" if name else "a node itself takes no commands"
        code, reason, error = "unknown", f"{what}; there are {known}", mistake(message.payload)
        if name in ("system/restart", "system/reboot", "system/identify"):
            code, reason = "forbidden", f"{quote(name)} is not allowed by system.allow here, or this board lacks it"
        if error is not None and error.code == "invalid":
            code, reason = error.code, str(error)
        self._refusals.tell(message, name, code, reason)
        if message.retain:
            self._clear(message.topic)

    def _stop(self, message: Incoming) -> None:
        """Set or reset a latch; what is held was read before it and must not be done after it."""
        if not message.payload:
            return
        if self._stops.take(message) and self._session.replaying:
            self._session.held.append(message)
        if message.retain:
            self._clear(message.topic)

    def _simulate(self, message: Incoming, pin: str) -> None:
        name, level = f"sim/{pin}", message.payload.decode("utf-8", "replace")
        if not _PIN.fullmatch(pin) or int(pin) > 1023 or level not in ("0", "1"):
            reason = f"{quote(level)} at pin {quote(pin)}: 0 or 1 at a pin's number"
            self._refusals.tell(message, name, "invalid", reason)
        elif not self._intake.may_simulate:
            self._refusals.tell(message, name, "forbidden", "hardware.control is not true in the configuration")
        else:
            self._keeper("").ask(
                lambda seq: wire.Simulate(seq, int(pin), int(level)),
                lambda answer: self._refusals.tell(message, name, answer.code, answer.reason) if answer.code else None,
            )

    def _home_assistant(self, message: Incoming) -> None:
        word = message.payload.decode("ascii", "replace")
        self._session.heard_home_assistant(word, message.at_s)
        if word == "online" and self._session.online and not self._greeting:  # what is replayed came before
            self._greeting = True
            self._spawn(self._greet())

    async def _greet(self) -> None:
        await asyncio.sleep(random.uniform(*JITTER_S))  # noqa: S311 - jitter
        self._greeting = False
        self._session.tell_all()
        self._session.announcer.part_again()
        self._again()
        self._bridge.flush()

    def _call(self, message: Incoming) -> None:
        if message.payload:
            self._spawn(self._answer_call(message))
            if message.retain:
                self._clear(message.topic)

    async def _answer_call(self, message: Incoming) -> None:
        async with self._calling:
            answers = await self._calls.answer(message.payload, message.at_s, retained=message.retain)
        self._answers.calls(self._model.topics.call_result, answers, self._intake.reply(message))
        self._bridge.flush()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
