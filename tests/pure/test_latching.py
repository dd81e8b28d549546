"""Whose answer a waiting stop or reset takes for its own."""

from __future__ import annotations

from pimqtt_agent.client_stops import Latching
from pimqtt_agent.client_topics import Place


def test_the_acceptance_of_another_sender_is_no_answer_and_a_refusal_and_the_state_are() -> None:
    where = Place("car1", "", "", "")
    for content, outcome in (("OFF", "accepted"), ({"outcome": "rejected", "code": "unavailable"}, "rejected")):
        reset = Latching(where, "OFF")
        stop = Place("car1", "stop", "", "result")
        reset.hear(stop, {"outcome": "accepted", "id": "theirs", "value": "ON"}, retained=False)
        assert not reset.complete(settled=True)
        reset.hear(stop if isinstance(content, dict) else Place("car1", "stop", "", "state"), content, retained=False)
        assert reset.complete(settled=True)
        assert [answer.outcome for answer in reset.results(1)] == [outcome]
