"""What one session sends, in which order, and what it leaves out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from pimqtt_agent.outbox import FULL_BYTES, UNANSWERED, WAITING, Outbox
from pimqtt_agent.rights import Rights

Sent = tuple[str, bytes, int]


@dataclass
class Wire:
    """Takes what an MQTT client would send."""

    sent: list[Sent] = field(default_factory=list)
    out: bytearray = field(default_factory=bytearray)

    def publish_plain(self, topic: str, payload: bytes, *, retain: bool) -> None:  # noqa: ARG002
        self.sent.append((topic, payload, 0))

    def publish(self, topic: str, payload: bytes, qos: int, _retain: object, _properties: object) -> Any:
        self.sent.append((topic, payload, qos))
        return SimpleNamespace(rc=0, mid=len(self.sent))


def outbox(wire: Wire, rights: Rights, version: str = "5", max_packet: int | None = None) -> Outbox:
    rights.begin()
    return Outbox(
        wire, rights, version=version, max_packet=max_packet, correlate=lambda data: data, flush=lambda: None
    )  # fmt: skip


def put(box: Outbox, topic: str, payload: bytes, *, retain: bool = True, correlation: bytes | None = None) -> bool:
    """Publish a state."""
    return box.publish(topic, payload, retain=retain, correlation=correlation)


def test_the_first_message_to_a_topic_asks_whether_it_is_allowed_and_the_next_do_not() -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"))
    for payload in (b"1", b"2", b"3", b""):
        put(box, "a", payload)
    assert wire.sent == [("a", b"1", 1), ("a", b"2", 0), ("a", b"3", 0), ("a", b"", 0)]


def test_not_too_many_ask_at_once() -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"))
    for number in range(2 * UNANSWERED):
        put(box, f"t{number}", b"1")
    assert [qos for _, _, qos in wire.sent] == [1] * UNANSWERED + [0] * UNANSWERED
    put(box, f"t{UNANSWERED}", b"2")
    assert wire.sent[-1] == (f"t{UNANSWERED}", b"2", 0)
    box.answered(1, "")
    put(box, f"t{UNANSWERED}", b"3")
    assert wire.sent[-1] == (f"t{UNANSWERED}", b"3", 1)


def test_nobody_asks_where_no_answer_would_tell() -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"), "3.1.1")
    put(box, "a", b"1")
    assert wire.sent == [("a", b"1", 0)]


def test_what_was_refused_is_known_and_goes_on_being_written() -> None:
    wire, rights = Wire(), Rights("car1")
    box = outbox(wire, rights)
    put(box, "a", b"1")
    box.answered(1, "Not authorized")
    assert rights.topics() == ["a"]
    assert put(box, "a", b"2")  # it may be allowed by now
    assert len(wire.sent) == 2


def test_what_is_left_out_counts_as_sent() -> None:
    wire, rights = Wire(), Rights("car1")
    rights.left_out.add("a")
    box = outbox(wire, rights)
    assert put(box, "a", b"1")
    assert wire.sent == []


async def test_one_topic_is_tried_after_the_other_and_only_the_newest_states_wait() -> None:
    wire, rights = Wire(), Rights("car1")
    rights.careful = True
    box = outbox(wire, rights, "3.1.1")
    for topic, payload in (("a", b"1"), ("b", b"1"), ("a", b"2"), ("b", b"2"), ("a", b"3")):
        put(box, topic, payload)
    for payload in (b"x", b"y"):
        put(box, "e", payload, retain=False)
    assert wire.sent == [("a", b"1", 1)]
    assert not box.idle
    for number in (1, 2, 4):
        box.answered(number, "")
        await asyncio.sleep(0.05)
    expected = [("a", b"1", 1), ("b", b"2", 1), ("a", b"3", 0), ("e", b"x", 1), ("e", b"y", 0)]
    assert wire.sent == expected
    assert box.idle
    put(box, "a", b"4")
    assert wire.sent[-1] == ("a", b"4", 0)


async def test_nothing_is_tried_after_the_session() -> None:
    wire, rights = Wire(), Rights("car1")
    rights.careful = True
    box = outbox(wire, rights, "3.1.1")
    put(box, "a", b"1")
    put(box, "b", b"1")
    box.answered(1, "")
    box.close()
    await asyncio.sleep(0.05)
    assert wire.sent == [("a", b"1", 1)]


def test_nothing_larger_than_the_broker_takes_leaves_whatever_it_consists_of() -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"), max_packet=1000)
    assert put(box, "t" * 100, b"p" * 868)
    assert not put(box, "t" * 100, b"p" * 869)
    assert not put(box, "ü" * 50, b"p" * 869)
    assert not put(box, "t" * 100, b"p" * 668, correlation=b"c" * 201)
    assert not put(outbox(wire, Rights("car1")), "ü" * 33_000, b"")
    assert len(wire.sent) == 1


def test_a_broker_that_does_not_read_gets_the_newest_states_when_it_does() -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"))
    wire.out = bytearray(FULL_BYTES + 1)
    assert [put(box, "a", payload) for payload in (b"1", b"2")] == [True, True]
    assert not put(box, "e", b"x", retain=False)
    assert wire.sent == []
    wire.out = bytearray()
    box.write_late()
    assert wire.sent == [("a", b"2", 1)]


def test_what_is_left_out_while_the_broker_does_not_read_is_said_once_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"))
    wire.out = bytearray(FULL_BYTES + 1)
    assert [put(box, "r", b"x", retain=False) for _ in range(3)] == [False] * 3
    assert put(box, "a", b"1"), "a state waits"
    (said,) = caplog.messages
    assert "does not keep up" in said
    wire.out = bytearray()
    box.write_late()
    assert put(box, "r", b"y", retain=False)
    wire.out = bytearray(FULL_BYTES + 1)
    assert not put(box, "r", b"z", retain=False)
    assert len(caplog.messages) == 1
    box.close()
    assert "4 messages of this session were left out" in caplog.messages[-1]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_session_that_lost_nothing_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    box = outbox(Wire(), Rights("car1"), max_packet=100)
    put(box, "a", b"1", retain=False)
    assert not put(box, "a", b"1" * 200, retain=False)  # too large: whoever publishes says so
    box.close()
    assert caplog.messages == []


async def test_so_is_what_finds_no_place_among_those_that_wait_for_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    rights = Rights("car1")
    rights.careful = True
    box = outbox(Wire(), rights, "3.1.1")
    put(box, "a", b"1")
    taken = [put(box, "r", b"x", retain=False) for _ in range(WAITING + 1)]
    assert taken == [True] * WAITING + [False]
    box.close()
    assert "1 messages of this session" in caplog.messages[-1]


async def test_a_newer_state_takes_the_place_of_one_that_waits_however_many_do() -> None:
    rights = Rights("car1")
    rights.careful = True
    wire = Wire()
    box = outbox(wire, rights, "3.1.1")
    put(box, "a", b"1")
    put(box, "b", b"1")
    while put(box, "r", b"x", retain=False):
        pass
    assert put(box, "b", b"2")
    box.answered(1, "")
    await asyncio.sleep(0.1)
    assert wire.sent[1] == ("b", b"2", 1)


def test_while_older_states_wait_for_the_broker_a_newer_one_waits_behind_them() -> None:
    wire = Wire()
    box = outbox(wire, Rights("car1"), "3.1.1")
    put(box, "a", b"0")
    wire.out += bytes(FULL_BYTES + 1)
    assert box.idle
    put(box, "a", b"1")
    assert not box.idle
    wire.out.clear()
    put(box, "a", b"2")
    put(box, "new", b"1")
    put(box, "r", b"x", retain=False)
    assert box.write_late()
    assert wire.sent == [("a", b"0", 0), ("r", b"x", 0), ("a", b"2", 0), ("new", b"1", 0)]
    assert not box.write_late()
    put(box, "a", b"3")
    assert wire.sent[-1] == ("a", b"3", 0)
