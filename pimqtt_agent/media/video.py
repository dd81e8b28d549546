"""A video file that plays for ever, by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, ClassVar

import av
import numpy as np

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media.sources import Frame, fitting

#: A file is decoded up to the wanted time, from its last key frame where that is nearer (s).
_PLAY_ON_S = 2.0
_NEVER = float("-inf")


class File:
    """Plays in real time and begins again at its end: the clock alone says which picture is now."""

    settle_s: ClassVar[float] = 0.0

    def __init__(self, path: str, width: int, height: int) -> None:
        """Note what to play, and the box that pictures must fit into."""
        self._path = path
        self._box = width, height
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._begin_s = self._length_s = 0.0
        self._last: Any = None
        self._ahead: Any = None

    def open(self) -> None:
        """Open the file."""
        self._container = open_video(self._path)
        self._length_s = (self._container.duration or 0) / av.time_base
        self._begin_s = (self._container.start_time or 0) / av.time_base
        self._frames = self._container.decode(video=0)

    def read(self, now: float) -> Frame:
        """Return the picture of ``now`` (Unix s); where the file does not know its length, the next one."""
        try:
            frame = self._at(self._begin_s + now % self._length_s) if self._length_s > 0 else self._next()
        except av.FFmpegError as error:
            raise HardwareError(f"{self._path}: {error.strerror}") from error
        return planes(frame, *self._box)

    def close(self) -> None:
        """Close the file."""
        self._last, self._ahead, self._frames = None, None, iter(())
        close_video(self._container)
        self._container = None

    def _at(self, position_s: float) -> Any:
        """Return the last picture that begins at or before the position, or the first of all."""
        seen_s = _seconds(self._last)
        if not seen_s <= position_s < seen_s + _PLAY_ON_S:
            self._wind(position_s)
        if not self._play(position_s):  # some containers lose their way when wound
            self._begin()
            if not self._play(position_s):
                raise HardwareError(f"{self._path} has no picture")
        return self._last

    def _play(self, position_s: float) -> bool:
        """Go on to the position; the picture beyond it is kept for the next time."""
        ahead, self._ahead = self._ahead, None
        for frame in chain(() if ahead is None else (ahead,), self._frames):
            if self._last is not None and _seconds(frame) > position_s:
                self._ahead = frame
                break
            self._last = frame
        return self._last is not None

    def _next(self) -> Any:
        frame = next(self._frames, None)
        if frame is None:
            self._begin()
            frame = next(self._frames, None)
        if frame is None:
            raise HardwareError(f"{self._path} has no picture")
        return frame

    def _wind(self, position_s: float) -> None:
        """Go to the key frame before the position."""
        stream = self._container.streams.video[0]
        try:
            self._container.seek(int(position_s / stream.time_base), stream=stream, backward=True)
        except av.FFmpegError:
            self._begin()
        else:
            self._last, self._ahead, self._frames = None, None, self._container.decode(stream)

    def _begin(self) -> None:
        """Go to the beginning, as every file can."""
        self.close()
        self.open()


def planes(picture: Any, width: int, height: int) -> Frame:
    """Turn PyAV's picture into planes of full range that fit into width x height."""
    size = fitting(picture.width, picture.height, width, height)
    flat = picture.reformat(*size, format="yuvj420p").to_ndarray().reshape(-1)
    wide, high = size
    y, u, v = np.split(flat, [wide * high, wide * high * 5 // 4])
    return Frame(y.reshape(high, wide), u.reshape(high // 2, wide // 2), v.reshape(high // 2, wide // 2))


def open_video(path: str, **options: Any) -> Any:
    """Open what PyAV can open, with one decoding thread. Raises ``HardwareError``."""
    try:
        container = av.open(path, **options)
    except (av.FFmpegError, OSError) as error:
        raise HardwareError(f"{path}: {error.strerror}") from error
    if not container.streams.video:
        container.close()
        raise HardwareError(f"{path} has no video")
    container.streams.video[0].codec_context.thread_count = 1
    return container


def close_video(container: Any) -> None:
    """Close it, if it is open."""
    if container is not None:
        container.close()


def _seconds(frame: Any) -> float:
    return _NEVER if frame is None or frame.time is None else float(frame.time)
