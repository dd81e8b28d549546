"""Time that stands still unless an input lets it go on: the same input always does the same."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

_READERS = tuple(
    "clock intake answers stops announce outbox keepers bridge buffered safe client_results console.board "  # noqa: SIM905
    "console.watching".split()
)
BEGIN_S = 100_000.0


class Clock:
    """Stands in for the module ``time``."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

    def __init__(self) -> None:
        self.now_s = BEGIN_S

    def monotonic(self) -> float:
        return self.now_s

    def time(self) -> float:
        return 1_800_000_000.0 + self.now_s

    def clock_gettime(self, _clock: int) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the time of the product."""
        with ExitStack() as stack:
            for name in _READERS:
                module = importlib.import_module(f"pimqtt_agent.{name}")
                stack.enter_context(mock.patch.object(module, "time", self))
            yield


class Loop(asyncio.SelectorEventLoop):
    """An event loop in that time. It never sleeps, and what nobody caught is not lost."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.trouble: list[BaseException] = []
        self.set_exception_handler(self._caught)

    def time(self) -> float:
        return self.clock.now_s

    def raise_trouble(self) -> None:
        """Raise what was caught by nobody but the loop."""
        if self.trouble:
            trouble, self.trouble = self.trouble, []
            raise trouble[0]

    def _caught(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        self.trouble.append(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))
