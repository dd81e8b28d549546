"""What keepers tell, on its way to topics: states, leases, reversions, latches, events, health, pictures."""

from __future__ import annotations

from typing import Any

from pimqtt_agent.answers import Answers
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model, Thing
from pimqtt_agent.pictures import Pictures
from pimqtt_agent.session import Session


class Reports:
    """One method for each message of a keeper."""

    def __init__(
        self, model: Model, answers: Answers, bridge: Bridge, memory: Memory, session: Session, pictures: Pictures
    ) -> None:
        """Know where everything goes."""
        self._model, self._answers, self._pictures = model, answers, pictures
        self._bridge, self._memory, self._session = bridge, memory, session
        self._lost: dict[str, wire.Held] = {}
        self._handlers: dict[type[wire.Message], Any] = {
            wire.Welcome: self._welcome,
            wire.State: self._state,
            wire.Held: self._held,
            wire.Reverted: self._reverted,
            wire.Latched: self._latched,
            wire.Happened: self._happened,
            wire.Health: self._health,
            wire.Blob: self._blob,
            wire.Bye: self._bye,
        }

    def take(self, link: KeeperLink, message: wire.Message) -> None:
        """Pass on one message."""
        handler = self._handlers.get(type(message))
        if handler:
            handler(link, message)

    def _welcome(self, link: KeeperLink, message: wire.Welcome) -> None:
        """A keeper that is new to us has none of the leases that we know: they ended with the one before."""
        for thing in self._model.outputs() if not link.name else ():
            lost = link.replaced or thing.device.id in message.reopened
            if thing.lease is not None and thing.lease.owner is not None and lost:
                self._lost[thing.name], thing.lease = thing.lease, None
        link.replaced = False
        if message.home_assistant_lost:
            self._session.proofs.remembered()
        if not link.name:
            self._session.keeper_is_there()

    def _state(self, _link: KeeperLink, message: wire.State) -> None:
        thing = self._thing(message)
        if thing:
            thing.heard(message.value)
            self._answers.state(thing)

    def _held(self, _link: KeeperLink, message: wire.Held) -> None:
        thing = self._thing(message)
        if thing is None:
            return
        self._tell_lost(thing)
        before, thing.lease = thing.lease, message
        if message.resting != thing.resting:
            thing.resting = message.resting
            self._memory.resting_changed(thing)
        renewed = before is not None and before.owner == message.owner is not None  # with another value, too: steering
        if before is None or message.owner is not None or before.owner is not None:
            self._answers.lease(thing, renewed=renewed)

    def _tell_lost(self, thing: Thing) -> None:
        """Tell that a lease ended with its keeper, now that the true state is known."""
        ended = self._lost.pop(thing.name, None)
        if ended is not None:
            text = wire.Reverted(
                thing.device.id, thing.entity.key, ended.id, ended.owner, "keeper_lost", thing.state, None
            )
            self._answers.reverted(thing, text)

    def _reverted(self, _link: KeeperLink, message: wire.Reverted) -> None:
        thing = self._thing(message)
        if thing:
            if message.state is not None:
                thing.heard(message.state)
            self._answers.reverted(thing, message)

    def _latched(self, link: KeeperLink, message: wire.Latched) -> None:
        if link.name:
            return  # a camera's keeper knows nothing of the pins' latches
        before, self._model.latched[message.device] = self._model.latched.get(message.device, False), message.on
        if before is not message.on:
            self._memory.latches_changed()
        topic = self._model.topics.stop(message.device, "state")
        self._bridge.publish(topic, "ON" if message.on else "OFF", retain=True)

    def _happened(self, _link: KeeperLink, message: wire.Happened) -> None:
        thing = self._thing(message)
        if thing:
            self._answers.event(thing, message.event)

    def _health(self, _link: KeeperLink, message: wire.Health) -> None:
        self._model.health[message.device] = message.ok
        self._session.health(message.device)

    def _blob(self, link: KeeperLink, message: wire.Blob) -> None:
        self._pictures.take(message.device, link.blob(message))

    def _bye(self, link: KeeperLink, _message: wire.Bye) -> None:
        link.said_bye.set()

    def _thing(self, message: Any) -> Thing | None:
        return self._model.thing(message.device, message.key)
