"""What became of a command, in one shape for cards and actions, with the reasons that no agent can give. Pure."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .const import PROTOCOL
from .model import Result
from .nodes import Node
from .topics import Place

#: An agent answers within 0.3 s; the rest is the network's.
ANSWER_S: Final = 2.0
ACCEPTED, REJECTED, UNANSWERED = "accepted", "rejected", "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command. ``outcome``: accepted, rejected, reverted, unanswered."""

    outcome: str
    code: str | None = None
    reason: str | None = None
    state: Any = None
    ttl: float | None = None
    holder: str | None = None
    owner: str | None = None
    round_trip_ms: float | None = None

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


def unable_to(node: Node, owner: str) -> Answer | None:
    """Say why a node can't be commanded; None where it can."""
    reason = None
    if not node.online:
        since = f" since {dt_util.as_local(node.since):%Y-%m-%d %H:%M:%S}" if node.since and node.exact else ""
        reason = f"{node.name} is offline{since}"
    elif node.info is not None and not node.supported:
        old = "the agent" if node.info.protocol < PROTOCOL else "this component"
        reason = f"{node.name} speaks protocol {node.info.protocol}, this component {PROTOCOL}: update {old}"
    return None if reason is None else Answer(outcome=REJECTED, code="unavailable", reason=reason, owner=owner or None)


def unanswered(node: Node, owner: str) -> Answer:
    """Say that nobody answered."""
    reason = f"{node.name} did not answer within {ANSWER_S:g} s: is it reachable, and may it publish results?"
    return Answer(outcome=UNANSWERED, reason=reason, owner=owner or None)


def is_connected(hass: HomeAssistant) -> bool:
    """Tell whether MQTT is there: its entry can be taken away at any time."""
    return mqtt.DATA_MQTT in hass.data and mqtt.is_connected(hass)


def latching(node: Node, place: Place, word: str, told: str | Result | None, sent_s: float) -> dict[str, Any]:
    """Return what became of a stop or reset, by the latch or the rejection that was told."""
    if told is None:
        answer = unanswered(node, "")
    elif isinstance(told, Result):
        answer = answer_of(told, sent_s)
    elif word == "OFF" and place.device and node.latched:
        reason = f"all of {node.name} is stopped, and so is this: reset the node"
        answer = Answer(outcome=REJECTED, code="latched", reason=reason, state="ON")
    else:
        answer = Answer(outcome=ACCEPTED, state=told, round_trip_ms=since_ms(sent_s))
    return {"node": place.node, "device": place.device or None, **answer.as_dict()}


def since_ms(sent_s: float) -> float:
    """Return how long ago a monotonic time was, in ms."""
    return round((time.monotonic() - sent_s) * 1000, 1)
