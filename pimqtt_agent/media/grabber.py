"""A thread that owns a camera's source: it opens, reads, encodes and closes, so that the keeper's loop never waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media import sources

if TYPE_CHECKING:
    from pimqtt_agent.media.sources import Frame, Source
    from pimqtt_agent.media.still import Encoder

log = logging.getLogger(__name__)

Order = Literal["still", "probe", "stop"]
#: Libraries and sensor are given this long to come up (s); on a first Pi Zero the libraries alone need half of it.
OPENING_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a camera's configuration says. ``idle_s`` is inf where the source stays open."""

    word: str
    argument: Any
    width: int
    height: int
    rotation: int
    max_bytes: int
    quality: int
    idle_s: float
    stall_s: float


@dataclass(frozen=True)
class Taken:
    """A still, with the time it was taken (Unix s)."""

    jpeg: bytes
    at_unix_s: float


@dataclass(frozen=True)
class Alive:
    """The source gives pictures."""


@dataclass(frozen=True)
class Failed:
    """It does not; the source is closed."""

    reason: str


Result = Taken | Alive | Failed


class Grabber:
    """Takes one order at a time; its result lands in ``results``. ``clock`` is CLOCK_BOOTTIME (s)."""

    def __init__(self, plan: Plan, clock: Callable[[], float], make: Callable[..., Source] = sources.make) -> None:
        """Start the thread; nothing is imported or opened before the first order."""
        self._plan = plan
        self._clock = clock
        self._make = make
        self._source: Source | None = None
        self._encoder: Encoder | None = None
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self.results: SimpleQueue[Result] = SimpleQueue()
        #: when the order at hand counts as stalled; inf without one
        self.limit_s = inf
        self._thread = threading.Thread(target=self._run, name="grabber", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is still there, at work or stuck."""
        return self._thread.is_alive()

    def order(self, order: Order) -> None:
        """Ask for a still or a sign of life."""
        self.limit_s = self._clock() + OPENING_S
        self._orders.put(order)

    def stop(self, timeout_s: float = 0.0) -> None:
        """Close the source as soon as it lets us; wait for that no longer than ``timeout_s``."""
        self._orders.put("stop")
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (order := self._next()) != "stop":
            result = self._try(order)
            self.limit_s = inf
            self.results.put(result)
        self._shut()

    def _next(self) -> Order:
        idle_s = self._plan.idle_s
        try:
            return self._orders.get(timeout=idle_s if self._source and idle_s < inf else None)
        except Empty:
            self._shut()
            return self._orders.get()

    def _try(self, order: Order) -> Result:
        try:
            frame, at_unix_s = self._picture()
            if order == "probe":
                return Alive()
            return Taken(self._encoded(frame), at_unix_s)
        except HardwareError as error:
            reason = str(error)
        except Exception as error:
            log.exception("the camera's source failed")
            reason = f"{type(error).__name__}: {error}"
        self._shut()
        return Failed(reason)

    def _picture(self) -> tuple[Frame, float]:
        """Open where needed, let exposure settle, read."""
        plan, settled_s = self._plan, 0.0
        source = self._source
        if source is None:
            source = self._source = self._make(plan.word, plan.argument, plan.width, plan.height)
            source.open()
            settled_s = self._clock() + source.settle_s
        while True:
            self.limit_s = self._clock() + plan.stall_s
            at_unix_s = time.time()
            frame = source.read(at_unix_s)
            if self._clock() >= settled_s:
                return frame, at_unix_s

    def _encoded(self, frame: Frame) -> bytes:
        if self._encoder is None:
            still = sources.load("still")
            self._encoder = still.Encoder(self._plan.max_bytes, self._plan.quality, self._plan.rotation)
        return self._encoder.encode(frame).jpeg

    def _shut(self) -> None:
        source, self._source = self._source, None
        if source is None:
            return
        try:
            source.close()
        except Exception:  # it is gone either way
            log.exception("the camera's source could not be closed")
