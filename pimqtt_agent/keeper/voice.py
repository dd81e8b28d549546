"""What a keeper says: answers, leases, reversions. Each lease and resting value is told when it changed, and once."""

from __future__ import annotations

from typing import Any

from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.bench import Bench
from pimqtt_agent.keeper.link import Link
from pimqtt_agent.keeper.mounted import Mounted
from pimqtt_agent.keeper.stamp import Stamp
from pimqtt_agent.lease import Output
from pimqtt_agent.rules import Accepted, Lease, Rejected, Reverted, Waiting

_UNLEASED: tuple[Lease | None, Any] = (None, None)


class Voice:
    """The way out of the shell."""

    def __init__(self, link: Link, bench: Bench) -> None:
        """Speak over a link of things on a bench."""
        self._link, self._bench = link, bench
        self.stamp = Stamp(link.generation)
        self._told: dict[Output, tuple[Lease | None, Any]] = {}

    def answer(
        self, seq: int, code: str, reason: str, mounted: Mounted | None = None, key: str = "", *,
        ttl_s: float | None = None, holder: str | None = None, token: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Answer what was asked; an empty code accepts."""
        state = mounted.driver.state(key) if mounted and mounted.driver else None
        self._link.send(wire.Answer(seq, code, reason, state, ttl_s, holder, token, extra or None))

    def reply(self, action: Accepted | Rejected | Waiting, now: float) -> None:
        """Say what became of a command."""
        output, do = action.output, action.command.reply
        mounted = self._bench.of(output)
        holder = output.lease.owner if output.lease else None
        if isinstance(action, Waiting):
            self._link.send(wire.Pending(do.seq))
        elif isinstance(action, Rejected):
            self.answer(do.seq, action.code, action.reason, mounted, do.key, holder=holder, extra=action.extra)
        elif mounted.driver is None:
            self.answer(do.seq, "unavailable", mounted.reason, mounted, do.key)
        else:
            if do.ttl_s is None and holder is None and self._told.get(output, _UNLEASED)[0] is None:
                self._told[output] = (None, output.resting)  # the answer says it: no message more
            token = self.stamp.give(now) if do.tell else None
            self.answer(do.seq, "", "", mounted, do.key, ttl_s=do.ttl_s, holder=holder, token=token)

    def reverted(self, action: Reverted) -> None:
        """Say that an output went back."""
        output, lease = action.output, action.lease
        mounted, key = self._bench.of(output), self._bench.key(output)
        state = mounted.driver.state(key) if mounted.driver else None
        owner, command_id = (lease.owner, lease.id) if lease else (None, None)
        self._link.send(
            wire.Reverted(mounted.device.id, key, command_id, owner, action.cause, output.applied, state)
        )

    def lease(self, output: Output, *, always: bool = False) -> None:
        """Say how an output is held and where it rests, where that changed."""
        lease, resting = output.lease, output.resting
        if not always and self._told.get(output, _UNLEASED) == (lease, resting):
            return
        self._told[output] = (lease, resting)
        device, key = self._bench.of(output).device.id, self._bench.key(output)
        if lease is None:
            self._link.send(wire.Held(device, key, None, None, None, resting, 0.0))
        else:
            self._link.send(wire.Held(device, key, lease.owner, lease.id, lease.value, resting, lease.deadline_s))

    def forget(self, output: Output) -> None:
        """Know nothing of an output that is unmounted."""
        self._told.pop(output, None)
