"""USB cameras, as far as none is needed: a missing one for real, pictures from a stand-in for PyAV's container."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media import v4l2
from pimqtt_agent.media.v4l2 import V4l2


def test_a_camera_that_is_not_there_is_told() -> None:
    for size in ((640, 480), (1920, 1080)):
        with pytest.raises(HardwareError, match="/dev/video63: No such file"):
            V4l2("/dev/video63", *size).open()


class Queue:
    """Stands in for PyAV's container of a camera: packets that waited, then fresh ones."""

    def __init__(self, ages_s: list[float]) -> None:
        self._ages_s = ages_s

    def demux(self, video: int) -> Any:
        assert video == 0
        for number, age_s in enumerate(self._ages_s):
            yield Packet(number, time.monotonic() - age_s)

    def close(self) -> None:
        self._ages_s = []


class Packet:
    time_base = Fraction(1, 1_000_000)

    def __init__(self, number: int, at_s: float) -> None:
        self.number = number
        self.pts = int(at_s * 1_000_000)

    def decode(self) -> list[Any]:
        if self.number == 0:
            raise av.error.InvalidDataError(1, "broken")
        picture = np.full((96, 64), 128, np.uint8)
        picture[:64] = self.number
        return [av.VideoFrame.from_ndarray(picture, format="yuvj420p")]


@pytest.mark.parametrize(
    ("ages_s", "expected"), [([9, 8, 7, -1], 3), ([-1, -1], 1), ([9.0] * 40, 31)], ids=["waited", "broken", "odd clock"]
)
def test_pictures_that_waited_in_a_camera_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, ages_s: list[float], expected: int
) -> None:
    monkeypatch.setattr(v4l2, "open_video", lambda *_args, **_options: Queue(ages_s))
    camera = V4l2("/dev/video0", 640, 480)
    camera.open()
    assert camera.read(0.0).y[0, 0] == expected
    camera.close()
    camera.close()


def test_a_camera_that_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "open_video", lambda *_args, **_options: Queue([]))
    camera = V4l2("/dev/video0", 640, 480)
    camera.open()
    with pytest.raises(HardwareError, match="no pictures"):
        camera.read(0.0)


def test_large_pictures_are_asked_for_as_mjpeg_where_the_camera_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def no_mjpeg(_path: str, *, format: str, options: dict[str, str]) -> Queue:  # noqa: A002
        asked.append(options)
        assert format == "v4l2"
        if "input_format" in options:
            raise HardwareError("Invalid argument")
        return Queue([-1, -1])

    monkeypatch.setattr(v4l2, "open_video", no_mjpeg)
    V4l2("/dev/video0", 1280, 720).open()
    V4l2("/dev/video0", 640, 480).open()
    assert asked == [
        {"video_size": "1280x720", "input_format": "mjpeg"},
        {"video_size": "1280x720"},
        {"video_size": "640x480"},
    ]
