"""Stills, encoded and decoded for real: content, bytes, turning, shrinking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import simplejpeg

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media.sources import Frame
from pimqtt_agent.media.still import Encoder, halved, turned
from pimqtt_agent.media.synthetic import Synthetic, colour


def noise(width: int, height: int) -> Frame:
    random = np.random.default_rng(7)
    shapes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    y, u, v = (random.integers(0, 256, shape, dtype=np.uint8) for shape in shapes)
    return Frame(y, u, v)


def quarters(width: int = 64, height: int = 48) -> Frame:
    """Red, green / blue, white."""
    frame = Frame(*(np.zeros(shape, np.uint8) for shape in ((height, width), *[(height // 2, width // 2)] * 2)))
    tones = {(0, 0): (255, 0, 0), (0, 1): (0, 255, 0), (1, 0): (0, 0, 255), (1, 1): (255, 255, 255)}
    for (down, right), tone in tones.items():
        for plane, level in zip((frame.y, frame.u, frame.v), colour(*tone), strict=True):
            high, wide = plane.shape
            plane[down * high // 2 : (down + 1) * high // 2, right * wide // 2 : (right + 1) * wide // 2] = level
    return frame


def corners(jpeg: bytes) -> str:
    """Name the colours in the middle of each quarter: upper left, upper right, lower left, lower right."""
    picture: Any = simplejpeg.decode_jpeg(jpeg)
    high, wide, _ = picture.shape
    names: dict[tuple[int, ...], str] = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 1): "W"}
    places = [
        (high // 4, wide // 4),
        (high // 4, wide * 3 // 4),
        (high * 3 // 4, wide // 4),
        (high * 3 // 4, wide * 3 // 4),
    ]
    return "".join(names.get(tuple(int(level > 127) for level in picture[place]), "?") for place in places)


@pytest.mark.parametrize(
    ("rotation", "expected", "size"),
    [(0, "RGBW", (64, 48)), (90, "BRWG", (48, 64)), (180, "WBGR", (64, 48)), (270, "GWRB", (48, 64))],
)
def test_turning_is_clockwise(rotation: int, expected: str, size: tuple[int, int]) -> None:
    still = Encoder(100_000, 90, rotation).encode(quarters())
    assert corners(still.jpeg) == expected
    assert (still.width, still.height) == size
    assert simplejpeg.decode_jpeg_header(still.jpeg)[:2] == size[::-1]


def test_an_easy_picture_keeps_the_quality_that_is_wanted() -> None:
    still = Encoder(900_000, 85).encode(quarters())
    assert (still.quality, still.width, still.height) == (85, 64, 48)


def test_it_is_the_encoders_own_jpeg() -> None:
    frame = quarters()
    assert Encoder(900_000, 85).encode(frame).jpeg == simplejpeg.encode_jpeg_yuv_planes(frame.y, frame.u, frame.v, 85)


@pytest.mark.parametrize("max_bytes", [280_000, 150_000, 90_000, 20_000, 4_096])
def test_noise_stays_below_its_bytes(max_bytes: int) -> None:
    encoder = Encoder(max_bytes, 85)
    frame = noise(640, 480)
    for _ in range(3):
        still = encoder.encode(frame)
        assert len(still.jpeg) <= max_bytes
        assert 30 <= still.quality <= 85
        assert simplejpeg.decode_jpeg(still.jpeg).shape == (still.height, still.width, 3)


def test_quality_falls_before_size() -> None:
    assert Encoder(150_000, 85).encode(noise(640, 480)).width == 640
    assert Encoder(20_000, 85).encode(noise(640, 480)).width < 640


def test_the_next_picture_starts_where_the_last_one_ended_and_recovers() -> None:
    encoder = Encoder(150_000, 85)
    first = encoder.encode(noise(640, 480))
    again = encoder.encode(noise(640, 480))
    assert abs(again.quality - first.quality) <= 5
    qualities = [encoder.encode(quarters(640, 480)).quality for _ in range(15)]
    assert qualities == sorted(qualities)
    assert qualities[-1] == 85


def test_half_the_size_shows_the_same() -> None:
    small = halved(quarters(132, 98))  # no multiples of four
    assert (small.width, small.height, small.u.shape) == (66, 48, (24, 33))
    assert corners(Encoder(100_000, 90).encode(small).jpeg) == "RGBW"


def test_what_can_not_be_made_small_enough_is_told() -> None:
    with pytest.raises(HardwareError, match="max_bytes"):
        Encoder(100, 85).encode(noise(640, 480))


def test_no_turn_costs_nothing() -> None:
    frame = quarters()
    assert turned(frame, 0) is frame


def test_a_padded_picture_is_encoded_without_its_padding() -> None:
    wide = quarters(128, 48)
    frame = Frame(wide.y[:, :100], wide.u[:, :50], wide.v[:, :50])
    assert simplejpeg.decode_jpeg(Encoder(100_000, 90).encode(frame).jpeg).shape == (48, 100, 3)


def test_the_scene_fits_easily() -> None:
    source = Synthetic(None, 640, 480)
    source.open()
    assert len(Encoder(900_000, 85).encode(source.read(1_700_000_000.0)).jpeg) < 50_000
