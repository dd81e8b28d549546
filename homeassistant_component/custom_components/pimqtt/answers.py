"""What became of a command, in one shape for cards and actions, with the reasons that no agent can give."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from homeassistant.util import dt as dt_util

from .const import PROTOCOL
from .errors import INVALID, NOT_CONNECTED, NOT_FOUND, UNAUTHORIZED, RefusedError
from .model import Result
from .nodes import Node
from .topics import Place

#: An agent answers within 0.3 s; the rest is the network's.
ANSWER_S: Final = 2.0
ACCEPTED, REJECTED, UNANSWERED = "accepted", "rejected", "unanswered"
#: The wire's code of what is not even sent.
_CODES: Final = {
    INVALID: "invalid", NOT_FOUND: "unknown", UNAUTHORIZED: "forbidden", NOT_CONNECTED: "unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command. ``outcome``: accepted, rejected, reverted, unanswered.

    ``reason_key`` and its placeholders are set where the component gave the reason: a key of the translations'
    ``exceptions``, of which ``reason`` is the English sentence. An agent's reason has none.
    """

    outcome: str
    code: str | None = None
    reason: str | None = None
    state: Any = None
    ttl: float | None = None
    holder: str | None = None
    owner: str | None = None
    round_trip_ms: float | None = None
    reason_key: str | None = None
    reason_placeholders: dict[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def answer_of(result: Result, sent_s: float | None = None) -> Answer:
    """Make an answer of a result; ``sent_s`` is the monotonic time of its command."""
    return Answer(
        outcome=result.outcome,
        code=result.code,
        reason=result.reason,
        state=result.state,
        ttl=result.ttl,
        holder=result.holder,
        owner=result.owner,
        round_trip_ms=None if sent_s is None else since_ms(sent_s),
    )


def refusing(error: RefusedError, owner: str = "", *, outcome: str = REJECTED) -> Answer:
    """Make an answer of what was not sent; nothing that was sent is refused so, hence no code where unanswered."""
    return Answer(
        outcome=outcome,
        code=_CODES[error.code] if outcome == REJECTED else None,
        reason=str(error),
        reason_key=error.translation_key,
        reason_placeholders=dict(error.translation_placeholders or {}),
        owner=owner or None,
    )


def unable_to(node: Node, owner: str) -> Answer | None:
    """Say why a node can't be commanded; None where it can."""
    if node.away:
        return refusing(_offline(node), owner)
    if node.info is not None and not node.supported:
        versions = {"name": node.name, "theirs": str(node.info.protocol), "ours": str(PROTOCOL)}
        if node.info.protocol < PROTOCOL:
            return refusing(RefusedError(NOT_CONNECTED, "protocol_agent_old", **versions), owner)
        return refusing(RefusedError(NOT_CONNECTED, "protocol_agent_new", **versions), owner)
    return None


def unanswered(node: Node, owner: str) -> Answer:
    """Say that nobody answered."""
    silent = RefusedError(NOT_CONNECTED, "unanswered", name=node.name, seconds=f"{ANSWER_S:g}")
    return refusing(silent, owner, outcome=UNANSWERED)


def latching(node: Node, place: Place, word: str, told: str | Result | None, sent_s: float) -> dict[str, Any]:
    """Return what became of a stop or reset, by the latch or the rejection that was told."""
    if told is None and node.away:
        away = RefusedError(NOT_CONNECTED, "no_answer_offline", name=node.name)
        answer = refusing(away, outcome=UNANSWERED)
    elif told is None:
        answer = unanswered(node, "")
    elif isinstance(told, Result):
        answer = answer_of(told, sent_s)
    elif word == "OFF" and place.device and node.latched:
        held = refusing(RefusedError(INVALID, "node_latched", name=node.name)).as_dict()
        answer = Answer(**{**held, "code": "latched", "state": "ON"})
    else:
        answer = Answer(outcome=ACCEPTED, state=told, round_trip_ms=since_ms(sent_s))
    return of_place(place, answer)


def of_place(place: Place, answer: Answer) -> dict[str, Any]:
    """Return an answer with the node or device that it is about."""
    return {"node": place.node, "device": place.device or None, **answer.as_dict()}


def since_ms(sent_s: float) -> float:
    """Return how long ago a monotonic time was, in ms."""
    return round((time.monotonic() - sent_s) * 1000, 1)


def _offline(node: Node) -> RefusedError:
    if node.since is None or not node.exact:
        return RefusedError(NOT_CONNECTED, "node_offline", name=node.name)
    since = f"{dt_util.as_local(node.since):%Y-%m-%d %H:%M:%S}"
    return RefusedError(NOT_CONNECTED, "node_offline_since", name=node.name, since=since)
