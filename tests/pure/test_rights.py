"""What is learned of a broker's ACL from refusals and from connections that it ends."""

from __future__ import annotations

import logging

import pytest

from pimqtt_agent.rights import LEFT_OUT, REMEMBERED, TOLD, Rights

LAMP, PUMP = "pimqtt/car1/lamp/state", "pimqtt/car1/pump/state"


def new(login: str | None = "car1") -> Rights:
    rights = Rights(login)
    rights.begin()
    return rights


def test_a_refusal_is_told_once_in_a_session_with_the_mend(caplog: pytest.LogCaptureFixture) -> None:
    rights = new()
    changes: list[list[str]] = []
    rights.changed = lambda: changes.append(rights.topics())
    for now in (1.0, 2.0):
        rights.refused(LAMP, "write", "Not authorized", now)
    rights.refused("pimqtt/car1/+/set", "read", "Not authorized", 3.0)
    assert changes == [[LAMP], ["pimqtt/car1/+/set", LAMP]]
    first, second = caplog.messages
    for word in (LAMP, "'car1'", "write", "ACL", "Not authorized", "mosquitto/acl"):
        assert word in first
    assert "read" in second
    assert "write it" in rights.why(LAMP)
    assert rights.why(PUMP) == ""
    rights.begin()
    assert rights.topics() == []
    rights.refused(LAMP, "write", "Not authorized", 4.0)
    assert len(caplog.messages) == 3


def test_each_subscription_is_granted_or_refused_for_itself() -> None:
    rights = new()
    rights.asked[7] = ["a/set", "b/set", "c/set"]
    rights.granted(7, ["", "Not authorized", ""])
    rights.granted(8, ["Not authorized"])  # nobody asked
    assert rights.topics() == ["b/set"]
    assert "to read it" in rights.why("b/set")
    assert rights.asked == {}


def test_a_flood_of_refusals_is_told_in_so_many_lines(caplog: pytest.LogCaptureFixture) -> None:
    rights = new(None)
    for number in range(3 * TOLD):
        rights.refused(f"t/{number}", "write", "Not authorized", 1.0)
    assert len(caplog.messages) == TOLD + 1
    assert "no login" in caplog.messages[0]
    assert "doctor" in caplog.messages[-1]
    assert len(rights.topics()) == 3 * TOLD


def test_a_topic_that_was_refused_right_before_the_end_is_left_out() -> None:
    rights = new()
    rights.refused(LAMP, "write", "Not authorized", 1.0)
    reason, learned = rights.cut(1.1)
    assert learned
    assert LAMP in reason
    assert rights.left_out == {LAMP}
    rights.begin()
    assert rights.topics() == [LAMP]
    assert not rights.careful


def test_an_end_long_after_everything_tells_nothing_and_forgets() -> None:
    rights = new()
    rights.left_out.add(PUMP)
    rights.writing(LAMP, 1.0, kept=True)
    rights.refused(LAMP, "write", "Not authorized", 1.0)
    assert rights.cut(60.0) == ("", False)
    assert rights.left_out == set()


def test_without_a_word_topics_are_tried_one_by_one_and_one_is_guilty_the_second_time() -> None:
    rights = new()
    rights.writing(LAMP, 1.0, kept=True)
    assert rights.cut(1.1)[1]
    assert rights.careful
    assert rights.left_out == set()
    for _ in range(2):
        rights.begin()
        assert rights.left_out == set()
        rights.testing = LAMP
        assert rights.cut(2.0)[1]
    assert rights.left_out == {LAMP}


def test_two_ends_while_different_topics_were_tried_make_nobody_guilty() -> None:
    rights = new()
    rights.careful = True
    for topic in (LAMP, PUMP, LAMP):
        rights.begin()
        rights.testing = topic
        assert rights.cut(2.0)[1]
    assert rights.left_out == set()


def test_what_was_answered_and_followed_by_another_answer_need_not_be_tried_again() -> None:
    rights = new()
    for topic in ("a", "b", "c"):
        rights.answered(topic)
    rights.writing("d", 1.0, kept=False)
    rights.cut(1.1)
    rights.begin()
    assert rights.tried == {"a", "b"}  # 3.1.1 acknowledges what it denies, then ends the connection


def test_any_other_end_forgets_what_may_be_mended() -> None:
    rights = new()
    rights.refused(LAMP, "write", "Not authorized", 1.0)
    rights.cut(1.1)
    rights.forget()
    rights.begin()
    assert (rights.left_out, rights.careful, rights.topics()) == (set(), False, [])


def test_a_login_without_rights_is_given_up_until_something_else_ends_the_connection() -> None:
    rights = new()
    for number in range(LEFT_OUT):
        rights.begin()
        rights.refused(f"t/{number}", "write", "Not authorized", 1.0)
        assert rights.cut(1.1)[1]
    for _ in range(3):
        rights.begin()
        rights.refused("t/0", "write", "Not authorized", 1.0)
        reason, learned = rights.cut(1.1)
        assert not learned  # so the backoff grows
        assert "any rights" in reason
    rights.forget()
    rights.begin()
    rights.refused("t/0", "write", "Not authorized", 1.0)
    assert rights.cut(1.1)[1]


def test_the_log_is_quiet_about_what_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    rights = new()
    with caplog.at_level(logging.DEBUG):
        rights.writing(LAMP, 1.0, kept=True)
        rights.answered(LAMP)
        rights.forget()
    assert caplog.messages == []


def test_topics_without_end_are_not_all_remembered() -> None:
    rights = new()
    for number in range(3 * REMEMBERED):
        rights.writing(f"pimqtt/reply/{number}", 1.0, kept=False)
        rights.tried.add(f"pimqtt/reply/{number}")
        rights.answered(f"pimqtt/reply/{number}")
    assert len(rights.written) <= REMEMBERED
    assert len(rights.tried) <= REMEMBERED + 1
