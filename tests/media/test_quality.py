"""The search for a quality: few tries, never below the floor, and it fits where anything fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pimqtt_agent.media.quality import FLOOR, TRIES, next_quality, next_start

qualities = st.integers(FLOOR, 100)
sizes = st.integers(1_000, 10_000_000)


@st.composite
def encoders(draw: st.DrawFn) -> list[int]:
    """Bytes by quality (0 to 100): growing, by a power law with a jump in it."""
    least, factor, power = draw(st.integers(500, 500_000)), draw(st.integers(0, 5_000)), draw(st.floats(0.1, 2.5))
    jump, high = draw(st.integers(0, 100)), draw(st.integers(0, 1_000_000))
    return [least + int(factor * quality**power) + (high if quality >= jump else 0) for quality in range(101)]


def search(encoder: list[int], start: int, max_bytes: int) -> list[tuple[int, int]]:
    tried = []
    quality: int | None = start
    while quality is not None:
        tried.append((quality, encoder[quality]))
        quality = next_quality(tried, max_bytes)
    return tried


@given(encoders(), qualities, sizes)
def test_any_search_is_short_and_falls_to_the_floor_at_most(encoder: list[int], start: int, max_bytes: int) -> None:
    tried = search(encoder, start, max_bytes)
    asked = [quality for quality, _ in tried]
    assert len(tried) <= TRIES
    assert asked == sorted(set(asked), reverse=True)
    assert min(asked) >= FLOOR


@given(encoders(), qualities, sizes)
def test_it_finds_what_fits_where_the_floor_fits(encoder: list[int], start: int, max_bytes: int) -> None:
    quality, size = search(encoder, start, max_bytes)[-1]
    assert size <= max_bytes or (quality == FLOOR and encoder[FLOOR] > max_bytes)


@given(encoders(), qualities, sizes)
def test_what_fits_is_taken_at_once(encoder: list[int], start: int, max_bytes: int) -> None:
    if encoder[start] <= max_bytes:
        assert search(encoder, start, max_bytes) == [(start, encoder[start])]


@given(qualities, sizes, sizes, qualities)
def test_quality_recovers_where_there_is_room_and_never_beyond_the_wish(
    quality: int, size: int, max_bytes: int, wanted: int
) -> None:
    start = next_start(quality, size, max_bytes, wanted)
    assert start <= wanted
    assert start >= min(quality, wanted)
    if size > max_bytes * 0.7:
        assert start == min(quality, wanted)


def test_a_usual_picture_needs_two_tries() -> None:
    usual = [round(400 * quality**1.2) for quality in range(101)]
    tried = search(usual, 85, usual[85] // 2)
    assert len(tried) == 2
    assert 30 < tried[-1][0] < 60
