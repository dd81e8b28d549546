"""Refusing what is no command to an entity of ours: it is echoed and told beside where it was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pimqtt_agent import commands
from pimqtt_agent.answers import Answers
from pimqtt_agent.broker import Incoming
from pimqtt_agent.entities import shortened
from pimqtt_agent.errors import CommandError
from pimqtt_agent.replies import Reply, result
from pimqtt_agent.rules import ANONYMOUS
from pimqtt_agent.topics import Topics


class Refusals:
    """Tells each refusal once, on its topic and to a response topic."""

    def __init__(self, topics: Topics, answers: Answers, reply: Callable[[Incoming], Reply]) -> None:
        """``reply`` finds where else a sender wants the answer."""
        self._topics, self._answers, self.reply = topics, answers, reply

    def tell(self, message: Incoming, name: str, code: str, reason: str) -> None:
        """Refuse what came for ``name`` (``a/b``)."""
        content = result(outcome="rejected", code=code, reason=reason, **_echo(message.payload))
        self._answers.result(self._topics.result(name), content, self.reply(message), told=True)


def mistake(payload: bytes) -> CommandError | None:
    """Tell what keeps a payload from being a command of anything."""
    try:
        commands.open_envelope(payload)
    except CommandError as error:
        return error
    return None


def _echo(payload: bytes) -> dict[str, Any]:
    """Repeat what was sent, as far as it can be read."""
    try:
        envelope = commands.open_envelope(payload)
    except CommandError as error:
        sent = {"value": payload[:200].decode("utf-8", "replace"), "owner": ANONYMOUS}
        return {**sent, **{key: error.extra[key] for key in ("id", "owner", "value") if key in error.extra}}
    return {"value": shortened(envelope.raw), "id": envelope.id, "owner": envelope.owner or ANONYMOUS}
