"""The shell of the leases: messages in, pins driven, answers out. It alone runs drivers; it never waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from pimqtt_agent.devices import Device
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.bench import Bench, Mounted
from pimqtt_agent.keeper.link import Link
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.stamp import Stamp
from pimqtt_agent.lease import Output
from pimqtt_agent.rules import Accepted, Action, Command, Drive, Lease, Rejected, Reverted, Waiting

log = logging.getLogger(__name__)

_UNLEASED: tuple[Lease | None, Any] = (None, None)
#: A command that is older than this when it arrives is dropped, stops excepted (s).
OLDEST_S = 0.25


class Shell:
    """One keeper's leases and drivers."""

    def __init__(self, board: Board, page: Page, link: Link, *, linger_s: float, clock: Callable[[], float]) -> None:
        """Start with nothing mounted. ``clock`` is CLOCK_BOOTTIME (s), as every ``now``."""
        self.link = link
        self.board = board
        self.bench = Bench(board, page, self)
        self.stamp = Stamp(link.generation)
        self.done = ""
        self.remounted = False  # other devices than at the start are mounted
        self._linger_s, self._clock = linger_s, clock
        self._agent_s = 0.0
        self._due: dict[Output, float] = {}
        self._busy: set[Output] = set()
        self._told: dict[Output, tuple[Lease | None, Any]] = {}
        self._handlers: dict[type[wire.Message], Any] = {
            wire.Do: self._do,
            wire.Press: self._press,
            wire.Latch: self._latch,
            wire.Proof: self._proof,
            wire.Heartbeat: self._heartbeat,
            wire.Token: self._token,
            wire.Simulate: self._simulate,
            wire.Hello: self._hello,
            wire.Beat: lambda _message, _now: None,
        }

    @property
    def busy(self) -> bool:
        """Whether a lease runs or an output is away from safe: the keeper then beats fast."""
        return bool(self._busy)

    def deadline_s(self) -> float:
        """When ``tick`` is wanted next."""
        linger_s = self._agent_s + self._linger_s if not self._leased() else inf
        return min(min(self._due.values(), default=inf), self.bench.deadline_s(), linger_s)

    def open(self, devices: Sequence[Device]) -> None:
        """Mount the devices and say so; the start counts as the agent's first sign."""
        self._agent_s = self._clock()
        for device in devices:
            self._note(self.bench.mount(device, self._clock))
        self.link.send(wire.Welcome(wire.VERSION, 0, []))

    def handle(self, message: wire.Message, now: float) -> None:
        """Do what the agent asks."""
        self._agent_s = now
        self._handlers[type(message)](message, now)
        self._end_failed(now)

    def tick(self, now: float) -> None:
        """Do what is due: leases first, then drivers."""
        for output in [output for output, due_s in self._due.items() if due_s <= now]:
            self._perform(output.tick(now), now)
            self._note([output])
        for mounted in self.bench.tick(now):
            self._note(mounted.outputs.values())
        self._end_failed(now)
        if now >= self._agent_s + self._linger_s and not self._leased():
            self.finish(now, "no agent came back")

    def finish(self, now: float, reason: str) -> None:
        """End leases, apply ``on_stop``, tell the agent, and stop."""
        for mounted in self.bench.mounted.values():
            for output in mounted.outputs.values():
                self._perform(output.finish(now), now)
        self.link.send(wire.Bye(reason))
        self.done = reason

    def _end_failed(self, now: float) -> None:
        """End the leases of what failed, so that nobody believes in them."""
        failed, self.bench.failed = self.bench.failed, []
        for output in failed:
            self._perform(output.fail(now), now)
            self._note([output])

    # what the agent asks

    def _hello(self, hello: wire.Hello, now: float) -> None:
        if hello.version != wire.VERSION:
            self.finish(now, "another version of the link")
            return
        reopened = self._reconfigure(hello.devices, now)
        self.remounted = self.remounted or bool(reopened)
        self.link.send(wire.Welcome(wire.VERSION, hello.session, reopened))
        self.bench.tell_all()
        for mounted in self.bench.mounted.values():
            for output in mounted.outputs.values():
                self._tell_lease(output)
        self.bench.tell_latches()  # the agent writes its memory by these: it must know what rests where by then

    def _reconfigure(self, wanted: list[dict[str, Any]], now: float) -> list[str]:
        for device_id in self.bench.outdated(wanted):
            for output in self.bench.mounted[device_id].outputs.values():
                self._perform(output.finish(now), now)
                self._due.pop(output, None)
                self._told.pop(output, None)
                self._busy.discard(output)
            self.bench.unmount(device_id)
        reopened = []
        for device in self.bench.missing(wanted):
            self._note(self.bench.mount(device, self._clock))
            reopened.append(device.id)
        return reopened

    def _do(self, do: wire.Do, now: float) -> None:
        mounted = self.bench.mounted.get(do.device)
        output = mounted.outputs.get(do.key) if mounted else None
        dead = mounted is not None and mounted.driver is None and not do.stop  # a stop is never lost: it rests at safe
        if mounted is None or output is None or dead:
            reason = mounted.reason if mounted else f"{do.device} is not open"
            self._answer(do.seq, "unavailable", reason)
            return
        if now - do.at_s > OLDEST_S and not do.stop:
            self._answer(do.seq, "unavailable", f"it waited {now - do.at_s:.2f} s for its keeper")
            return
        token_age_s = None if do.token is None else self.stamp.age_s(do.token, now)
        command = Command(
            value=do.value, ttl_s=do.ttl_s, stop=do.stop, owner=do.owner, priority=do.priority, id=do.id,
            at_s=do.at_s, token_age_s=token_age_s, stale=do.stale, transition_s=do.transition_s, reply=do,
        )  # fmt: skip
        self._owner_lives(do.owner, now)
        self._perform(output.command(now, command), now)
        if do.ttl_s is None and output.lease is None and self._told.get(output, _UNLEASED)[0] is None:
            self._told[output] = (None, output.resting)  # the answer says it: no message more for a plain command
        self._note([output])

    def _press(self, press: wire.Press, now: float) -> None:
        mounted = self.bench.mounted.get(press.device)
        if mounted is None or mounted.driver is None:
            self._answer(press.seq, "unavailable", mounted.reason if mounted else f"{press.device} is not open")
            return
        if now - press.at_s > OLDEST_S:
            self._answer(press.seq, "unavailable", f"it waited {now - press.at_s:.2f} s for its keeper")
            return
        try:
            mounted.driver.press(press.key, now)
        except HardwareError as error:
            self._answer(press.seq, "unavailable", str(error))
            return
        self._answer(press.seq, "", "")

    def _latch(self, latch: wire.Latch, now: float) -> None:
        for output, is_latched in self.bench.latch(latch.device, on=latch.on):
            if is_latched and not output.latched:
                self._perform(output.latch(now), now)
            elif not is_latched:
                output.reset()
            self._note([output])
        self._answer(latch.seq, "", "")
        self.bench.tell_latches()

    def _proof(self, proof: wire.Proof, now: float) -> None:
        self.bench.proof("broker", min(proof.broker_s, now))
        self.bench.proof("home_assistant", min(proof.home_assistant_s, now))
        self._note(self.bench.watched)

    def _heartbeat(self, beat: wire.Heartbeat, now: float) -> None:
        self._owner_lives(beat.owner, now)
        for mounted in self.bench.mounted.values():
            for output in mounted.outputs.values():
                output.access.heartbeat(min(beat.at_s, now), beat.owner)

    def _owner_lives(self, owner: str, now: float) -> None:
        self.bench.proof(f"owner:{owner}", now)
        self._note(self.bench.watched)

    def _token(self, ask: wire.Token, now: float) -> None:
        mounted = self.bench.mounted.get(ask.device)
        output = mounted.outputs.get(ask.key) if mounted else None
        if output is None:
            self._answer(ask.seq, "unavailable", f"{ask.device} is not open")
            return
        self._answer(ask.seq, "", "", token=self.stamp.give(now), extra={"max_age_s": output.rules.deadman_s})

    def _simulate(self, ask: wire.Simulate, now: float) -> None:  # noqa: ARG002
        try:
            self.board.simulate(ask.line, ask.level)
        except HardwareError as error:
            self._answer(ask.seq, "unavailable", str(error))
            return
        self._answer(ask.seq, "", "")

    # what the leases want

    def _perform(self, actions: list[Action], now: float) -> None:
        """Drive first, then say so."""
        for action in actions:
            if isinstance(action, Drive):
                self.bench.remember(action.output)  # first: a kill between the two must not forget that it was on
                self.bench.drive(action, now)
        for action in actions:
            if isinstance(action, Reverted):
                self._tell_revert(action)
            elif not isinstance(action, Drive):
                self._reply(action, now)
        answered = {action.output for action in actions if isinstance(action, Accepted)}
        for action in actions:
            if isinstance(action, Drive) and action.output not in answered:
                self.bench.tell_state(action.output)
                self._note([action.output])

    def _reply(self, action: Accepted | Rejected | Waiting, now: float) -> None:
        mounted, do = self.bench.of(action.output), action.command.reply
        if isinstance(action, Waiting):
            self.link.send(wire.Pending(do.seq))
        elif isinstance(action, Rejected):
            holder = action.output.lease.owner if action.output.lease else None
            self._answer(do.seq, action.code, action.reason, mounted, do.key, holder=holder, extra=action.extra)
        elif mounted.driver is None:
            self._answer(do.seq, "unavailable", mounted.reason, mounted, do.key)
        else:
            self._accept(action, mounted, now)

    def _accept(self, action: Accepted, mounted: Mounted, now: float) -> None:
        do, output = action.command.reply, action.output
        token = self.stamp.give(now) if do.tell else None
        holder = output.lease.owner if output.lease else None
        self._answer(do.seq, "", "", mounted, do.key, ttl_s=do.ttl_s, holder=holder, token=token)

    def _answer(
        self, seq: int, code: str, reason: str, mounted: Mounted | None = None, key: str = "", *,
        ttl_s: float | None = None, holder: str | None = None, token: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        state = mounted.driver.state(key) if mounted and mounted.driver else None
        self.link.send(wire.Answer(seq, code, reason, state, ttl_s, holder, token, extra or None))

    def _tell_revert(self, action: Reverted) -> None:
        output, lease = action.output, action.lease
        mounted = self.bench.of(output)
        key = self.bench.key(output)
        state = mounted.driver.state(key) if mounted.driver else None
        owner, command_id = (lease.owner, lease.id) if lease else (None, None)
        value = output.applied
        self.link.send(wire.Reverted(mounted.device.id, key, command_id, owner, action.cause, value, state))

    def _tell_lease(self, output: Output) -> None:
        self._told[output] = (output.lease, output.resting)
        lease, mounted = output.lease, self.bench.of(output)
        device, key = mounted.device.id, self.bench.key(output)
        if lease is None:
            self.link.send(wire.Held(device, key, None, None, None, output.resting, 0.0))
        else:
            deadline_s = lease.deadline_s
            self.link.send(wire.Held(device, key, lease.owner, lease.id, lease.value, output.resting, deadline_s))

    def _note(self, outputs: Any) -> None:
        """Remember when each output is due, whether it is busy, and what must outlive us; also of its interlock."""
        others = (other for output in outputs if output.interlock for other in output.interlock.members)
        for output in (*outputs, *others):
            due_s = output.deadline_s
            if due_s < inf:
                self._due[output] = due_s
            else:
                self._due.pop(output, None)
            if output.lease or output.applied != output.rules.safe:
                self._busy.add(output)
            else:
                self._busy.discard(output)
            self.bench.remember(output)
            if self._told.get(output, _UNLEASED) != (output.lease, output.resting):
                self._tell_lease(output)

    def _leased(self) -> bool:
        return any(output.lease for output in self._busy)

