"""USB cameras and what else speaks V4L2, by PyAV."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import av

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media.sources import Frame
from pimqtt_agent.media.video import close_video, open_video, planes

#: Buffers that the kernel may have filled before we ask; it allows 32.
_BUFFERS = 32


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
        width, height = self._box
        size = {"video_size": f"{width}x{height}"}
        formats = [{"input_format": "mjpeg"}, {}] if width * height > 640 * 480 else [{}]
        for number, extra in enumerate(formats, 1):
            try:
                self._container = open_video(self._device, format="v4l2", options=size | extra)
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
        close_video(self._container)
        self._container = None


def _decoded(packet: Any) -> list[Any]:
    """Decode; a camera's first picture is often a broken one."""
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []
