"""Keys to ways: what a terminal can't tell is timed."""

from __future__ import annotations

import pytest

from pimqtt_agent.console.keyboard import FIRST_S, REPEAT_S, Keys, split


def pressed(*keys: str, at: float = 10.0, step: float = 0.05) -> tuple[Keys, float]:
    """Press keys one after the other; return when the last was."""
    found = Keys()
    for number, key in enumerate(keys):
        found.press(key, at + number * step)
    return found, at + (len(keys) - 1) * step


@pytest.mark.parametrize(("key", "way"), [
    ("w", (0, 1)), ("W", (0, 1)), ("s", (0, -1)), ("a", (-1, 0)), ("d", (1, 0)),
    ("\x1b[A", (0, 1)), ("\x1bOD", (-1, 0)),
])  # fmt: skip
def test_each_key_has_a_way(key: str, way: tuple[int, int]) -> None:
    keys, at = pressed(key)
    assert keys.wanted(at) == way


def test_a_first_press_outlasts_the_pause_before_repeats_and_a_repeat_is_short() -> None:
    once, at = pressed("w")
    assert once.wanted(at + FIRST_S - 0.01) == (0, 1)
    assert once.wanted(at + FIRST_S) is None
    held, at = pressed("w", "w")
    assert held.wanted(at + REPEAT_S - 0.01) == (0, 1)
    assert held.wanted(at + REPEAT_S) is None


def test_space_stops_and_other_keys_mean_nothing() -> None:
    keys, at = pressed("w", "x", "é", "\x1b[5~")
    assert keys.wanted(at) == (0, 1)
    keys.press(" ", at)
    assert keys.wanted(at) is None


def test_a_turn_key_bends_the_way_and_forward_goes_straight_again() -> None:
    keys, at = pressed("w", "d")
    assert keys.wanted(at) == (0.5, 1)
    keys.press("a", at)
    assert keys.wanted(at) == (-0.5, 1)
    keys.press("w", at)
    assert keys.wanted(at) == (0, 1)
    on_the_spot, at = pressed("d")
    assert on_the_spot.wanted(at) == (1, 0)


def test_digits_are_speeds_and_q_ends() -> None:
    keys, at = pressed("3", "w")
    assert keys.wanted(at) == (0, 0.3)
    keys.press("0", at)
    assert keys.wanted(at) == (0, 1)
    assert not keys.quit
    keys.press("q", at)
    assert keys.quit


def test_after_a_refusal_the_hand_must_let_go() -> None:
    keys, at = pressed("w")
    keys.mute(0.5, at)
    for _ in range(30):
        at += 0.1
        keys.press("w", at)
        assert keys.wanted(at) is None
    keys.press("w", at + 0.6)
    assert keys.wanted(at + 0.6) == (0, 1)


def test_what_a_terminal_sends_at_once_is_taken_apart() -> None:
    assert split("w\x1b[Aa\x1bOC\x1b[5~ q") == ["w", "\x1b[A", "a", "\x1bOC", "\x1b[5~", " ", "q"]
