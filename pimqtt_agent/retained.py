"""What becomes of a retained or late command. Pure: the rules of replays, ages and stalls."""

from __future__ import annotations

import hashlib
from math import isinf

import msgspec
from msgspec import structs

from pimqtt_agent.commands import Envelope, Request, stale
from pimqtt_agent.entities import Entity, quote
from pimqtt_agent.rules import MIN_TTL_S, Motion

#: How far ahead of ours a sender's clock may be for its ``at`` to prove an age (s).
AHEAD_S = 1.0
#: What may have been longer on its way from the broker, who then counts no more, is no fresh command by its expiry (s).
WAY_S = 1.5
#: How old an ``at`` may show a press to be that bears no ``expiry`` (s).
PRESS_S = 2.0


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """How a command came. ``left_s`` is what the broker says is left of its expiry; ``wall_s`` None: no sure clock.

    ``way_s``: at most so long it was on its way from the broker; 0 where nobody asks.
    ``stall``: why it may have waited in the agent.
    """

    retain: bool
    replay: bool
    wall_s: float | None
    left_s: int | None = None
    way_s: float = 0.0
    stall: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: ``code`` empty means pass it on, with this TTL; ``stale`` is for the keeper to judge in its order."""

    code: str = ""
    reason: str = ""
    stale: str = ""
    ttl_s: float | None = None


def moves(entity: Entity) -> bool:
    """Whether a command of this entity moves or does something once."""
    return entity.rules is None or entity.rules.motion is not Motion.LEVEL


def judge(entity: Entity, envelope: Envelope, request: Request, arrival: Arrival) -> Verdict:
    """Judge a command that is otherwise valid."""
    if request.stop:
        return Verdict()
    if arrival.retain and moves(entity):
        reason = f"{quote(envelope.raw)}: what moves is never done from a retained message"
        return Verdict(code="retained", reason=reason)
    if envelope.token is not None:
        return _with_token(entity, envelope, request)
    if arrival.replay and request.ttl_s is not None:
        return _replayed_lease(envelope, request.ttl_s, arrival)
    limit_s = PRESS_S if entity.rules is None and envelope.expiry is None else request.ttl_s
    reason = (
        stale(envelope, limit_s, arrival.wall_s)
        or _late_by_expiry(envelope, request.ttl_s, arrival)
        or (_held_up(entity, envelope, arrival) if moves(entity) else "")
    )
    if reason and entity.rules is None:  # a press has no lease, in whose order a keeper would judge
        return Verdict(code="stale", reason=reason)
    return Verdict(stale=reason, ttl_s=request.ttl_s)


def _with_token(entity: Entity, envelope: Envelope, request: Request) -> Verdict:
    """Its keeper judges it; a press has none that could tell its age, and what waited somewhere must not be done."""
    if entity.rules is not None:
        return Verdict(ttl_s=request.ttl_s)
    return Verdict(code="token", reason=f"{quote(envelope.raw)}: no keeper gives a token for a press; leave it out")


def _replayed_lease(envelope: Envelope, ttl_s: float, arrival: Arrival) -> Verdict:
    """Only for the life that is proven left."""
    age_s = _age_s(envelope, arrival)
    if age_s is None and envelope.expiry is not None and arrival.left_s is not None:
        age_s = envelope.expiry - arrival.left_s + 1.0
    if age_s is None or age_s < 0:  # more left than was set: that `expiry` is another one
        return Verdict(stale=f"a retained ttl of {ttl_s:g} s whose age is not proven by `at` or `expiry`", ttl_s=ttl_s)
    left_s = ttl_s - age_s
    if left_s < MIN_TTL_S:
        return Verdict(stale=f"its TTL of {ttl_s:g} s was over {max(0.0, -left_s):.1f} s ago", ttl_s=ttl_s)
    return Verdict(ttl_s=left_s)


def _age_s(envelope: Envelope, arrival: Arrival) -> float | None:
    """Tell how old a command is by its ``at``; None where that proves nothing."""
    if envelope.at is None or arrival.wall_s is None or arrival.wall_s - envelope.at < -AHEAD_S:
        return None
    return max(0.0, arrival.wall_s - envelope.at)


def _held_up(entity: Entity, envelope: Envelope, arrival: Arrival) -> str:
    """Tell where it may have waited; nobody counts that behind the broker, but an ``at`` that proves its age.

    A press moves no pin: it may wait for an agent that is busy for a moment.
    """
    if arrival.stall and entity.rules is not None:
        return f"{quote(envelope.raw)}: {arrival.stall}"
    if arrival.way_s <= WAY_S or envelope.expiry is None or arrival.left_s is None:
        return ""
    if _age_s(envelope, arrival) is not None:
        return ""
    way = "for any time" if isinf(arrival.way_s) else f"for {arrival.way_s:.1f} s"
    return f"expiry {envelope.expiry:g}: it may have been on its way from the broker {way}"


def _late_by_expiry(envelope: Envelope, ttl_s: float | None, arrival: Arrival) -> str:
    """Brokers count whole seconds: only what is certainly older counts."""
    if envelope.expiry is None or arrival.left_s is None:
        return ""
    age_s = envelope.expiry - arrival.left_s - 1.0
    limit_s = ttl_s if ttl_s is not None else envelope.expiry
    return f"expiry {envelope.expiry:g}: it is at least {age_s:g} s old" if age_s > limit_s else ""


def digest(payload: bytes) -> str:
    """Name a payload on disk."""
    return hashlib.blake2s(payload, digest_size=12).hexdigest()


def resolved(request: Request, verdict: Verdict) -> Request:
    """Return the request with the TTL that the verdict leaves."""
    return request if verdict.ttl_s == request.ttl_s else structs.replace(request, ttl_s=verdict.ttl_s)
