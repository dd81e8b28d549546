"""A video file that plays for ever, and USB cameras (V4L2), both by PyAV."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import av
import numpy as np

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media.sources import Frame, fitting

#: Buffers that a camera's kernel driver may have filled before we ask; the kernel allows 32.
_BUFFERS = 32
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
        self._length_s = 0.0
        self._last: Any = None

    def open(self) -> None:
        """Open the file."""
        self._container = _open(self._path)
        self._length_s = (self._container.duration or 0) / av.time_base
        self._rewind(0.0)

    def read(self, now: float) -> Frame:
        """Return the picture of ``now`` (Unix s); where the file does not know its length, the next one."""
        try:
            frame = self._at(now % self._length_s) if self._length_s > 0 else self._next()
        except av.FFmpegError as error:
            raise HardwareError(f"{self._path}: {error.strerror}") from error
        return planes(frame, *self._box)

    def close(self) -> None:
        """Close the file."""
        self._frames, self._last = iter(()), None
        _close(self._container)
        self._container = None

    def _at(self, position_s: float) -> Any:
        """Return the last picture that begins at or before the position, or the first of all."""
        seen_s = _seconds(self._last)
        if not seen_s <= position_s < seen_s + _PLAY_ON_S:
            self._rewind(position_s)
        for frame in self._frames:
            if self._last is not None and _seconds(frame) > position_s:
                self._frames = _with(frame, self._frames)
                break
            self._last = frame
        if self._last is None:
            raise HardwareError(f"{self._path} has no picture")
        return self._last

    def _next(self) -> Any:
        frame = next(self._frames, None)
        if frame is None:
            self._rewind(0.0)
            frame = next(self._frames, None)
        if frame is None:
            raise HardwareError(f"{self._path} has no picture")
        return frame

    def _rewind(self, position_s: float) -> None:
        self._last = None
        self._container.seek(int(position_s * av.time_base), backward=True)
        self._frames = self._container.decode(video=0)


class V4l2:
    """A USB camera or another V4L2 device."""

    settle_s: ClassVar[float] = 0.7

    def __init__(self, device: str, width: int, height: int) -> None:
        """Note the device (``/dev/video0``) and the size to ask it for."""
        self._device = device
        self._box = width, height
        self._container: Any = None

    def open(self) -> None:
        """Open it; large pictures as MJPEG where it can, since raw ones don't fit through USB in time."""
        size = {"video_size": "{}x{}".format(*self._box)}
        formats = [{"input_format": "mjpeg"}, {}] if self._box > (640, 480) else [{}]
        for number, extra in enumerate(formats, 1):
            try:
                self._container = _open(self._device, format="v4l2", options=size | extra)
            except HardwareError:
                if number == len(formats):
                    raise
            else:
                return

    def read(self, now: float) -> Frame:  # noqa: ARG002
        """Return the first picture that was taken after the call."""
        since = time.monotonic()
        late = _BUFFERS
        try:
            for packet in self._container.demux(video=0):
                late -= 1
                if packet.pts is not None and packet.pts * packet.time_base < since and late > 0:
                    continue
                for frame in _decoded(packet):
                    return planes(frame, *self._box)
        except av.FFmpegError as error:
            raise HardwareError(f"{self._device}: {error.strerror}") from error
        raise HardwareError(f"{self._device} gives no pictures")

    def close(self) -> None:
        """Close it."""
        _close(self._container)
        self._container = None


def planes(picture: Any, width: int, height: int) -> Frame:
    """Turn PyAV's picture into planes of full range that fit into width x height."""
    size = fitting(picture.width, picture.height, width, height)
    flat = picture.reformat(*size, format="yuvj420p").to_ndarray().reshape(-1)
    wide, high = size
    y, u, v = np.split(flat, [wide * high, wide * high * 5 // 4])
    return Frame(y.reshape(high, wide), u.reshape(high // 2, wide // 2), v.reshape(high // 2, wide // 2))


def _open(path: str, **options: Any) -> Any:
    try:
        container = av.open(path, **options)
    except (av.FFmpegError, OSError) as error:
        raise HardwareError(f"{path}: {error.strerror}") from error
    if not container.streams.video:
        container.close()
        raise HardwareError(f"{path} has no video")
    container.streams.video[0].codec_context.thread_count = 1
    return container


def _close(container: Any) -> None:
    if container is not None:
        container.close()


def _decoded(packet: Any) -> list[Any]:
    """Decode; a camera's first picture is often a broken one."""
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []


def _seconds(frame: Any) -> float:
    return _NEVER if frame is None or frame.time is None else float(frame.time)


def _with(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
