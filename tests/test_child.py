"""A child of the supervisor: real processes that are forked, watched, ended and reaped, and nobody waits for them."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from pimqtt_agent.child import Child
from pimqtt_agent.keeper import process

pytestmark = pytest.mark.timeout(20)


class Supervisor:
    """As much of one as a child needs."""

    def leave_to(self, _child: Child) -> None:
        """Nothing is ours."""


class Sleeper(Child):
    """Ends when it is told to, unless it is deaf."""

    title = "pimqtt: sleeper"
    silent_s = 0.3
    grace_s = 0.2
    deaf = False

    def __init__(self) -> None:
        super().__init__(cast("Any", Supervisor()))
        self.words: list[bytes] = []
        self.deaths: list[int] = []
        self.ends: list[int] = []

    def main(self, control: socket.socket) -> None:
        control.setblocking(True)
        control.send(b"hello")
        while self.deaf or control.recv(64) != process.STOP:
            time.sleep(0.01)
        control.send(b"bye")

    def heard(self, word: bytes) -> None:
        self.words.append(word)
        self.worked = True
        self.lives(self.silent_s)

    def ended(self, now: float, status: int) -> None:
        self.deaths.append(status)
        super().ended(now, status)

    def released(self, _now: float, status: int) -> None:
        self.ends.append(status)


class Hasty(Sleeper):
    """Ends by itself as soon as something is said to it, which it does not read."""

    def main(self, control: socket.socket) -> None:
        select.select([control], [], [])
        control.send(b"bye")


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    child = Sleeper()
    yield child
    if child.pid:
        os.kill(child.pid, signal.SIGKILL)
        child.ending = True
        turn(child, lambda: not child.pid)


def now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def turn(child: Child, until: Callable[[], object], timeout_s: float = 5) -> float:
    """Watch a child as a supervisor does; return the longest that anything here waited (s)."""
    end, longest_s = now() + timeout_s, 0.0
    while not until():
        assert now() < end
        poller, readers = select.poll(), dict(child.descriptors())
        for descriptor in readers:
            poller.register(descriptor, select.POLLIN)
        ready = poller.poll(20)
        began_s = now()
        for descriptor, _ in ready:
            readers[descriptor]()
        child.check(now())
        longest_s = max(longest_s, now() - began_s)
    return longest_s


def test_one_that_is_told_to_end_ends_and_its_last_words_count(sleeper: Sleeper) -> None:
    sleeper.start(now())
    turn(sleeper, lambda: sleeper.worked)
    sleeper.end(now())
    turn(sleeper, lambda: not sleeper.pid)
    assert (sleeper.words, sleeper.ends, sleeper.deaths) == ([b"hello", b"bye"], [0], [])
    assert sleeper.deadline_s == float("inf")


def test_the_last_words_of_one_that_left_ours_unread_count_too() -> None:
    """Its end is then told by an error first."""
    child = Hasty()
    child.start(now())
    child.say(b"you?")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    child._gone()
    assert (child.pid, child.words) == (0, [b"bye"])


def test_one_that_does_not_end_is_killed_and_nobody_waits_for_it(sleeper: Sleeper) -> None:
    sleeper.deaf = True
    sleeper.start(now())
    turn(sleeper, lambda: sleeper.worked)
    os.kill(sleeper.pid, signal.SIGSTOP)
    began_s = now()
    sleeper.end(began_s)
    assert now() - began_s < 0.05
    assert turn(sleeper, lambda: not sleeper.pid) < 0.1
    assert sleeper.ends == [signal.SIGKILL]
    assert 0.2 <= now() - began_s < 1


def test_one_that_is_to_come_again_does(sleeper: Sleeper) -> None:
    sleeper.start(now())
    old = sleeper.pid
    sleeper.end(now(), again=True)
    turn(sleeper, lambda: sleeper.pid not in (0, old))
    assert (sleeper.ends, sleeper.deaths) == ([0], [])


def test_one_that_is_silent_is_killed_reaped_and_replaced_and_waits_ever_longer(
    sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    sleeper.start(now())
    old = sleeper.pid
    os.kill(old, signal.SIGSTOP)
    turn(sleeper, lambda: sleeper.pid not in (0, old))
    assert sleeper.deaths == [signal.SIGKILL]
    assert "pimqtt: sleeper is silent: it is killed" in caplog.text
    assert "it starts again in 0 s" in caplog.text
    os.kill(sleeper.pid, signal.SIGKILL)
    turn(sleeper, lambda: not sleeper.pid)
    assert 0.9 < sleeper.deadline_s - now() <= 1


def test_a_word_that_came_while_we_were_late_ourselves_counts(sleeper: Sleeper) -> None:
    sleeper.start(now())
    descriptor, _ = next(sleeper.descriptors())
    assert select.select([descriptor], [], [], 5)[0]
    time.sleep(max(0.0, sleeper.deadline_s - now()) + 0.01)
    sleeper.check(now())
    assert sleeper.words == [b"hello"]
    sleeper.end(now())
    turn(sleeper, lambda: not sleeper.pid)
    assert (sleeper.ends, sleeper.deaths) == ([0], [])


def test_a_pidfd_that_is_read_too_late_reaps_no_successor(sleeper: Sleeper) -> None:
    sleeper.start(now())
    late = dict(sleeper.descriptors()).values()
    os.kill(sleeper.pid, signal.SIGKILL)
    turn(sleeper, lambda: not sleeper.pid)
    sleeper.start(now())
    pid, began_s = sleeper.pid, now()
    for reader in late:
        reader()
    assert now() - began_s < 0.1
    assert sleeper.pid == pid


def test_a_signal_at_it_is_its_own(sleeper: Sleeper) -> None:
    read, write = os.pipe2(os.O_NONBLOCK)
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    wakeup = signal.set_wakeup_fd(write)
    try:
        sleeper.deaf = True
        sleeper.start(now())
        turn(sleeper, lambda: sleeper.worked)
        os.kill(sleeper.pid, signal.SIGTERM)
        turn(sleeper, lambda: sleeper.deaths)
        with pytest.raises(BlockingIOError):
            os.read(read, 1)
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGTERM, before)
        os.close(read)
        os.close(write)
    assert sleeper.deaths == [signal.SIGTERM]


def test_where_there_is_no_room_for_another_process_it_is_tried_again(
    sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "fork", lambda: (_ for _ in ()).throw(OSError(11, "Resource temporarily unavailable")))
        sleeper.start(now())
    assert not sleeper.pid
    assert "can't be started (Resource temporarily unavailable): trying again in 1 s" in caplog.text
    turn(sleeper, lambda: sleeper.worked)


def test_an_error_in_it_ends_it_alone(sleeper: Sleeper) -> None:
    sleeper.main = lambda _control: 1 / 0  # type: ignore[method-assign,assignment]
    sleeper.start(now())
    turn(sleeper, lambda: sleeper.deaths and not sleeper.pid)
    assert os.waitstatus_to_exitcode(sleeper.deaths[0]) == 70
