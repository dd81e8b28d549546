"""Stills: planes to JPEG, turned, and never larger than they may be. Needs the camera's libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from simplejpeg import encode_jpeg_yuv_planes

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media.quality import next_quality, next_start
from pimqtt_agent.media.sources import Frame

if TYPE_CHECKING:
    from pimqtt_agent.media.sources import Plane

_SMALLEST = 32


@dataclass(frozen=True)
class Still:
    """A JPEG; width and height in pixels as it is seen."""

    jpeg: bytes
    width: int
    height: int
    quality: int


class Encoder:
    """Encodes one camera's stills; starts each with the quality that its scene needed before."""

    def __init__(self, max_bytes: int, quality: int, rotation: int = 0) -> None:
        """Take the limit, the quality wanted (1 to 100), and how far to turn (degrees, clockwise)."""
        self._max_bytes = max_bytes
        self._wanted = quality
        self._start = quality
        self._rotation = rotation

    def encode(self, frame: Frame) -> Still:
        """Make a JPEG below the limit: of lower quality first, of half the size where that is not enough."""
        frame = turned(frame, self._rotation)
        while True:
            tried: list[tuple[int, int]] = []
            quality: int | None = self._start
            while quality is not None:
                jpeg: bytes = encode_jpeg_yuv_planes(frame.y, frame.u, frame.v, quality)
                tried.append((quality, len(jpeg)))
                if len(jpeg) <= self._max_bytes:
                    self._start = next_start(quality, len(jpeg), self._max_bytes, self._wanted)
                    return Still(jpeg, frame.width, frame.height, quality)
                quality = next_quality(tried, self._max_bytes)
            frame = halved(frame)


def turned(frame: Frame, degrees: int) -> Frame:
    """Turn a picture clockwise by 0, 90, 180 or 270 degrees."""
    if not degrees:
        return frame
    y, u, v = (np.ascontiguousarray(np.rot90(plane, -degrees // 90)) for plane in (frame.y, frame.u, frame.v))
    return Frame(y, u, v)


def halved(frame: Frame) -> Frame:
    """Halve both sides. Raises ``HardwareError`` where nothing would be left to see."""
    width, height = frame.width // 4 * 4, frame.height // 4 * 4
    if min(width, height) < 2 * _SMALLEST:
        raise HardwareError("the picture can't be made small enough for max_bytes")
    chroma = (frame.u[: height // 2, : width // 2], frame.v[: height // 2, : width // 2])
    y, u, v = (_mean_of_four(plane) for plane in (frame.y[:height, :width], *chroma))
    return Frame(y, u, v)


def _mean_of_four(plane: Plane) -> Plane:
    wide = plane.astype(np.uint16)
    total = wide[0::2, 0::2] + wide[1::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 1::2]
    return ((total + 2) // 4).astype(np.uint8)
