"""Commands that were sent twice: what they were answered is remembered for 60 s. Pure: the time is an argument."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pimqtt_agent.broker import Incoming

log = logging.getLogger(__name__)

#: How long a command is remembered (s).
REMEMBER_S = 60.0
#: What the memory of all of them takes at most; at about 900 bytes each that is 300 a second for 60 s (bytes).
REMEMBER_BYTES = 16 << 20
#: What one takes beside its answer, roughly (bytes).
ENTRY_BYTES = 600

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True, eq=False)
class Repeat:
    """A command that came at ``at_s``; ``again`` are copies of it that came before its answer."""

    at_s: float
    again: list[Incoming] = field(default_factory=list)
    answer: bytes = b""

    @property
    def told(self) -> dict[str, Any] | None:
        """What it was answered; None where it was not yet."""
        return _decode(self.answer) if self.answer else None


class Repeats:
    """Commands by topic and payload; owner and id are part of the payload, and of that only a digest is kept."""

    def __init__(self) -> None:
        """Know none."""
        self._known: OrderedDict[bytes, Repeat] = OrderedDict()
        self._bytes = 0
        self._is_full = False

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._known)

    def earlier(self, now: float, message: Incoming) -> Repeat | None:
        """Find the command that this one repeats."""
        while self._known and next(iter(self._known.values())).at_s < now - REMEMBER_S:
            self._forget()
        return self._known.get(_key(message))

    def add(self, now: float, message: Incoming) -> Repeat:
        """Remember a command that is done now."""
        repeat = self._known[_key(message)] = Repeat(now)
        self._bytes += ENTRY_BYTES
        return repeat

    def answered(self, repeat: Repeat, answer: dict[str, Any]) -> None:
        """Remember what it was answered; where that is too much the oldest is forgotten early, which is said once."""
        repeat.answer = _encode(answer)
        self._bytes += len(repeat.answer)
        while self._bytes > REMEMBER_BYTES and len(self._known) > 1:
            if not self._is_full:
                self._is_full = True
                log.warning(
                    "more than %d commands with an id within %g s: of the older ones a repeat is done again",
                    len(self._known), REMEMBER_S,
                )  # fmt: skip
            self._forget()

    def _forget(self) -> None:
        _, repeat = self._known.popitem(last=False)
        self._bytes -= ENTRY_BYTES + len(repeat.answer)


def _key(message: Incoming) -> bytes:
    return hashlib.blake2s(message.topic.encode() + b"\0" + message.payload, digest_size=16).digest()
