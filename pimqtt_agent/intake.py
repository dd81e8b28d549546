"""From a message to a keeper: parse, judge, order. Stops and latches overtake everything that waits here."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pimqtt_agent import commands, retained
from pimqtt_agent.answers import Answers, plain, result, shortened
from pimqtt_agent.broker import Incoming
from pimqtt_agent.commands import Envelope, Request
from pimqtt_agent.errors import CommandError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model, Thing
from pimqtt_agent.retained import Arrival
from pimqtt_agent.rules import ANONYMOUS

#: A command that waited longer than this in the agent is refused, stops excepted (s).
OLDEST_S = 0.25
#: How long an answered command is remembered, and how many.
REMEMBER_S, REMEMBER = 60.0, 2000


@dataclass(slots=True, eq=False)
class Job:
    """A command on its way. ``again``: further copies of it that want the same answer."""

    message: Incoming
    thing: Thing
    envelope: Envelope
    request: Request | None = None
    stale: str = ""
    dropped: bool = False
    answer: dict[str, Any] | None = None
    again: list[Incoming] = field(default_factory=list)

    @property
    def stops(self) -> bool:
        """Whether it is a stop."""
        return self.request is not None and self.request.stop


class Intake:
    """The way of a command through the agent."""

    def __init__(
        self,
        model: Model,
        answers: Answers,
        keeper: Callable[[str], KeeperLink],
        press: Callable[[Job, Callable[[wire.Answer], None]], None],
        *,
        memory: Memory,
        wall_s: Callable[[], float | None],
        priority_cap: Callable[[str], int],
        may_simulate: bool,
        links: Callable[[], Iterable[KeeperLink]],
    ) -> None:
        """``keeper`` names the link of a device; ``press`` does a button; ``wall_s`` is None without a sure clock."""
        self._model, self._answers, self._keeper, self._press = model, answers, keeper, press
        self._memory, self._wall_s, self._priority_cap = memory, wall_s, priority_cap
        self.may_simulate, self._links = may_simulate, links
        self._queue: deque[Job] = deque()
        self._seen: OrderedDict[tuple[str, bytes], tuple[float, Job]] = OrderedDict()
        self.motion_stale = ""

    def take(self, message: Incoming, thing: Thing, *, replay: bool) -> None:
        """Take a command; a stop goes at once, everything else in order."""
        job = Job(message, thing, Envelope())
        try:
            job.envelope = commands.open_envelope(message.payload)
            if self._seen_before(job):
                return
            job.request = commands.read(thing.entity, job.envelope, thing.last_on)
            self._judge(job, replay=replay)
        except CommandError as error:
            self._refuse(job, error.code, str(error), error.extra)
            return
        if job.request.stop:
            self._overtake(job)
        else:
            self._queue.append(job)

    def is_stop(self, message: Incoming, thing: Thing) -> bool:
        """Tell whether a message is a stop."""
        try:
            return commands.read(thing.entity, commands.open_envelope(message.payload)).stop
        except CommandError:
            return False

    def pump(self) -> None:
        """Send what waits, as far as keepers have room."""
        if not self._queue:
            return
        links = self._links()
        for link in links:
            link.hold()
        self._pump()
        for link in links:
            link.release()

    def _pump(self) -> None:
        queue = self._queue
        while queue:
            job = queue[0]
            keeper = self._keeper(job.thing.device.id)
            late_s = time.clock_gettime(time.CLOCK_BOOTTIME) - job.message.at_s
            if job.dropped:
                queue.popleft()
                self._refuse(job, "stale", "a stop of this output overtook it")
            elif late_s > OLDEST_S and not job.stops:
                queue.popleft()
                self._refuse(job, "unavailable", f"it waited {late_s:.2f} s: too many commands at once")
            elif keeper.room:
                queue.popleft()
                self._send(job, keeper)
            else:
                return

    def _judge(self, job: Job, *, replay: bool) -> None:
        assert job.request is not None
        arrival = Arrival(
            retain=job.message.retain,
            replay=replay,
            wall_s=self._wall_s() if job.envelope.at is not None else None,
            left_s=job.message.expiry_s,
        )
        verdict = retained.judge(job.thing.entity, job.envelope, job.request, arrival)
        if verdict.code:
            raise CommandError(verdict.code, verdict.reason)
        job.stale = verdict.stale
        if self.motion_stale and job.thing.moves and not job.request.stop:
            job.stale = self.motion_stale
        if job.request.ttl_s != verdict.ttl_s and not job.request.stop:
            job.request = retained.resolved(job.request, verdict)

    def _overtake(self, stop: Job) -> None:
        """Commands to one level keep their order; motion that was read before its stop is dropped."""
        if not stop.thing.moves:
            self._queue.append(stop)
            return
        for job in self._queue:
            job.dropped = job.dropped or job.thing is stop.thing
        self._send(stop, self._keeper(stop.thing.device.id))

    def _send(self, job: Job, keeper: KeeperLink) -> None:
        request, envelope, thing = job.request, job.envelope, job.thing
        assert request is not None
        if thing.entity.rules is None:
            self._press(job, lambda answer: self._answered(job, answer))
            return
        owner = envelope.owner or ANONYMOUS
        keeper.ask(
            lambda seq: wire.Do(
                seq, thing.device.id, thing.entity.key, request.value, request.ttl_s, request.stop, owner,
                min(envelope.priority, self._priority_cap(owner)), envelope.id, envelope.token, job.stale,
                job.message.at_s, request.transition_s, self._wants_answer(job),
            ),
            lambda answer: self._answered(job, answer),
            now=job.stops and thing.moves,
        )  # fmt: skip

    def _answered(self, job: Job, answer: wire.Answer) -> None:
        thing, request = job.thing, job.request
        assert request is not None
        if answer.code:
            if answer.code != "unavailable" and thing.entity.rules is not None:
                thing.heard(answer.state)
            self._refuse(job, answer.code, answer.reason, {"holder": answer.holder, **(answer.extra or {})})
            return
        if thing.entity.rules is not None:
            thing.heard(answer.state)
            if answer.ttl_s is None and thing.resting != request.value:
                thing.resting = request.value
                self._memory.resting_changed(thing)
            if not job.message.retain:
                self._memory.accepted(job.message)
            self._answers.state(thing)
        if job.envelope.id is None and not self._wants_answer(job):
            return  # the state is the answer
        job.answer = self._result(
            job, outcome="accepted", state=plain(thing, thing.state), ttl=answer.ttl_s, holder=answer.holder,
            token=answer.token,
        )  # fmt: skip
        self._tell(job)

    def _refuse(self, job: Job, code: str, reason: str, extra: dict[str, Any] | None = None) -> None:
        state = plain(job.thing, job.thing.state) if job.thing.known else None
        job.answer = self._result(job, outcome="rejected", code=code, reason=reason, state=state, **(extra or {}))
        self._tell(job)
        self._answers.state_again(job.thing)

    def _result(self, job: Job, **fields: Any) -> dict[str, Any]:
        envelope = job.envelope
        value = plain(job.thing, job.request.value) if job.request else shortened(envelope.raw)
        return result(**{"id": envelope.id, "owner": envelope.owner or ANONYMOUS, "value": value, **fields})

    def _tell(self, job: Job) -> None:
        assert job.answer is not None
        for message in (job.message, *job.again):
            told = job.answer["outcome"] == "rejected" or job.answer["id"] is not None
            self._answers.result(job.thing.topic_result, job.answer, self.reply(message), told=told)
        job.again.clear()

    def reply(self, message: Incoming) -> tuple[str, bytes | None] | None:
        """Return where else the sender wants the answer; below our reply prefix only."""
        topic = message.response_topic
        if not topic or not topic.startswith(self._model.topics.reply_prefix) or "+" in topic or "#" in topic:
            return None
        return topic, message.correlation

    def _wants_answer(self, job: Job) -> bool:
        return job.envelope.id is not None or self.reply(job.message) is not None

    def _seen_before(self, job: Job) -> bool:
        """Answer a repeated QoS 1 command again; a stop is always done."""
        if job.message.qos != 1 or job.envelope.id is None:
            return False
        now, key = time.monotonic(), (job.message.topic, job.message.payload)
        while self._seen and (len(self._seen) > REMEMBER or next(iter(self._seen.values()))[0] < now - REMEMBER_S):
            self._seen.popitem(last=False)
        earlier = self._seen.get(key)
        if earlier is None or (earlier[1].request is not None and earlier[1].request.stop):
            self._seen[key] = (now, job)
            return False
        earlier[1].again.append(job.message)
        if earlier[1].answer is not None:
            for message in earlier[1].again:
                self._answers.result(job.thing.topic_result, earlier[1].answer, self.reply(message), told=True)
            earlier[1].again.clear()
        return True
