"""Files that play for ever: clips made here, encoded and decoded for real."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media import video
from pimqtt_agent.media.sources import Frame
from pimqtt_agent.media.video import File

FPS, FRAMES = 10, 30


def shade(number: int) -> int:
    """Return the luma of a clip's picture."""
    return 30 + number * 6


def write_clip(path: Path, codec: str = "libx264", size: tuple[int, int] = (160, 120)) -> Path:
    """Write 3 s of plain pictures, each a little lighter than the last."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for number in range(FRAMES):
            picture = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
            picture[: size[1]] = shade(number)
            frame = av.VideoFrame.from_ndarray(picture, format=stream.pix_fmt)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def number_of(frame: Frame) -> int:
    """Recognise a clip's picture by its luma; the clip's is of limited range, the frame's of full range."""
    limited = 16 + float(frame.y.mean()) * 219 / 255
    return round((limited - 30) / 6)


def opened(path: Path, width: int = 160, height: int = 120) -> File:
    source = File(str(path), width, height)
    source.open()
    return source


def test_the_clock_says_which_picture_is_now(clip: Path) -> None:
    source = opened(clip)
    assert [number_of(source.read(at)) for at in (0.05, 0.15, 0.55, 1.25, 2.95)] == [0, 1, 5, 12, 29]
    source.close()


def test_it_begins_again_at_its_end(clip: Path) -> None:
    source = opened(clip)
    assert [number_of(source.read(at)) for at in (2.85, 3.05, 3.35, 6.05, 3_000_000.55)] == [28, 0, 3, 0, 5]
    source.close()


def test_the_same_time_is_the_same_picture_in_any_order(clip: Path) -> None:
    source = opened(clip)
    assert [number_of(source.read(at)) for at in (2.05, 2.05, 0.55, 0.65, 2.45, 2.05)] == [20, 20, 5, 6, 24, 20]
    source.close()


def test_a_source_that_was_closed_opens_again(clip: Path) -> None:
    source = opened(clip)
    source.close()
    source.close()
    source.open()
    assert number_of(source.read(1.05)) == 10
    source.close()


def test_every_picture_moves_on(clip: Path) -> None:
    source = opened(clip)
    numbers = [number_of(source.read(at / 20 + 0.01)) for at in range(60)]
    assert numbers == [n for number in range(FRAMES) for n in (number, number)]
    source.close()


def test_hours_of_reading_leave_nothing_behind(tmp_path: Path) -> None:
    source = opened(write_clip(tmp_path / "clip.avi", "mpeg4"))
    for tick in range(20_000):
        source._at(tick / 1000 % 2.9)
    source.close()


@pytest.mark.parametrize(("name", "codec"), [("clip.avi", "mpeg4"), ("clip.ts", "libx264"), ("clip.mkv", "ffv1")])
def test_other_codecs_and_containers(tmp_path: Path, name: str, codec: str) -> None:
    source = opened(write_clip(tmp_path / name, codec))
    assert [number_of(source.read(at)) for at in (0.05, 2.55, 3.25)] == [0, 25, 2]
    source.close()


def test_a_file_that_does_not_know_its_length_goes_on_picture_by_picture(tmp_path: Path) -> None:
    source = opened(write_clip(tmp_path / "clip.h264"))
    assert source._length_s == 0
    numbers = [number_of(source.read(0.0)) for _ in range(FRAMES + 3)]
    assert numbers == [*range(FRAMES), 0, 1, 2]
    source.close()


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [((160, 120), (640, 480), (160, 120)), ((160, 90), (80, 60), (80, 44)), ((120, 160), (100, 100), (76, 100))],
)
def test_pictures_fit_without_being_bent(
    tmp_path: Path, size: tuple[int, int], box: tuple[int, int], expected: tuple[int, int]
) -> None:
    source = opened(write_clip(tmp_path / "clip.mp4", size=size), *box)
    frame = source.read(0.0)
    assert (frame.width, frame.height) == expected
    assert frame.u.shape == (expected[1] // 2, expected[0] // 2)
    source.close()


def test_black_and_white_become_full_range() -> None:
    for luma, expected in ((16, 0), (235, 255)):
        picture = av.VideoFrame.from_ndarray(np.full((96, 64), luma, np.uint8), format="yuv420p")
        assert video.planes(picture, 64, 64).y[0, 0] == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"no video at all" * 100, "Invalid data"), (b"", "Invalid data|End")],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HardwareError, match=reason) as caught:
        File(str(path), 640, 480).open()
    assert str(path) in str(caught.value)


def test_a_file_without_pictures_is_told(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(HardwareError, match="no video"):
        File(str(tmp_path / "sound.wav"), 640, 480).open()
