"""How long an agent waits before it connects again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimqtt_agent.broker import BACKOFF_S, LASTED_S, TAKEN_OVER_S, Backoff, SessionEnded, forever
from pimqtt_agent.settings import MqttOptions
from pimqtt_agent.spoken import Spoken

LOST = SessionEnded("lost")
LEARNED, TAKEN_OVER = SessionEnded("over a topic", learned=True), SessionEnded("taken over", taken_over=True)


def longest(_low: float, high: float) -> float:
    return high


def test_it_doubles_up_to_a_limit_and_stays_there() -> None:
    backoff = Backoff(longest)
    assert [backoff.after(LOST, 0.1) for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_session_that_lasted_begins_anew() -> None:
    backoff = Backoff(longest)
    for _ in range(8):
        backoff.after(LOST, 0.1)
    assert backoff.after(LOST, LASTED_S - 1) == BACKOFF_S[1]
    assert backoff.after(LOST, LASTED_S + 1) == BACKOFF_S[0]
    assert backoff.after(LOST, 0.1) == 2 * BACKOFF_S[0]


def test_a_name_that_was_taken_over_costs_long_at_once() -> None:
    backoff = Backoff(longest)
    assert backoff.after(TAKEN_OVER, 3600) == TAKEN_OVER_S


def test_it_does_not_double_while_something_is_learned() -> None:
    backoff = Backoff(longest)
    assert [backoff.after(LEARNED, 0.1) for _ in range(3)] == [0.5, 0.5, 0.5]
    assert [backoff.after(LOST, 0.1) for _ in range(3)] == [0.5, 1, 2]
    assert [backoff.after(end, 0.1) for end in (LEARNED, LOST, LEARNED, LOST)] == [4, 4, 8, 8]


@given(st.lists(st.tuples(st.sampled_from([LOST, LEARNED, TAKEN_OVER]), st.floats(0, 1e6)), min_size=1))
def test_it_is_never_at_once_and_never_longer_than_the_limit(history: list[tuple[SessionEnded, float]]) -> None:
    backoff = Backoff()
    for end, lasted_s in history:
        assert BACKOFF_S[0] / 2 <= backoff.after(end, lasted_s) <= BACKOFF_S[1]


def test_two_agents_do_not_wait_alike() -> None:
    def waits() -> list[float]:
        backoff = Backoff()
        return [backoff.after(LOST, 0.1) for _ in range(4)]

    one, two = waits(), waits()
    assert one != two
    for wait_s, most_s in zip(one, (0.5, 1, 2, 4), strict=True):
        assert most_s / 2 <= wait_s <= most_s
    assert one[-1] == pytest.approx(3, abs=1)


class EndError(Exception):
    """The test has seen enough."""


class Silent:
    """A broker that says nothing to MQTT 5, nor to 3.1.1, and what was tried with it."""

    def __init__(self) -> None:
        self.options = MqttOptions(host="127.0.0.1")
        self.spoken = Spoken(self.options.protocol)
        self.tried: list[str] = []

    async def session(self) -> None:
        self.tried.append(self.spoken.version)
        if len(self.tried) == 5:
            raise EndError
        raise SessionEnded("no CONNACK", fallback=True)


@pytest.mark.asyncio
@pytest.mark.parametrize("before", ["nothing", "took 5", "refused"])
async def test_mqtt_5_is_never_given_up_for_a_version_that_gets_no_answer_either(
    monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    waits: list[float] = []

    async def at_once(wait_s: float) -> None:
        waits.append(wait_s)

    monkeypatch.setattr("pimqtt_agent.broker.asyncio.sleep", at_once)
    broker = Silent()
    if before == "took 5":
        assert broker.spoken.accepted()
    elif before == "refused":
        broker.spoken.refused()
    with pytest.raises(EndError):
        await forever(broker)
    alone = before == "took 5"
    assert broker.tried == (["5"] * 5 if alone else ["5", "3.1.1", "5", "3.1.1", "5"])
    assert len(waits) == (4 if alone else 2), "it is never a loop without a pause"


def test_who_answers_in_3_1_1_alone_is_asked_once_more_in_5() -> None:
    spoken = Spoken("auto")
    assert spoken.unanswered()
    assert (spoken.version, spoken.accepted(), spoken.version) == ("3.1.1", False, "5")
    assert spoken.unanswered()
    assert (spoken.version, spoken.accepted(), spoken.version) == ("3.1.1", True, "3.1.1")


def test_who_refuses_5_is_believed_at_once_also_after_it_took_it() -> None:
    spoken = Spoken("auto")
    assert spoken.accepted()
    assert not spoken.unanswered()
    spoken.refused()
    assert spoken.unanswered()
    assert (spoken.accepted(), spoken.version) == (True, "3.1.1")


@pytest.mark.parametrize("only", ["5", "3.1.1"])
def test_a_version_that_is_set_is_the_only_one(only: str) -> None:
    spoken = Spoken(only)
    assert (spoken.unanswered(), spoken.version, spoken.accepted(), spoken.version) == (False, only, True, only)
