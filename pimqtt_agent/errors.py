"""Every error that pimqtt raises on purpose. What a user caused ends in a sentence, never in a traceback."""

from __future__ import annotations

from typing import Any


class PimqttError(Exception):
    """The root: its text is a whole sentence for the user."""


class ConfigError(PimqttError):
    """The configuration has mistakes; ``lines`` has one finished line for each."""

    def __init__(self, lines: list[str], status: int = 1) -> None:
        """Keep the lines and the exit status they lead to (1 mistakes, 2 unreadable)."""
        super().__init__("\n".join(lines))
        self.lines = lines
        self.status = status


class CommandError(PimqttError):
    """A command that is refused: ``code`` is one of the wire's codes, the text is the reason."""

    def __init__(self, code: str, reason: str, **extra: Any) -> None:
        """Keep the code and what else belongs into the result (``retry_after_s``, ``holder``)."""
        super().__init__(reason)
        self.code = code
        self.extra = extra


class HardwareError(PimqttError):
    """A line, chip or camera that can't be opened or used."""


class LinkError(PimqttError):
    """The link between agent and keeper is not usable."""


class BrokerError(PimqttError):
    """The broker can't be reached, or refuses us."""


class RunningError(PimqttError):
    """Another instance of this node runs already."""
