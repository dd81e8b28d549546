"""Tokens: opaque stamps of this keeper's clock, so that freshness needs no synchronised clocks."""

from __future__ import annotations

import hashlib
import os


class Stamp:
    """Gives tokens and tells their age. Another keeper's tokens are not taken."""

    def __init__(self, generation: int) -> None:
        """Take a key of our own, so that a token can't be made up."""
        self._generation = generation
        self._key = os.urandom(16)

    def give(self, now: float) -> str:
        """Return a token of this moment (s, CLOCK_BOOTTIME)."""
        text = f"{self._generation:x}.{int(now * 1000):x}"
        return f"{text}.{self._mac(text)}"

    def age_s(self, token: str, now: float) -> float:
        """Return the age of a token (s), -1 where it is not ours."""
        text, _, mac = token.rpartition(".")
        if not text or mac != self._mac(text):
            return -1.0
        return max(0.0, now - int(text.rpartition(".")[2], 16) / 1000)

    def _mac(self, text: str) -> str:
        return hashlib.blake2s(text.encode(), key=self._key, digest_size=4).hexdigest()
