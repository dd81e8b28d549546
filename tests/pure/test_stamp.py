"""Tokens: what a keeper gave it knows again, with its age; nothing else is one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pimqtt_agent.keeper.stamp import Stamp
from pimqtt_agent.strict_json import MAX_NAME

TIMES = st.floats(0, 1e9)


@given(given_at=TIMES, later=st.floats(0, 1e6), generation=st.integers(0, 2**32 - 1))
def test_a_token_tells_its_age_to_the_millisecond(given_at: float, later: float, generation: int) -> None:
    stamp = Stamp(generation)
    age_s = stamp.age_s(stamp.give(given_at), given_at + later)
    assert abs(age_s - later) < 0.0011


def test_it_is_never_told_younger_than_it_is() -> None:
    stamp = Stamp(1)
    assert stamp.age_s(stamp.give(10.0009), 10.5009) >= 0.5


def test_it_is_opaque_and_short_enough_to_be_sent_back() -> None:
    token = Stamp(2**32 - 1).give(4e9)
    assert 0 < len(token) <= MAX_NAME
    assert token.isascii()


@given(now=TIMES)
def test_another_keepers_is_none(now: float) -> None:
    assert Stamp(2).age_s(Stamp(1).give(now), now) == -1
    assert Stamp(1).age_s(Stamp(1).give(now), now) == -1


@given(text=st.text(max_size=64))
def test_no_text_is_a_token_or_an_error(text: str) -> None:
    assert Stamp(1).age_s(text, 1.0) == -1


@given(now=st.integers(1, 10**9), place=st.integers(0, 40), char=st.sampled_from("0123456789abcdef.-x"))
def test_a_changed_token_is_none(now: int, place: int, char: str) -> None:
    stamp = Stamp(7)
    token = stamp.give(now)
    place %= len(token)
    changed = token[:place] + char + token[place + 1 :]
    assert changed == token or stamp.age_s(changed, now) == -1
