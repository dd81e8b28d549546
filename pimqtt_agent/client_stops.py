"""Who did an emergency stop or a reset: read from the latches that nodes publish. Pure."""

from __future__ import annotations

from typing import Any

from pimqtt_agent.client_results import NoAnswerError, Result
from pimqtt_agent.client_topics import Place
from pimqtt_agent.topics import Topics


class Latching:
    """One stop (``ON``) or reset (``OFF``) of a node, a device, or everything (None)."""

    def __init__(self, where: Place | None, word: str) -> None:
        """Nothing was heard yet."""
        self.where, self.word = where, word
        self._device = where.device if where else ""
        self._online: set[str] = set()
        self._latched: set[str] = set()
        self._answers: dict[str, Result] = {}

    def command(self, base: str) -> str:
        """Return where it is said."""
        return Topics(base, self.where.node).stop(self._device, "set") if self.where else Topics(base, "").all_stop

    def topics(self, base: str) -> list[str]:
        """Return where it is answered."""
        node = Topics(base, self.where.node if self.where else "+")
        devices = {"", self._device}
        return [node.availability, *(node.stop(device, level) for device in devices for level in ("state", "result"))]

    def hear(self, place: Place, content: Any, *, retained: bool) -> None:
        """Take what a node publishes."""
        if place.what == "availability" and not place.device:
            (self._online.add if content == "online" else self._online.discard)(place.node)
            return
        device = "" if place.device == "stop" else place.device
        if place.what == "state" and not device:
            (self._latched.add if content == "ON" else self._latched.discard)(place.node)
        if retained or device != self._device:
            return
        if place.what == "result" and isinstance(content, dict) and content.get("outcome") == "rejected":
            self._answers[place.node] = Result.read(self._name(place.node), content)
        elif place.what == "state" and (content == self.word or self._held(place.node)):
            self._answers[place.node] = Result(
                target=self._name(place.node), outcome="accepted", value=self.word, state=content
            )

    def complete(self, *, settled: bool) -> bool:
        """Whether everybody answered; ``settled``: whoever is there has shown up."""
        if self.where:
            return self.where.node in self._answers
        return settled and self._online <= self._answers.keys()

    def results(self, timeout_s: float) -> list[Result]:
        """Return the answers; raises ``NoAnswerError`` where one is missing."""
        for node in self._answers:
            if self._held(node):
                reason = f"all of {node} is stopped, and so is this: pimqtt reset {node}"
                answer = Result(target=self._name(node), outcome="rejected", code="latched", reason=reason, state="ON")
                self._answers[node] = answer
        answers = tuple(self._answers[node] for node in sorted(self._answers))
        expected = {self.where.node} if self.where else self._online
        missing = sorted(expected - self._answers.keys())
        if missing:
            raise NoAnswerError(f"no answer from {', '.join(missing)} within {timeout_s:g} s: is it running?", answers)
        if not answers:
            raise NoAnswerError("no node is online at this broker")
        return list(answers)

    def _held(self, node: str) -> bool:
        return bool(self._device) and self.word == "OFF" and node in self._latched

    def _name(self, node: str) -> str:
        return f"{node}/{self._device}" if self._device else node
