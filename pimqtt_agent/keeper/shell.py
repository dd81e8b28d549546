"""The shell of the leases: messages in, pins driven, answers out. It alone runs drivers; it never waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf
from typing import Any

from pimqtt_agent.devices import Device
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.keeper import asked
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.bench import Bench
from pimqtt_agent.keeper.ledger import Ledger
from pimqtt_agent.keeper.link import Link
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.voice import Voice
from pimqtt_agent.rules import Accepted, Action, Command, Drive, Motion, Reverted

log = logging.getLogger(__name__)

#: Why it ended where no agent came back.
ALONE = "no agent came back"


class Shell:
    """One keeper's leases and drivers."""

    def __init__(self, board: Board, page: Page, link: Link, *, linger_s: float, clock: Callable[[], float]) -> None:
        """Start with nothing mounted. ``clock`` is CLOCK_BOOTTIME (s), as every ``now``."""
        self.link = link
        self.bench = Bench(board, page, self)
        self.voice = Voice(link, self.bench)
        self.done = ""
        self.remounted = False  # other devices than at the start are mounted
        self._linger_s, self._clock = linger_s, clock
        self._agent_s = 0.0
        self._home_assistant_lost = False  # for the next agent, which may not hear it again
        self._ledger = Ledger()
        self._handlers: dict[type[wire.Message], Any] = {
            wire.Do: self._do,
            wire.Press: partial(asked.press, self.bench, self.voice),
            wire.Latch: self._latch,
            wire.Proof: self._proof,
            wire.Heartbeat: self._heartbeat,
            wire.Token: partial(asked.token, self.bench, self.voice),
            wire.Simulate: partial(asked.simulate, self.bench, self.voice),
            wire.Pins: partial(asked.pins, self.bench, self.voice),
            wire.Refused: self._refused,
            wire.Hello: self._hello,
            wire.Beat: lambda _message, _now: None,
        }

    @property
    def busy(self) -> bool:
        """Whether a lease runs or an output is away from safe: the keeper then beats fast."""
        return bool(self._ledger.busy)

    def deadline_s(self) -> float:
        """When ``tick`` is wanted next."""
        linger_s = self._agent_s + self._linger_s if not self._ledger.leased else inf
        return min(self._ledger.deadline_s, self.bench.deadline_s(), linger_s)

    def open(self, devices: Sequence[Device], opened: Callable[[], None] = lambda: None) -> None:
        """Mount the devices (``opened`` hears of each) and say so; the start counts as the agent's first sign."""
        self._agent_s = self._clock()
        for device in sorted(devices, key=_haste):
            self._ledger.touched.update(self.bench.mount(device, self._clock))
            opened()
        # told in the order of the configuration all the same
        self.bench.mounted = {device.id: self.bench.mounted[device.id] for device in devices}
        self.link.send(wire.Welcome(wire.VERSION, 0, []))
        self._note()

    def handle(self, message: wire.Message, now: float) -> None:
        """Do what the agent asks."""
        self._agent_s = now
        handler = self._handlers.get(type(message))
        if handler is None:
            log.warning("%s is no agent's to say: left out", type(message).__name__)
            return
        handler(message, now)
        self._end_failed(now)
        self._note()

    def tick(self, now: float) -> None:
        """Do what is due: leases first, then drivers."""
        for output in self._ledger.due(now):
            self._perform(output.tick(now), now)
        for mounted in self.bench.tick(now):
            self._ledger.touched.update(mounted.outputs.values())
        self._end_failed(now)
        self._note()
        if now >= self._agent_s + self._linger_s and not self._ledger.leased:
            self.finish(now, ALONE)

    def leave(self, device_ids: Iterable[str], now: float) -> None:
        """End the leases of what will leave or change, and apply ``on_stop``: its agent can still tell."""
        for device_id in device_ids:
            mounted = self.bench.mounted.get(device_id)
            for output in mounted.outputs.values() if mounted else ():
                self._perform(output.finish(now), now)
        self._note()

    def finish(self, now: float, reason: str) -> None:
        """End leases, apply ``on_stop``, tell the agent, and stop."""
        self.leave(self.bench.mounted, now)
        self.link.send(wire.Bye(reason))
        self.done = reason

    def _end_failed(self, now: float) -> None:
        """End the leases of what failed, so that nobody believes in them."""
        failed, self.bench.failed = self.bench.failed, []
        if not failed:
            return
        actions = [action for output in failed for action in output.fail(now)]
        self.bench.reopen(failed, now)  # at what `fail` left: the claim is the change
        self._perform([a for a in actions if not (isinstance(a, Drive) and a.output in failed)], now)
        self._ledger.touched.update(failed)

    # what the agent asks

    def _hello(self, hello: wire.Hello, now: float) -> None:
        if hello.version != wire.VERSION:
            self.finish(now, "another version of the link")
            return
        outdated = self.bench.outdated(hello.devices)
        kept = self.bench.mounted.keys() - set(outdated)
        reopened = [spec["id"] for spec in hello.devices if spec["id"] not in kept]
        welcome = wire.Welcome(wire.VERSION, hello.session, reopened, self._home_assistant_lost)
        self.link.send(welcome)  # first: what ends now is told, too
        if outdated or reopened:
            self._reconfigure(outdated, hello.devices, now)
        self.bench.tell_all()
        for mounted in self.bench.mounted.values():
            for output in mounted.outputs.values():
                self.voice.lease(output, always=True)
        self.bench.tell_latches()  # the agent writes its memory by these: it must know what rests where by then

    def _reconfigure(self, outdated: list[str], wanted: list[dict[str, Any]], now: float) -> None:
        self.remounted = True
        for device_id in outdated:
            for output in self.bench.mounted[device_id].outputs.values():
                self._perform(output.finish(now), now)
                self._ledger.forget(output)
                self.voice.forget(output)
            self.bench.unmount(device_id)
        for device in self.bench.missing(wanted):
            self._ledger.touched.update(self.bench.mount(device, self._clock))

    def _do(self, do: wire.Do, now: float) -> None:
        mounted = self.bench.mounted.get(do.device)
        output = mounted.outputs.get(do.key) if mounted else None
        dead = mounted is not None and mounted.driver is None and not do.stop  # a stop is never lost: it rests at safe
        if mounted is None or output is None or dead:
            self.voice.answer(do.seq, "unavailable", self.bench.reason(do.device))
            return
        if asked.too_old(do, now) and not do.stop:
            self.voice.answer(do.seq, "unavailable", asked.waited(do, now))
            return
        token_age_s = None if do.token is None else self.voice.stamp.age_s(do.token, now)
        command = Command(
            value=do.value, ttl_s=do.ttl_s, stop=do.stop, owner=do.owner, priority=do.priority, id=do.id,
            at_s=do.at_s, token_age_s=token_age_s, stale=do.stale, transition_s=do.transition_s, reply=do,
        )  # fmt: skip
        self._owner_lives(do.owner, now)
        self._perform(output.command(now, command), now)
        self._ledger.touched.add(output)

    def _refused(self, refused: wire.Refused, now: float) -> None:
        output = self.bench.output(refused.device, refused.key)
        if output is not None:
            (output.access.bar if refused.barred else output.access.sent)(now, refused.owner)

    def _latch(self, latch: wire.Latch, now: float) -> None:
        for output, is_latched in self.bench.latch(latch.device, on=latch.on):
            if is_latched and not output.latched:
                self._perform(output.latch(now), now)
            elif not is_latched:
                output.reset()
            self._ledger.touched.add(output)
        self.voice.answer(latch.seq, "", "")
        self.bench.tell_latches()

    def _proof(self, proof: wire.Proof, now: float) -> None:
        self.bench.proof("broker", min(proof.broker_s, now))
        self.bench.proof("home_assistant", min(proof.home_assistant_s, now))
        self._home_assistant_lost = proof.home_assistant_lost
        self._ledger.touched.update(self.bench.watched)

    def _heartbeat(self, beat: wire.Heartbeat, now: float) -> None:
        self._owner_lives(beat.owner, now)
        for mounted in self.bench.mounted.values():
            for output in mounted.outputs.values():
                output.access.heartbeat(min(beat.at_s, now), beat.owner)

    def _owner_lives(self, owner: str, now: float) -> None:
        self.bench.proof(f"owner:{owner}", now)
        self._ledger.touched.update(self.bench.watched)

    # what the leases want

    def _perform(self, actions: list[Action], now: float) -> None:
        """Drive first, then say so."""
        for action in actions:
            self._ledger.touched.add(action.output)
            if isinstance(action, Drive):
                self.bench.remember(action.output)  # first: a kill between the two must not forget that it was on
                self.bench.drive(action, now)
        answered = None
        for action in actions:
            if isinstance(action, Reverted):
                self.voice.reverted(action)
            elif not isinstance(action, Drive):
                self.voice.reply(action, now)
                answered = action.output if isinstance(action, Accepted) else answered
        for action in actions:
            if isinstance(action, Drive) and action.output is not answered:
                self.bench.tell_state(action.output)

    def _note(self) -> None:
        """Keep what must outlive us of what was touched, and tell its leases."""
        for output in self._ledger.renew():
            self.bench.remember(output)
            self.voice.lease(output)


def _haste(device: Device) -> int:
    """Rank by what the keeper before may have left: what moves is claimed first, then other outputs, then inputs."""
    motions = [entity.rules.motion for entity in device.declared if entity.rules]
    return 2 if not motions else int(all(motion is Motion.LEVEL for motion in motions))
