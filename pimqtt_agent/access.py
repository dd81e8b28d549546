"""Who may command an output: holders, priorities, let-go, tokens, arming. Pure; part of the lease machine."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from pimqtt_agent.rules import Command, Lease, Motion, Rejected, Rules

if TYPE_CHECKING:
    from pimqtt_agent.lease import Output

#: Owners remembered per output; the names are a courtesy, so a flood of them only loses the oldest.
REMEMBERED = 64


class Access:
    """The memory and the rules about owners of one output."""

    def __init__(self, rules: Rules) -> None:
        """Start knowing nobody."""
        self._rules = rules
        self._barred: dict[str, float] = {}
        self._beats: dict[str, tuple[int, float]] = {}

    def holder_against(self, lease: Lease | None, command: Command) -> str | None:
        """Name who holds the output against this command."""
        if lease is None or self._rules.shared or lease.owner == command.owner:
            return None
        return lease.owner if command.priority <= lease.priority else None

    def refusal(self, output: Output, now: float, command: Command) -> Rejected | None:
        """Tell why this command is not its owner's to give, in the order of the wire's codes."""
        rules, lease = self._rules, output.lease
        if command.value == rules.safe:
            self.let_go(command.owner)
        code = reason = ""
        if output.latched:
            code, reason = "latched", self._latched(output, command)
        if not reason and (rules.token_required or command.token_age_s is not None):
            code, reason = "token", self._token(output, command)
        if not reason and (command.ttl_s is not None or command.stale or command.token_age_s is not None):
            code, reason = "stale", self._stale(output, now, command)
        if not reason and lease is not None and self.holder_against(lease, command):
            code, reason = "held", self._held(lease, command)
        if not reason and self._barred:
            code, reason = "let_go", self._let_go(now, command)
        if not reason and rules.arming_s is not None:
            code, reason = "not_armed", self._not_armed(now, command)
        return Rejected(output, command, code, reason) if reason else None

    def refused(self, now: float, command: Command, code: str) -> None:
        """Remember an owner who must let go first."""
        if command.value == self._rules.safe:
            return
        if code in ("held", "latched"):
            self.bar(now, command.owner)
        else:
            self.sent(now, command.owner)

    def sent(self, now: float, owner: str) -> None:
        """An owner sent something that was refused: whoever must still let go has not done so."""
        if now - self._barred.get(owner, -inf) < self._rules.deadman_s:
            self.bar(now, owner)

    def bar(self, now: float, owner: str) -> None:
        """Make an owner let go before it moves this output again."""
        if self._rules.motion is not Motion.LEVEL:
            self._barred.pop(owner, None)
            self._barred[owner] = now
            if len(self._barred) > REMEMBERED:
                del self._barred[next(iter(self._barred))]

    def let_go(self, owner: str) -> None:
        """The owner sent the safe value."""
        self._barred.pop(owner, None)

    def heartbeat(self, at_s: float, owner: str) -> None:
        """Note a proof of life of an owner."""
        count, _ = self._beats.pop(owner, (0, 0.0))
        self._beats[owner] = (count + 1, at_s)
        if len(self._beats) > REMEMBERED:
            del self._beats[next(iter(self._beats))]

    def _latched(self, output: Output, command: Command) -> str:
        return f"{output.quoted(command.value)}: {output.name!r} is latched by an emergency stop; reset it first"

    def _token(self, output: Output, command: Command) -> str:
        if command.token_age_s is None:
            if not self._rules.token_required:
                return ""
            needs = f"{output.name!r} takes nothing without a fresh one (call token)"
            return f"{output.quoted(command.value)} bears no token, and {needs}"
        if command.token_age_s >= 0:
            return ""
        what = output.quoted(command.value)
        return f"{what} bears a token that this keeper did not give; ask for another (call token)"

    def _stale(self, output: Output, now: float, command: Command) -> str:
        if command.ttl_s is not None and now >= command.at_s + command.ttl_s:
            waited = f"{output.quoted(command.value)} waited {now - command.at_s:.2f} s here"
            return f"{waited}, its ttl is {command.ttl_s:g} s"
        age_s = command.token_age_s
        if age_s is None:
            return command.stale
        if age_s <= self._rules.deadman_s:
            return ""
        old = f"{output.quoted(command.value)} bears a token of {age_s:.2f} s ago"
        return f"{old}, allowed are {self._rules.deadman_s:g} s"

    def _held(self, lease: Lease, command: Command) -> str:
        return f"{lease.owner!r} holds it, and priority {command.priority} is not above {lease.priority}"

    def _let_go(self, now: float, command: Command) -> str:
        since = self._barred.get(command.owner)
        if since is None:
            return ""
        if now - since >= self._rules.deadman_s:
            del self._barred[command.owner]
            return ""
        return f"{command.owner!r} must let go first: send the safe value, or nothing for {self._rules.deadman_s:g} s"

    def _not_armed(self, now: float, command: Command) -> str:
        arming_s = self._rules.arming_s
        if arming_s is None or command.value == self._rules.safe:
            return ""
        count, last = self._beats.get(command.owner, (0, 0.0))
        if count >= 2 and now - last <= arming_s:
            return ""
        return f"{command.owner!r} has not sent two heartbeats, the last within {arming_s:g} s"
