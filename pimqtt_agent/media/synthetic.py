"""A scene that is painted: colour bars, a car, a ball, and the time and a frame counter to be read in the picture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pimqtt_agent.media.sources import Frame

if TYPE_CHECKING:
    from pimqtt_agent.media.sources import Plane

#: What the counter counts.
FRAMES_PER_S = 20

Colour = tuple[int, int, int]  # y, u, v


def colour(red: int, green: int, blue: int) -> Colour:
    """Turn RGB (0 to 255) into YUV of full range, as JPEG means it."""
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(y), round(128 + 0.564 * (blue - y)), round(128 + 0.713 * (red - y))


_BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255)]
_RED, _DARK, _GLASS = colour(200, 30, 30), colour(20, 20, 20), colour(150, 200, 230)
_ORANGE, _ROAD = colour(255, 140, 0), colour(70, 70, 70)
BLACK, WHITE = 0, 255
_STRIPS = 12

#: Five by seven dots: a number for each row, its highest bit on the left.
FONT: dict[str, tuple[int, ...]] = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    ":": (0, 4, 4, 0, 4, 4, 0),
    ".": (0, 0, 0, 0, 0, 12, 12),
    "#": (10, 10, 31, 10, 31, 10, 10),
    " ": (0, 0, 0, 0, 0, 0, 0),
}
#: A letter and the space beside it.
CELL_WIDTH, CELL_HEIGHT = 6, 9


def caption(now: float) -> str:
    """Return what is written in the picture at ``now`` (Unix s): UTC to a tenth, and the frame's number."""
    clock = datetime.fromtimestamp(int(now), UTC).strftime("%H:%M:%S")
    return f"{clock}.{int(now * 10) % 10} #{int(now * FRAMES_PER_S) % 1_000_000:06d}"


def lettering(text: str, scale: int) -> Plane:
    """Return a text as luma, white on black: (CELL_HEIGHT, CELL_WIDTH for each letter) times ``scale``."""
    dots = np.zeros((CELL_HEIGHT, CELL_WIDTH * len(text)), np.uint8)
    for place, letter in enumerate(text):
        for row, bits in enumerate(FONT[letter]):
            for column in range(5):
                dots[1 + row, place * CELL_WIDTH + column] = WHITE * (bits >> (4 - column) & 1)
    return dots.repeat(scale, axis=0).repeat(scale, axis=1)


class Synthetic:
    """The same picture for the same time, whoever asks, of exactly the size that was asked for."""

    settle_s: ClassVar[float] = 0.0

    def __init__(self, argument: object, width: int, height: int) -> None:  # noqa: ARG002
        """Note the size."""
        self._width, self._height = width, height
        self._scale = max(1, width // (CELL_WIDTH * 22))
        self._card: Frame | None = None
        self._letters: dict[str, Plane] = {}

    def open(self) -> None:
        """Paint what does not move."""
        self._card = self._test_card()
        self._letters = {letter: lettering(letter, self._scale) for letter in FONT}

    def read(self, now: float) -> Frame:
        """Paint what moves, as it is at ``now`` (Unix s)."""
        card = self._card
        assert card is not None, "open it first"
        frame = Frame(card.y.copy(), card.u.copy(), card.v.copy())
        self._drive_car(frame, now)
        self._throw_ball(frame, now)
        self._write(frame, caption(now))
        return frame

    def close(self) -> None:
        """Forget it."""
        self._card = None

    def _test_card(self) -> Frame:
        width, height = self._width, self._height
        half = (height // 2, width // 2)
        frame = Frame(np.zeros((height, width), np.uint8), np.full(half, 128, np.uint8), np.full(half, 128, np.uint8))
        ramp = np.linspace(BLACK, WHITE, width).astype(np.uint8)
        frame.y[height * 5 // 8 : height * 3 // 4] = ramp
        for number, bar in enumerate(_BARS):
            left, right = (width * n // len(_BARS) for n in (number, number + 1))
            _fill(frame, colour(*bar), left, height // 8, (right - left, height // 2))
        _fill(frame, _ROAD, 0, height * 3 // 4, (width, height - height * 3 // 4))
        return frame

    def _drive_car(self, frame: Frame, now: float) -> None:
        """Cross the road from left to right in 6 s."""
        length, high = max(8, self._width // 6), max(4, self._height // 16)
        left = int(now % 6 / 6 * (self._width + length)) - length
        top = self._height * 13 // 16
        _fill(frame, _GLASS, left + length // 4, top - high, (length // 2, high))
        _fill(frame, _RED, left, top, (length, high))
        for wheel in (length // 8, length * 5 // 8):
            _fill(frame, _DARK, left + wheel, top + high, (length // 4, max(2, high // 2)))

    def _throw_ball(self, frame: Frame, now: float) -> None:
        """Bounce on the bars' lower edge, once a second, there and back in 10 s."""
        size = max(4, min(self._width, self._height) // 10)
        there = abs(now % 10 / 5 - 1)
        bounce = 4 * (now % 1) * (1 - now % 1)
        left = int(there * (self._width - size))
        top = int(self._height * 5 / 8 - size - bounce * (self._height / 2 - size))
        for part in range(_STRIPS):  # a disc of so many strips
            height = 2 * (part + 0.5) / _STRIPS - 1
            chord = int(size * (1 - height * height) ** 0.5)
            strip = (chord, size * (part + 1) // _STRIPS - size * part // _STRIPS)
            _fill(frame, _ORANGE, left + (size - chord) // 2, top + size * part // _STRIPS, strip)

    def _write(self, frame: Frame, text: str) -> None:
        letters = np.concatenate([self._letters[letter] for letter in text], axis=1)
        room = frame.y[: letters.shape[0], : letters.shape[1]]
        room[:] = letters[: room.shape[0], : room.shape[1]]


def _fill(frame: Frame, tone: Colour, left: int, top: int, size: tuple[int, int]) -> None:
    """Fill a rectangle (size: width, height), as much of it as is within the picture."""
    width, height = size
    right, bottom = max(0, left + width), max(0, top + height)
    left, top = max(0, left), max(0, top)
    frame.y[top:bottom, left:right] = tone[0]
    frame.u[top // 2 : bottom // 2, left // 2 : right // 2] = tone[1]
    frame.v[top // 2 : bottom // 2, left // 2 : right // 2] = tone[2]
