"""Which JPEG quality keeps a picture below its bytes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

#: Below this a picture is made smaller rather than worse.
FLOOR = 30
#: Encodings of one size at most, the floor among them.
TRIES = 4
_RECOVER, _ROOM = 5, 0.7


def next_quality(tried: Sequence[tuple[int, int]], max_bytes: int) -> int | None:
    """Return what to try after the (quality, bytes) tried so far; None: the last fits, or even the floor does not.

    Bytes are roughly proportional to quality, so the first guesses land close; the last try is the floor.
    """
    quality, size = tried[-1]
    if size <= max_bytes or quality <= FLOOR:
        return None
    if len(tried) >= TRIES - 1:
        return FLOOR
    guess = int(quality * max_bytes / size * 0.97)
    return max(FLOOR, min(quality - 1, guess))


def next_start(quality: int, size: int, max_bytes: int, wanted: int) -> int:
    """Return the quality to start the next picture with: this one, or a little more where there was room."""
    return min(wanted, quality + _RECOVER) if size <= max_bytes * _ROOM else min(wanted, quality)
