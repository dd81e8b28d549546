"""The link on a real socket pair: order, room, generations, pictures."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from pimqtt_agent.errors import LinkError
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.messages import (
    Answer,
    Beat,
    Do,
    Happened,
    Health,
    Held,
    Hello,
    Latch,
    Message,
    Press,
    Reverted,
    Simulate,
    State,
    Token,
    Welcome,
)

Ends = tuple[Link, Link]


def do(seq: int, *, stop: bool = False) -> Do:
    return Do(seq, "fan", "", 50.0, 0.5, stop, "ann", 0, None, None, "", 1.0, None, False)


@pytest.fixture
def ends() -> Iterator[Ends]:
    one, two = pair()
    with one, two:
        yield Link(one, 3), Link(two)


def taken(link: Link) -> list[Message]:
    return [message for _, message in everything(link)]


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def everything(link: Link) -> list[tuple[int, Message]]:
    found: list[tuple[int, Message]] = []
    while batch := link.receive():
        found += batch
    return found


def block(link: Link) -> int:
    """Fill the socket with messages that are told apart; return how many are in it."""
    count = 0
    while not link.blocked:
        link.send(Happened("bell", "", {"number": count, "filling": "x" * 10_000}))
        count += 1
    return count - 1


def test_messages_come_whole_and_in_order(ends: Ends) -> None:
    keeper, agent = ends
    sent: list[Message] = [Welcome(1, 7, ["pump"])]
    sent += [State("pump", "", value) for value in (True, False, 1.5, None, {"x": 0.0, "y": -1.0})]
    sent += [Reverted("pump", "", "a1", "ann", "expired", False, False), Beat()]
    sent += [Answer(1, "held", "'bob' holds it", False, None, "bob", None, {"holder": "bob"})]
    for message in sent:
        assert keeper.send(message)
    assert taken(agent) == sent


def test_both_ways(ends: Ends) -> None:
    keeper, agent = ends
    agent.send(do(1))
    agent.send(Latch(2, "", True))
    assert taken(keeper) == [do(1), Latch(2, "", True)]


def test_one_datagram_is_read_at_a_time_so_that_nobody_starves(ends: Ends) -> None:
    keeper, agent = ends
    for number in range(3):
        keeper.send(State("pump", "", number))
    keeper.hold()
    keeper.send(State("pump", "", 3))
    keeper.send(State("pump", "", 4))
    keeper.release()
    assert [len(agent.receive()) for _ in range(5)] == [1, 1, 1, 2, 0]


def test_every_message_bears_its_senders_generation(ends: Ends) -> None:
    keeper, agent = ends
    keeper.send(Beat())
    keeper.generation = 4
    keeper.send(Beat())
    assert [generation for generation, _ in everything(agent)] == [3, 4]


class TestBlocked:
    def test_the_newest_state_of_an_entity_replaces_the_one_before(self, ends: Ends) -> None:
        keeper, agent = ends
        filled = block(keeper)
        for value in range(5):
            assert keeper.send(State("pump", "", value))
            assert keeper.send(State("pump", "limit", -value))
            assert keeper.send(Health("pump", ok=bool(value % 2), reason=""))
        found = taken(agent)
        assert len(found) == filled
        keeper.flush()
        assert not keeper.blocked
        assert taken(agent)[1:] == [State("pump", "", 4), State("pump", "limit", -4), Health("pump", False, "")]

    def test_the_newest_lease_too(self, ends: Ends) -> None:
        keeper, agent = ends
        block(keeper)
        for deadline_s in (1.0, 2.0):
            keeper.send(Held("pump", "", "ann", None, True, False, deadline_s))
        taken(agent)
        keeper.flush()
        assert [m.deadline_s for m in taken(agent) if isinstance(m, Held)] == [2.0]

    def test_a_newer_message_never_overtakes_an_older_one(self, ends: Ends) -> None:
        keeper, agent = ends
        block(keeper)
        for number in range(50):
            keeper.send(Answer(number, "", "", None, None, None, None, None))
        agent.receive()
        keeper.send(Answer(50, "", "", None, None, None, None, None))
        while keeper.blocked:
            taken_now = taken(agent)
            keeper.flush()
        found = [*taken_now, *taken(agent)]
        assert [m.seq for m in found if isinstance(m, Answer)] == list(range(51))

    def test_answers_reversions_and_events_are_all_kept_also_equal_ones(self, ends: Ends) -> None:
        keeper, agent = ends
        block(keeper)
        kept: list[Message] = []
        for _ in range(3):
            kept += [Happened("bell", "", {"event_type": "press"}), Latch(1, "", True)]
        for message in kept:
            assert keeper.send(message)
        taken(agent)
        keeper.flush()
        assert taken(agent)[1:] == kept

    @pytest.mark.parametrize(
        "message", [do(1), Press(1, "eye", "snapshot", 1.0), Token(1, "fan", ""), Simulate(1, 22, 1)]
    )
    def test_a_command_is_never_kept_for_later(self, ends: Ends, message: Message) -> None:
        agent, keeper = ends
        filled = block(agent)
        assert not agent.send(message)
        assert len(taken(keeper)) == filled
        agent.flush()
        assert message not in taken(keeper)

    @pytest.mark.parametrize("message", [do(1, stop=True), Latch(1, "", True)])
    def test_a_stop_is(self, ends: Ends, message: Message) -> None:
        agent, keeper = ends
        block(agent)
        assert agent.send(message)
        taken(keeper)
        agent.flush()
        assert taken(keeper)[-1] == message

    def test_what_waits_is_bounded(self, ends: Ends) -> None:
        keeper, _ = ends
        block(keeper)
        for number in range(10_500):
            keeper.send(Answer(number, "", "", None, None, None, None, None))
        assert len(keeper._late) <= 10_000

    def test_a_picture_is_left_out(self, ends: Ends) -> None:
        keeper, agent = ends
        block(keeper)
        before = len(descriptors())
        keeper.send_blob("eye", "", b"jpeg")
        assert len(descriptors()) == before
        taken(agent)
        assert agent.blobs == {}


class TestBlob:
    @pytest.mark.parametrize("size", [0, 1, 900_000])
    def test_it_comes_with_its_bytes(self, ends: Ends, size: int) -> None:
        keeper, agent = ends
        data = os.urandom(size)
        keeper.send(Beat())
        keeper.send_blob("eye", "", data)
        keeper.send(Beat())
        assert len(taken(agent)) == 3
        assert agent.blobs == {("eye", ""): data}

    def test_no_descriptor_is_left_open(self, ends: Ends) -> None:
        keeper, agent = ends
        before = descriptors()
        for _ in range(20):
            keeper.send_blob("eye", "", b"jpeg")
            taken(agent)
        assert descriptors() == before


class TestSize:
    DEVICES: ClassVar = [{"id": f"lamp{number}", "kind": "light", "name": "x" * 400} for number in range(2000)]

    @pytest.mark.parametrize("count", [200, 2000])
    def test_a_message_of_many_devices_fits(self, ends: Ends, count: int) -> None:
        keeper, agent = ends
        before = descriptors()
        hello = Hello(1, 5, self.DEVICES[:count])
        assert agent.send(hello)
        assert agent.send(Beat())
        assert everything(keeper) == [(0, hello), (0, Beat())]
        assert descriptors() == before

    def test_a_large_message_waits_for_room_like_any_other(self, ends: Ends) -> None:
        agent, keeper = ends
        filled = block(agent)
        hello = Hello(1, 5, self.DEVICES)
        assert agent.send(hello)
        assert len(taken(keeper)) == filled
        agent.flush()
        assert everything(keeper)[1:] == [(3, hello)]

    def test_what_does_not_fit_is_an_error_not_a_torn_message(self, ends: Ends) -> None:
        keeper, agent = ends
        with pytest.raises(LinkError, match="does not fit"):
            keeper.send(State("pump", "", "x" * (16 << 20)))
        keeper.send(Beat())
        assert taken(agent) == [Beat()]


class TestLeftOut:
    def test_pictures_are_counted_and_told_once(self, ends: Ends, caplog: pytest.LogCaptureFixture) -> None:
        keeper, _ = ends
        block(keeper)
        for _ in range(25):
            keeper.send_blob("eye", "", b"jpeg")
        assert [record.args for record in caplog.records] == [(1, "pictures"), (10, "pictures")]

    def test_messages_beyond_10_000_too(self, ends: Ends, caplog: pytest.LogCaptureFixture) -> None:
        keeper, _ = ends
        block(keeper)
        for number in range(10_005):
            keeper.send(Answer(number, "", "", None, None, None, None, None))
        assert "1 messages left out so far" in caplog.text
        assert len(caplog.records) == 1
        keeper.socket.shutdown(socket.SHUT_RDWR)
        keeper.flush()
        assert "10006 messages left out so far" in caplog.text


class TestPeerGone:
    def test_nothing_is_raised_and_commands_are_known_not_to_arrive(self, ends: Ends) -> None:
        keeper, agent = ends
        keeper.socket.close()
        assert not agent.send(do(1))
        assert agent.receive() == []
        agent.send_blob("eye", "", b"jpeg")

    def test_what_waited_is_forgotten(self, ends: Ends) -> None:
        keeper, agent = ends
        block(keeper)
        agent.socket.close()
        keeper.flush()
        assert not keeper.blocked

    def test_what_was_sent_before_is_still_read(self, ends: Ends) -> None:
        keeper, agent = ends
        keeper.send(State("pump", "", 1))
        keeper.socket.shutdown(socket.SHUT_RDWR)
        assert taken(agent) == [State("pump", "", 1)]


class TestOtherVersion:
    @pytest.mark.parametrize("stamp", [b"\0\0\0\0", b"\0\0\0\x80", b"\0\0\0\x40"], ids=["one", "many", "filed"])
    def test_what_is_not_understood_is_told_in_words(self, ends: Ends, stamp: bytes) -> None:
        keeper, agent = ends
        agent.socket.send(stamp + b"\x92\x7f\x01")
        with pytest.raises(LinkError, match="another version"):
            keeper.receive()
