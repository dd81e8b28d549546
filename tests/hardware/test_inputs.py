"""Inputs on real lines of the kernel's gpio-sim: glitches, edges at a bad time, noise, and chips that go away."""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.contact import Contact
from pimqtt_agent.hardware.debounce import Change
from pimqtt_agent.hardware.kernel import KernelBoard
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.settings import KernelOptions
from tests.hardware.worlds import GpioSim, Kernel, OwnChip, PiOnLgpio

BACKENDS = [
    pytest.param(Kernel, id="kernel", marks=pytest.mark.gpiochip("kernel")),
    pytest.param(PiOnLgpio, id="pi-lgpio", marks=pytest.mark.gpiochip("pi")),
]


@pytest.fixture(params=BACKENDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> GpioSim:
    made: GpioSim = request.param(tmp_path, request.config.getoption("--gpiochip"))
    return made


@pytest.fixture
def board(world: Any) -> Iterator[Board]:
    opened = world.open()
    yield opened
    opened.close()


class Told(list[tuple[int | None, float]]):
    def __call__(self, level: int | None, at_s: float) -> None:
        self.append((level, at_s))

    @property
    def levels(self) -> list[int | None]:
        return [level for level, _ in self]


def run(board: Board, seconds: float) -> int:
    """Be the keeper's loop for a while; return how often it was woken."""
    until, woken = time.monotonic() + seconds, 0
    while (left := until - time.monotonic()) > 0:
        if select.select([board.fileno()], [], [], left)[0]:
            woken += 1
            board.dispatch()
    return woken


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_glitch_wakes_nobody(world: GpioSim, board: Board) -> None:
    told = Told()
    line = board.input(22, "down", told, 0.5)
    assert line.debounce_s == 0
    world.drive(board, 22, 1)
    world.drive(board, 22, 0)
    assert run(board, 1.0) == 0
    assert (told, line.get()) == ([], 0)


def test_a_bouncing_contact_is_told_once_when_it_has_settled(world: GpioSim, board: Board) -> None:
    told = Told()
    line = board.input(22, "down", told, 0.2)
    for level in (1, 0, 1, 0, 1):
        world.drive(board, 22, level)
        settled_s = boottime()
    assert line.get() == 0  # it does not count yet
    assert run(board, 0.8) == 1
    ((told_level, at_s),) = told
    assert (told_level, line.get()) == (1, 1)
    assert settled_s + 0.2 - 0.02 <= at_s <= boottime()


def test_both_edges_of_a_press_are_equally_late(world: GpioSim, board: Board) -> None:
    told = Told()
    board.input(22, "down", told, 0.05)
    times = []
    for level in (1, 0):
        world.drive(board, 22, level)
        times.append(boottime())
        run(board, 0.5)
    assert told.levels == [1, 0]
    assert told[1][1] - told[0][1] == pytest.approx(times[1] - times[0], abs=0.05)


@pytest.mark.parametrize("debounce_s", [0, 0.005, 0.02])
@pytest.mark.parametrize("levels", [(1,), (1, 0), (1, 0, 1)])
def test_an_edge_between_the_claim_and_the_first_reading(
    world: GpioSim, board: Board, monkeypatch: pytest.MonkeyPatch, debounce_s: float, levels: tuple[int, ...]
) -> None:
    claim = board.input

    def eventful(*args: Any) -> Any:
        line = claim(*args)
        for level in levels:
            world.drive(board, 22, level)
        return line

    monkeypatch.setattr(board, "input", eventful)
    told: list[Change] = []

    def tell(change: Change | None, _now: float) -> None:
        if change:
            told.append(change)

    contact = Contact(board, 22, "down", debounce_s, tell)
    first = contact.level
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        run(board, 0.02)
        if contact.deadline_s <= boottime():
            contact.tick(boottime())
    assert (contact.level, contact.deadline_s) == (levels[-1], inf)
    # What is told continues from the first reading: no change is told twice, none is left out.
    assert [change.level for change in told] == [(first + n + 1) % 2 for n in range(len(told))]
    contact.close()


@contextlib.contextmanager
def noise(world: GpioSim, line: int) -> Iterator[None]:
    """Drive a line to and fro, as fast as can be, and leave it high."""
    end = threading.Event()

    def drive() -> None:
        while not end.is_set():
            for level in (0, 1):
                world.drive(None, line, level)  # type: ignore[arg-type]

    thread = threading.Thread(target=drive)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_a_busy_line_wakes_nobody_until_it_is_quiet(world: GpioSim, board: Board) -> None:
    told, other = Told(), Told()
    board.input(22, "down", told, 0.05)
    board.input(23, "down", other)
    with noise(world, 22):
        time.sleep(0.2)
        told.clear()  # the noise may have begun with a pause
        woken = run(board, 1.0)
        world.drive(board, 23, 1)
        run(board, 0.3)
        assert other.levels == [1]
    assert woken <= 5  # a pause of the noise itself
    run(board, 0.5)
    assert told.levels[-1] == 1


def test_a_busy_line_that_is_not_debounced_leaves_the_others_their_turn(world: GpioSim, board: Board) -> None:
    told, other = Told(), Told()
    line = board.input(22, "down", told)
    board.input(23, "down", other)
    with noise(world, 22):
        time.sleep(0.5)  # more edges than the kernel keeps
        world.drive(board, 23, 1)
        until = time.monotonic() + 1
        while not other and time.monotonic() < until:
            before = len(told)
            board.dispatch()
            assert len(told) - before <= 64
        assert other.levels == [1]
    run(board, 0.5)
    assert told.levels[-1] == line.get() == 1
    times = [at_s for _, at_s in told]
    assert times == sorted(times)


@pytest.mark.gpiochip("own")
def test_a_chip_that_goes_away_and_comes_back() -> None:
    """As an expander on USB does."""
    with OwnChip("pimqtt-expander") as chip:
        options = KernelOptions(backend="kernel", chips={"expander": "pimqtt-expander"})
        board = KernelBoard(options)
        told, tells = Told(), list[Change | None]()
        line = board.input("expander:1", "down", told)
        contact = Contact(board, "expander:2", "up", 0.02, lambda change, _now: tells.append(change))
        output, pwm = board.output("expander:3", 1), board.pwm("expander:4", 0.5, 100)
        chip.live(on=False)
        woken = run(board, 0.5)
        assert woken <= 2
        assert told.levels == [None]
        assert (tells, contact.deadline_s) == ([None], -inf)
        for broken in (line.get, lambda: contact.tick(boottime())):
            with pytest.raises(HardwareError, match=r"line expander:. is gone with its chip"):
                broken()
        for broken in (lambda: output.set(0), lambda: pwm.set(0.0)):
            with pytest.raises(HardwareError, match=r"line expander:. can't be set: No such device"):
                broken()
        for held in (line, contact, output, pwm):
            held.close()
        with pytest.raises(HardwareError, match="there is no GPIO chip pimqtt-expander"):
            board.input("expander:1", "down", told)
        chip.live(on=True)
        again = board.input("expander:1", "up", told)
        assert again.get() == 1
        chip.pull(1, 0)
        run(board, 0.2)
        assert told.levels[-1] == 0
        board.close()
