"""A command that is sent twice within 60 s is known, however many came between; the memory of them has a bound."""

from __future__ import annotations

import pytest

from pimqtt_agent.broker import Incoming
from pimqtt_agent.repeats import REMEMBER_BYTES, REMEMBER_S, Repeats

ANSWER = {"id": "a", "outcome": "accepted", "reason": None}


def command(payload: bytes = b"{}", topic: str = "pimqtt/car1/lamp/set") -> Incoming:
    return Incoming(topic, payload, 1, retain=False, at_s=0)


def test_it_is_known_for_60_s_with_its_answer() -> None:
    repeats = Repeats()
    assert repeats.earlier(0, command()) is None
    repeat = repeats.add(0, command())
    waiting = repeats.earlier(1, command())
    assert waiting is repeat
    assert waiting.told is None
    repeats.answered(repeat, ANSWER)
    again = repeats.earlier(REMEMBER_S - 1, command())
    assert again
    assert again.told == ANSWER
    assert repeats.earlier(REMEMBER_S + 1, command()) is None
    assert len(repeats) == 0


def test_another_payload_or_topic_is_another_command() -> None:
    repeats = Repeats()
    repeats.add(0, command(b"ab", "c"))
    for other in (command(b"ab", "d"), command(b"a", "c"), command(b"b", "ca"), command(b"", "cab")):
        assert repeats.earlier(0, other) is None


def test_none_is_forgotten_early_at_200_a_second_for_a_minute() -> None:
    repeats = Repeats()
    for number in range(12_000):
        repeats.answered(repeats.add(number / 200, command(b"%d" % number)), {"reason": "x" * 250})
    for number in (0, 1, 6000, 11_999):
        assert repeats.earlier(60, command(b"%d" % number))


def test_more_than_memory_holds_forgets_the_oldest_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    repeats, most = Repeats(), 0
    for number in range(40_000):
        repeats.answered(repeats.add(number / 1000, command(b"%d" % number)), {"reason": "x" * 400})
        most = max(most, len(repeats))
    assert most * 1000 < REMEMBER_BYTES * 1.1
    assert repeats.earlier(40, command(b"0")) is None
    assert repeats.earlier(40, command(b"39999"))
    assert len(caplog.records) == 1
    assert "with an id" in caplog.text
