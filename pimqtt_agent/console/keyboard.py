"""Hold-to-drive in a terminal, which tells key presses and never that a key was let go. Pure but for ``Terminal``.

A key that is held repeats, after a first pause. So the first press drives for longer than that pause, each repeat for
a little longer than a repeat takes; then it stops. A terminal repeats the last key only: a turn key bends the way that
is driven already, and keeps it; forward and backward go straight again.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pimqtt_agent.errors import PimqttError

#: How long a first press and a repeat drive (s); desktops begin to repeat after 0.25 to 0.6 s, then every 0.03 s.
FIRST_S, REPEAT_S = 0.65, 0.25
#: How far a turn key turns while driving; on the spot it is all the way.
BEND = 0.5
_KEYS = re.compile(r"\x1b[\[O][A-D]|\x1b[\[O][^@-~]*[@-~]|.", re.DOTALL)
_WAYS = {
    "w": (0, 1), "s": (0, -1), "a": (-1, 0), "d": (1, 0),
    "\x1b[A": (0, 1), "\x1b[B": (0, -1), "\x1b[D": (-1, 0), "\x1b[C": (1, 0),
    "\x1bOA": (0, 1), "\x1bOB": (0, -1), "\x1bOD": (-1, 0), "\x1bOC": (1, 0),
}  # fmt: skip


def split(text: str) -> list[str]:
    """Take what a terminal sent apart into keys."""
    return _KEYS.findall(text)


class Keys:
    """What the keys want."""

    def __init__(self, speed: float = 1.0, first_s: float = FIRST_S, repeat_s: float = REPEAT_S) -> None:
        """Nothing is pressed."""
        self.speed = speed
        self.quit = False
        self._first_s, self._repeat_s = first_s, repeat_s
        self._way = (0, 0)
        self._bend = 0
        self._until_s = self._last_s = 0.0
        self._last = ""
        self._mute_s = 0.0

    def press(self, key: str, now: float) -> None:
        """Take a key."""
        key = key.lower() if len(key) == 1 else key
        if key in ("q", "\x03", "\x04"):
            self.quit = True
        elif key in _WAYS:
            self._move(key, now)
        elif key == " ":
            self.stop()
        elif key.isdigit() and key.isascii():
            self.speed = (int(key) or 10) / 10

    def stop(self) -> None:
        """Let go of everything."""
        self._until_s, self._last = 0.0, ""

    def mute(self, silence_s: float, now: float) -> None:
        """Take no more way until no key came for so long: the hand must let go first."""
        self.stop()
        self._mute_s, self._last_s = silence_s, now

    def wanted(self, now: float) -> tuple[float, float] | None:
        """Return x and y, None for nothing."""
        if now >= self._until_s:
            self._last = ""
            return None
        x, y = self._way
        return (x or self._bend * BEND) * self.speed, y * self.speed

    def _move(self, key: str, now: float) -> None:
        silence_s, self._last_s = now - self._last_s, now
        if silence_s < self._mute_s:
            return
        self._mute_s = 0.0
        way, driving = _WAYS[key], now < self._until_s
        if driving and way[0] and self._way[1]:
            self._bend = way[0]
        else:
            self._way, self._bend = way, 0
        self._until_s = now + (self._repeat_s if driving and key == self._last else self._first_s)
        self._last = key


class Terminal:
    """The keyboard: each key is handed over at once; on leaving, the terminal is as it was."""

    def __init__(self, press: Callable[[str], None]) -> None:
        """Use it with ``with``, in a running loop."""
        self._press = press
        self._file = sys.stdin.fileno()
        if not os.isatty(self._file):
            raise PimqttError("drive needs a terminal: its keys are the controls")

    def __enter__(self) -> Self:
        """Take the keys."""
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file)
        asyncio.get_running_loop().add_reader(self._file, self._read)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Give them back."""
        asyncio.get_running_loop().remove_reader(self._file)
        termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        try:
            data = os.read(self._file, 1024)
        except OSError:
            data = b""
        for key in split(data.decode("utf-8", "replace")) if data else ["q"]:  # the terminal is gone
            self._press(key)
