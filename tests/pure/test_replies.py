"""An answer that is more than the broker takes: a shorter one is told, or nothing; the log says which."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from pimqtt_agent.replies import Replies, result

LONG = result(id="a", outcome="rejected", code="invalid", reason="x" * 900)


@dataclass
class Broker:
    """Takes payloads up to ``most`` bytes."""

    most: float
    told: list[tuple[str, Any]] = field(default_factory=list)

    def room(self, _topic: str, _correlation: bytes | None = None) -> float:
        return self.most

    def publish(self, topic: str, payload: bytes | str, **_options: Any) -> bool:
        assert len(payload) <= self.most, "more than the broker takes"
        self.told.append((topic, json.loads(payload)))
        return True

    def flush(self) -> None:
        """Nothing waits."""


def test_a_shorter_answer_is_told_instead_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker(500)
    Replies(broker).result("pimqtt/car1/lamp/result", LONG, None)
    ((_, told),) = broker.told
    assert (told["id"], told["outcome"], told["code"]) == ("a", "rejected", "invalid")
    assert "more than the broker takes here (500)" in told["reason"]
    (said,) = caplog.messages
    assert said.startswith("pimqtt/car1/lamp/result: ")
    assert said.endswith("too_large is told instead")


@pytest.mark.parametrize("most", [-1, 60])
def test_where_no_shorter_one_fits_nothing_is_sent_and_the_log_says_that(
    caplog: pytest.LogCaptureFixture, most: float
) -> None:
    broker = Broker(most)
    replies = Replies(broker)
    for _ in range(2):
        replies.result("pimqtt/car1/lamp/result", LONG, None)
        replies.calls("", {"id": 1, "action": "pins", "code": None, "result": "x" * 99}, ("pimqtt/reply/me", b"1"))
    assert broker.told == []
    first, second = caplog.messages  # each topic once
    assert first.endswith("nothing can be told")
    assert second.startswith("pimqtt/reply/me: ")
    assert "instead" not in first + second
