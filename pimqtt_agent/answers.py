"""What goes out about commands: results, states, leases. One place, so that every refusal is told and none twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.model import Thing
from pimqtt_agent.replies import Publisher, Replies, Reply, result
from pimqtt_agent.rules import Value

#: After a refusal the true state is published again, at most this often per entity (s).
STATE_AGAIN_S = 0.1
#: A lease that is renewed is published at most this often (s).
LEASE_S = 1.0

_json = msgspec.json.Encoder().encode


class Answers:
    """Publishes; keeps no state but when it last did."""

    def __init__(self, bridge: Publisher, synchronised: Callable[[], bool]) -> None:
        """``synchronised`` tells whether the wall clock can be trusted."""
        self._bridge = bridge
        self._synchronised = synchronised
        self._replies = Replies(bridge)
        self.calls = self._replies.calls

    def result(self, topic: str, content: dict[str, Any], reply: Reply, *, told: bool) -> None:
        """Tell a result on its topic, and to a response topic."""
        self._replies.result(topic if told else "", content, reply)

    def state(self, thing: Thing) -> None:
        """Publish the true state."""
        if thing.known and thing.entity.state_level == "state":
            retain = thing.entity.retained and getattr(thing.entity, "expire_after", None) is None
            self._bridge.publish(thing.topic_state, thing.entity.encode(thing.state), retain=retain)

    def state_again(self, thing: Thing) -> None:
        """Publish the true state after a refusal."""
        now = time.monotonic()
        if now - thing.told_s >= STATE_AGAIN_S:
            thing.told_s = now
            self.state(thing)

    def lease(self, thing: Thing, *, renewed: bool = False) -> None:
        """Publish the lease; renewals at most once a second, the last one always."""
        if thing.entity.rules is None:
            return
        now = time.monotonic()
        if renewed and now - thing.lease_told_s < LEASE_S:
            if not thing.lease_late:
                thing.lease_late = True
                due_s = thing.lease_told_s + LEASE_S - now
                asyncio.get_running_loop().call_later(due_s, self._late_lease, thing)
            return
        thing.lease_told_s = now
        self._bridge.publish(thing.topic_lease, _json(self._lease(thing)), retain=True)

    def event(self, thing: Thing, event: dict[str, Any]) -> None:
        """Publish an event; never retained."""
        self._bridge.publish(thing.topic_state, _json(event), qos=1)

    def reverted(self, thing: Thing, message: wire.Reverted) -> None:
        """Tell that an output went back."""
        content = result(
            id=message.id, outcome="reverted", cause=message.cause, owner=message.owner,
            value=plain(thing, message.value), state=plain(thing, thing.state),
        )  # fmt: skip
        self.result(thing.topic_result, content, None, told=True)

    def _late_lease(self, thing: Thing) -> None:
        thing.lease_late = False
        if thing.lease is not None and thing.lease.owner is not None:  # its end was told at once
            self.lease(thing, renewed=True)
            self._bridge.flush()

    def _lease(self, thing: Thing) -> dict[str, Any]:
        lease = thing.lease
        if lease is None or lease.owner is None:
            return {}
        remaining_s = max(0.0, lease.deadline_s - boottime_s())
        return {
            "owner": lease.owner,
            "value": plain(thing, lease.value),
            "resting": plain(thing, lease.resting),
            "remaining_s": round(remaining_s, 3),
            "end": round(time.time() + remaining_s, 3) if self._synchronised() else None,
            "id": lease.id,
        }


def plain(thing: Thing, value: Value) -> Any:
    """Write a value in a result as it stands on the state topic, as JSON where that is JSON."""
    if isinstance(value, bool):
        return thing.entity.encode(value)
    if isinstance(value, dict):
        return msgspec.json.decode(thing.entity.encode(value))
    return value
