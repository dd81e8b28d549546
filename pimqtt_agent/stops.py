"""Emergency stops as they come: set, reset or refused. Each is answered, and a refusal tells the true latch again."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from pimqtt_agent import commands
from pimqtt_agent.answers import STATE_AGAIN_S, Answers
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import Incoming
from pimqtt_agent.commands import Envelope
from pimqtt_agent.entities import quote
from pimqtt_agent.errors import CommandError
from pimqtt_agent.intake import Intake
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.refusals import Refusals
from pimqtt_agent.replies import result
from pimqtt_agent.rules import ANONYMOUS


class Stops:
    """Sets and resets latches. ``topics`` names the device of each topic, empty for the node."""

    def __init__(
        self,
        model: Model,
        bridge: Bridge,
        answers: Answers,
        intake: Intake,
        refusals: Refusals,
        memory: Memory,
        keeper: Callable[[str], KeeperLink],
    ) -> None:
        """Nothing was refused yet."""
        self._model, self._bridge, self._answers, self._intake = model, bridge, answers, intake
        self._refusals, self._memory, self._keeper = refusals, memory, keeper
        self._told_s: dict[str, float] = {}
        self.topics = {model.topics.all_stop: "", model.topics.stop("", "set"): ""}
        self.topics |= {model.topics.stop(device, "set"): device for device in {t.device.id for t in model.outputs()}}

    def take(self, message: Incoming) -> bool:
        """Do or refuse it; return whether it latches. OFF from a retained message is refused; ON is always done."""
        device = self.topics[message.topic]
        try:
            envelope = commands.open_envelope(message.payload)
        except CommandError as error:
            self._refuse(message, device, error.code, str(error))
            return False
        if envelope.raw not in ("ON", "OFF"):
            self._refuse(message, device, "invalid", f"{quote(envelope.raw)} is not ON or OFF")
            return False
        is_on: bool = envelope.raw == "ON"
        if not is_on and message.retain:
            self._refuse(message, device, "retained", "'OFF': a reset is never done from a retained message")
            return False
        self._latch(message, device, envelope, on=is_on)
        return is_on

    def _latch(self, message: Incoming, device: str, envelope: Envelope, *, on: bool) -> None:
        def done(answer: wire.Answer) -> None:
            if answer.code:
                self._refuse(message, device, answer.code, f"{quote(envelope.raw)}: {answer.reason}")
                return
            if not on and not device:
                self._memory.all_reset()
            self._accepted(message, device, envelope)

        self._keeper(device).ask(lambda seq: wire.Latch(seq, device, on), done, again=on)
        if on:
            self._intake.latched(device)

    def _accepted(self, message: Incoming, device: str, envelope: Envelope) -> None:
        """Tell whoever wants to know; to all others the state is the answer."""
        content = result(
            id=envelope.id, owner=envelope.owner or ANONYMOUS, outcome="accepted", value=envelope.raw,
            state=envelope.raw,
        )  # fmt: skip
        topic = self._model.topics.result(_name(device))
        self._answers.result(topic, content, self._refusals.reply(message), told=envelope.id is not None)

    def _refuse(self, message: Incoming, device: str, code: str, reason: str) -> None:
        self._refusals.tell(message, _name(device), code, reason)
        now = time.monotonic()
        if device in self._model.latched and now - self._told_s.get(device, -inf) >= STATE_AGAIN_S:
            self._told_s[device] = now
            state = "ON" if self._model.latched[device] else "OFF"
            self._bridge.publish(self._model.topics.stop(device, "state"), state, retain=True)


def _name(device: str) -> str:
    return f"{device}/stop" if device else "stop"
