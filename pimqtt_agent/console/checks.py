"""What `doctor` finds: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``mend`` says what to do where it is not ``ok``."""

    status: Literal["ok", "warn", "fail"]
    what: str
    text: str
    mend: str = ""

    @property
    def line(self) -> str:
        """Return it as a line."""
        mend = f"; mend: {self.mend}" if self.mend else ""
        return f"{self.status:<5} {self.what:<10} {self.text}{mend}"


def ok(what: str, text: str) -> Check:
    """It is right."""
    return Check("ok", what, text)


def warn(what: str, text: str, mend: str = "") -> Check:
    """It works, but."""
    return Check("warn", what, text, mend)


def fail(what: str, text: str, mend: str = "") -> Check:
    """It does not work."""
    return Check("fail", what, text, mend)
