"""From a message to a keeper: parse, judge, order. Stops and latches overtake everything that waits here.

Each keeper has a queue of its own, so that the pins never wait for a camera.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pimqtt_agent import commands, retained
from pimqtt_agent.answers import Answers, plain
from pimqtt_agent.broker import Incoming
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.commands import Envelope, Request
from pimqtt_agent.entities import quote, shortened
from pimqtt_agent.errors import CommandError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model, Thing
from pimqtt_agent.repeats import Repeat, Repeats
from pimqtt_agent.replies import result
from pimqtt_agent.retained import Arrival
from pimqtt_agent.rules import ANONYMOUS
from pimqtt_agent.topics import is_publishable

#: Why what waited is dropped, by its code.
OVERTAKEN = {"stale": "a stop of this output overtook it", "latched": "an emergency stop overtook it"}


@dataclass(slots=True, eq=False)
class Job:
    """A command on its way. ``overtaken`` and ``barred`` tell what came after it and whether it must let go first."""

    message: Incoming
    thing: Thing
    envelope: Envelope
    request: Request | None = None
    stale: str = ""
    overtaken: str = ""
    barred: bool = False
    repeat: Repeat | None = None

    @property
    def stops(self) -> bool:
        """Whether it is a stop."""
        return self.request is not None and self.request.stop

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.envelope.owner or ANONYMOUS


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
    ) -> None:
        """``keeper`` names the link of a device; ``press`` does a button; ``wall_s`` is None without a sure clock."""
        self._model, self._answers, self._keeper, self._press = model, answers, keeper, press
        self._memory, self._wall_s, self._priority_cap = memory, wall_s, priority_cap
        self.may_simulate = may_simulate
        self._queues: dict[str, deque[Job]] = {}
        self._repeats = Repeats()
        self.motion_stale = ""

    def take(self, message: Incoming, thing: Thing, *, replay: bool) -> None:
        """Take a command; a stop goes at once, everything else in order."""
        job = Job(message, thing, Envelope())
        try:
            job.envelope = commands.open_envelope(message.payload)
            job.request = commands.read(thing.entity, job.envelope, thing.last_on)
            if self._done_before(job):
                return
            self._judge(job, replay=replay)
        except CommandError as error:
            if not replay:
                self._not_let_go(job, error.extra)
            self._refuse(job, error.code, str(error), error.extra)
            return
        if job.request.stop and thing.moves:
            self._overtake(job)
        else:
            self._queue(thing.device.id).append(job)

    def is_stop(self, message: Incoming, thing: Thing) -> bool:
        """Tell whether a message is a stop."""
        try:
            return commands.read(thing.entity, commands.open_envelope(message.payload)).stop
        except CommandError:
            return False

    def latched(self, device: str) -> None:
        """Drop what waits for the outputs of an emergency stop: a reset that follows at once must not start it."""
        for job in self._queue(device):
            rules = job.thing.entity.rules
            if rules and not rules.setting and not job.stops and device in ("", job.thing.device.id):
                job.overtaken, job.barred = "latched", True

    def pump(self) -> None:
        """Send what waits, as far as keepers have room."""
        for name, queue in self._queues.items():
            if queue:
                keeper = self._keeper(name)
                keeper.hold()
                self._pump(queue, keeper)
                keeper.release()

    def _queue(self, device: str) -> deque[Job]:
        return self._queues.setdefault(self._keeper(device).name, deque())

    def _pump(self, queue: deque[Job], keeper: KeeperLink) -> None:
        while queue:
            job = queue[0]
            late_s = boottime_s() - job.message.at_s
            if job.overtaken:
                code, reason = job.overtaken, OVERTAKEN[job.overtaken]
            elif late_s > wire.OLDEST_S and not job.stops:
                code, reason = "unavailable", f"it waited {late_s:.2f} s: too many commands at once"
            elif keeper.room:
                self._send(queue.popleft(), keeper)
                continue
            else:
                return
            queue.popleft()
            self._not_let_go(job, {})
            self._refuse(job, code, f"{quote(job.envelope.raw)}: {reason}")

    def _not_let_go(self, job: Job, extra: dict[str, Any]) -> None:
        """Tell the keeper that somebody still sends to an output, though it gets nothing of what we refuse here."""
        thing = job.thing
        rules = thing.entity.rules
        if not thing.moves or rules is None or (job.request is not None and job.request.value == rules.safe):
            return
        owner = str(job.envelope.owner or extra.get("owner") or ANONYMOUS)
        self._keeper(thing.device.id).tell(wire.Refused(thing.device.id, thing.entity.key, owner, job.barred))

    def _judge(self, job: Job, *, replay: bool) -> None:
        assert job.request is not None
        arrival = Arrival(
            retain=job.message.retain,
            replay=replay,
            wall_s=self._wall_s() if job.envelope.at is not None else None,
            left_s=job.message.expiry_s,
            way_s=job.message.way_s,
            stall=self.motion_stale,
        )
        verdict = retained.judge(job.thing.entity, job.envelope, job.request, arrival)
        if verdict.code:
            raise CommandError(verdict.code, verdict.reason)
        job.stale = verdict.stale
        if job.request.ttl_s != verdict.ttl_s and not job.request.stop:
            job.request = retained.resolved(job.request, verdict)

    def _overtake(self, stop: Job) -> None:
        """Send a stop of motion; what was read before it is dropped. Commands to one level keep their order."""
        for job in self._queue(stop.thing.device.id):
            if job.thing is stop.thing and not job.overtaken:
                job.overtaken, job.barred = "stale", job.owner != stop.owner
        self._send(stop, self._keeper(stop.thing.device.id))

    def _send(self, job: Job, keeper: KeeperLink) -> None:
        request, envelope, thing = job.request, job.envelope, job.thing
        assert request is not None
        if thing.entity.rules is None:
            self._press(job, lambda answer: self._answered(job, answer))
            return
        owner = job.owner
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
            sent = f"{quote(job.envelope.raw)}: " if answer.code == "unavailable" else ""
            self._refuse(job, answer.code, sent + answer.reason, {"holder": answer.holder, **(answer.extra or {})})
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
        self._tell(job, outcome="accepted", state=plain(thing, thing.state), ttl=answer.ttl_s, holder=answer.holder,
                   token=answer.token)  # fmt: skip

    def _refuse(self, job: Job, code: str, reason: str, extra: dict[str, Any] | None = None) -> None:
        state = plain(job.thing, job.thing.state) if job.thing.known else None
        self._tell(job, outcome="rejected", code=code, reason=reason, state=state, **(extra or {}))
        self._answers.state_again(job.thing)

    def _tell(self, job: Job, **fields: Any) -> None:
        envelope, repeat = job.envelope, job.repeat
        value = plain(job.thing, job.request.value) if job.request else shortened(envelope.raw)
        answer = result(**{"id": envelope.id, "owner": job.owner, "value": value, **fields})
        told = answer["outcome"] == "rejected" or answer["id"] is not None
        for message in (job.message, *(repeat.again if repeat else ())):
            self._answers.result(job.thing.topic_result, answer, self.reply(message), told=told)
        if repeat:
            repeat.again.clear()
            self._repeats.answered(repeat, answer)

    def reply(self, message: Incoming) -> tuple[str, bytes | None] | None:
        """Return where else the sender wants the answer; below our reply prefix only."""
        topic = message.response_topic
        if not topic or not topic.startswith(self._model.topics.reply_prefix) or not is_publishable(topic):
            return None
        return topic, message.correlation

    def _wants_answer(self, job: Job) -> bool:
        return job.envelope.id is not None or self.reply(job.message) is not None

    def _done_before(self, job: Job) -> bool:
        """Answer a repeated QoS 1 command again; a stop is always done."""
        if job.message.qos != 1 or job.envelope.id is None or job.stops:
            return False
        now = time.monotonic()
        earlier = self._repeats.earlier(now, job.message)
        if earlier is None:
            job.repeat = self._repeats.add(now, job.message)
            return False
        answer = earlier.told
        if answer is None:
            earlier.again.append(job.message)
        else:
            self._answers.result(job.thing.topic_result, answer, self.reply(job.message), told=True)
        return True
