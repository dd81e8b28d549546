"""PWM in software, for chips that have none: one thread for all lines.

The thread shares the interpreter's lock, which is asked for every 0.5 ms: a pulse is wrong by 0.02 ms in the median, by
0.3 ms at the 99th percentile, and without real-time priority on a busy processor by 10 ms. That is good for a lamp or a
motor; a servo trembles with it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from math import inf
from time import monotonic

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.threads import as_urgent_as_the_keeper

log = logging.getLogger(__name__)

#: More pulses a second than this would keep the processor busy with nothing else.
FASTEST_HZ = 1000.0
#: However much there is to do, the keeper gets in between to stop a line (s).
_PAUSE_S = 1e-4


class Pulses:
    """The thread, started with the first pulse."""

    def __init__(self) -> None:
        """Wait for the first line."""
        self.changed = threading.Condition()
        self.active: list[Pulsed] = []
        self._thread: threading.Thread | None = None
        self._end = False

    def start(self, line: Pulsed) -> None:
        """Let a line pulse; called with ``changed`` held."""
        self.active.append(line)
        if self._thread is None:
            sys.setswitchinterval(0.0005)
            self._thread = threading.Thread(target=self._run, name="pulses", daemon=True)
            self._thread.start()
            as_urgent_as_the_keeper()
        self.changed.notify()

    def _run(self) -> None:
        try:
            self._make()
        except BaseException:
            # Lines would stay at whichever level they are. The next keeper claims each at its resting or safe value.
            log.exception("the pulses failed")
            os._exit(70)

    def _make(self) -> None:
        with self.changed:
            while not self._end:
                now, due_s = monotonic(), inf
                for line in tuple(self.active):
                    if line.due_s <= now:
                        line.turn(now)
                    due_s = min(due_s, line.due_s)
                self.changed.wait(None if due_s == inf else max(_PAUSE_S, due_s - monotonic()))

    def close(self) -> None:
        """End the thread."""
        with self.changed:
            self._end = True
            self.active.clear()
            self.changed.notify()
        if self._thread:
            self._thread.join()


class Pulsed:
    """A line with a duty; without pulses at 0 and 1. ``write`` sets its level."""

    def __init__(self, pulses: Pulses, write: Callable[[int], None], frequency_hz: float) -> None:
        """Be silent until a duty is set."""
        self._pulses = pulses
        self._write = write
        self._period_s = 1 / frequency_hz
        self._duty = 0.0
        self._high = False
        self.due_s = inf

    def set(self, duty: float) -> None:
        """Take a duty from the next period on; 0 and 1 stop the pulses first and are set at once."""
        with self._pulses.changed:
            self._duty = duty
            if 0 < duty < 1:
                if self not in self._pulses.active:
                    self._high, self.due_s = False, monotonic()
                    self._pulses.start(self)
                return
            self.stop()
            self._write(int(duty >= 1))

    def end(self) -> None:
        """End the pulses, where there are any, at the nearer level."""
        if 0 < self._duty < 1:
            self.set(float(self._duty >= 0.5))

    def stop(self) -> None:
        """End the pulses, at whichever level they are; once this returns, the thread touches the line no more."""
        with self._pulses.changed:
            if self in self._pulses.active:
                self._pulses.active.remove(self)
            self.due_s = inf

    def turn(self, now: float) -> None:
        """Do the edge that is due."""
        if self._high:
            self.due_s += (1 - self._duty) * self._period_s
        else:
            # Late by more than a period (the machine slept): don't catch up.
            start = self.due_s if now - self.due_s < self._period_s else now
            self.due_s = start + self._duty * self._period_s
        self._high = not self._high
        try:
            self._write(int(self._high))
        except HardwareError:  # the chip is gone; who sets the line next is told
            self.stop()
