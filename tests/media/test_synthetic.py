"""The painted scene: the same for the same time, moving, and its time and number can be read off the JPEG."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import simplejpeg

from pimqtt_agent.media.still import Encoder
from pimqtt_agent.media.synthetic import CELL_HEIGHT, CELL_WIDTH, FONT, Synthetic, caption, lettering

NOON = 1_700_049_600.0  # 12:00:00 UTC


def scene(width: int = 640, height: int = 480) -> Synthetic:
    source = Synthetic(None, width, height)
    source.open()
    return source


def decoded(now: float, width: int = 640, height: int = 480) -> Any:
    return simplejpeg.decode_jpeg(Encoder(900_000, 85).encode(scene(width, height).read(now)).jpeg)


def read_caption(picture: Any, letters: int) -> str:
    """Read the text at the upper left by comparing dots."""
    scale = max(1, picture.shape[1] // (CELL_WIDTH * 22))
    white = picture[: CELL_HEIGHT * scale, :, 1] > 127
    text = ""
    for place in range(letters):
        cell = white[:, place * CELL_WIDTH * scale : (place + 1) * CELL_WIDTH * scale]
        text += min(FONT, key=lambda letter: np.count_nonzero(cell != (lettering(letter, scale) > 127)))
    return text


def car_left(picture: Any) -> int:
    """Find the car's left edge: the first red on the road."""
    row = picture[picture.shape[0] * 27 // 32].astype(int)
    return int(np.argmax((row[:, 0] > 150) & (row[:, 1] < 90)))


def test_the_caption() -> None:
    assert caption(NOON + 0.25) == "12:00:00.2 #992005"


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (1280, 720)])
def test_time_and_number_can_be_read_in_the_jpeg(width: int, height: int) -> None:
    for now in (NOON, NOON + 3723.45):
        text = caption(now)
        assert read_caption(decoded(now, width, height), len(text)) == text


def test_the_same_time_is_the_same_picture() -> None:
    one, other = scene().read(NOON), scene().read(NOON)
    assert all(np.array_equal(getattr(one, plane), getattr(other, plane)) for plane in "yuv")


def test_the_car_moves_and_the_card_does_not() -> None:
    before, after = decoded(NOON + 1), decoded(NOON + 2)
    assert car_left(after) - car_left(before) == pytest.approx((640 + 106) / 6, abs=4)
    ramp = slice(310, 350)
    assert np.abs(before[ramp].astype(int) - after[ramp]).max() <= 8


def test_the_ball_moves() -> None:
    bars = slice(60, 300)
    moved = np.abs(decoded(NOON + 1)[bars].astype(int) - decoded(NOON + 1.5)[bars]).max(axis=2) > 60
    assert 500 < np.count_nonzero(moved) < 8000


def test_the_bars_have_their_colours() -> None:
    picture = decoded(NOON + 0.5)
    bars = [picture[70, 640 * (2 * bar + 1) // 14].tolist() for bar in range(7)]
    assert [[int(level > 127) for level in bar] for bar in bars] == [
        *([1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1])
    ]


def test_painting_leaves_nothing_behind() -> None:
    source = scene()
    first = source.read(NOON)
    source.read(NOON + 3)
    assert np.array_equal(source.read(NOON).y, first.y)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (66, 4608), (4608, 64), (100, 250)])
def test_any_size_at_any_time(width: int, height: int) -> None:
    source = scene(width, height)
    for tenth in range(0, 100, 7):
        frame = source.read(NOON + tenth / 10)
        assert (frame.y.shape, frame.u.shape) == ((height, width), (height // 2, width // 2))
