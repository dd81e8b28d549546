"""What every backend must do. One suite; how the outside is reached differs (worlds.py)."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.contact import Contact
from pimqtt_agent.hardware.debounce import Change
from pimqtt_agent.hardware.protocols import Board
from tests.hardware.worlds import Kernel, KernelByLabel, Mocked, PiOnLgpio, Simulated, World

BACKENDS = [
    pytest.param(Simulated, id="simulated"),
    pytest.param(Mocked, id="pi-mock"),
    pytest.param(Kernel, id="kernel", marks=pytest.mark.gpiochip("kernel")),
    pytest.param(KernelByLabel, id="kernel-label", marks=pytest.mark.gpiochip("kernel")),
    pytest.param(PiOnLgpio, id="pi-lgpio", marks=pytest.mark.gpiochip("pi")),
]


@pytest.fixture(params=BACKENDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made: World = request.param(tmp_path, request.config.getoption("--gpiochip", default=None))
    return made


@pytest.fixture
def board(world: World) -> Iterator[Board]:
    opened = world.open()
    yield opened
    opened.close()


class Edges(list[tuple[int, float]]):
    def __call__(self, level: int | None, at_s: float) -> None:
        assert level is not None, "the line is lost"
        self.append((level, at_s))

    def wait(self, board: Board, count: int) -> list[int]:
        """Deliver what comes as the keeper would, and return the levels."""
        until = time.monotonic() + 3
        while len(self) < count and time.monotonic() < until:
            if select.select([board.fileno()], [], [], 0.2)[0]:
                board.dispatch()
        return [level for level, _ in self]


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize("first", [0, 1])
def test_an_output_has_its_first_level_at_once_and_follows(world: World, board: Board, first: int) -> None:
    output = board.output(world.line(17), first)
    assert world.level(17) == first
    for level in (1 - first, first, first):
        output.set(level)
        assert world.level(17) == level


def test_a_line_is_claimed_once(world: World, board: Board) -> None:
    board.output(world.line(17), 1)
    for claim in (
        lambda: board.output(world.line(17), 0),
        lambda: board.pwm(world.line(17), 0.0, 100),
        lambda: board.input(world.line(17), "up", Edges()),
    ):
        with pytest.raises(HardwareError, match=rf"^line {world.line(17)} is held by"):
            claim()
    assert world.level(17) == 1


def test_a_line_that_was_given_back_can_be_claimed_again(world: World, board: Board) -> None:
    line = board.output(world.line(17), 0)
    line.close()
    line.close()
    board.input(world.line(17), "up", Edges()).close()
    assert board.output(world.line(17), 1)
    assert world.level(17) == 1


def test_a_closed_board_has_given_everything_back(world: World) -> None:
    first = world.open()
    first.output(world.line(17), 1)
    first.pwm(world.line(18), 0.5, 100)
    first.input(world.line(22), "up", Edges())
    first.close()
    second = world.open()
    second.output(world.line(17), 0)
    second.output(world.line(18), 0)
    edges = Edges()
    second.input(world.line(22), "down", edges)
    world.drive(second, 22, 1)
    assert edges.wait(second, 1) == [1]
    second.close()


@pytest.mark.parametrize("line", ["nonsense", "other:3", 5000, -1])
def test_a_line_that_is_not_there_is_a_sentence(world: World, board: Board, line: int | str) -> None:
    with pytest.raises(HardwareError, match=str(line)):
        board.output(line if isinstance(line, str) else world.line(line), 0)


def test_pwm(world: World, board: Board) -> None:
    line = board.pwm(world.line(18), 0.3, 50)
    assert world.duty(18) == pytest.approx(0.3, abs=0.15)
    line.set(0.8)
    assert world.duty(18) == pytest.approx(0.8, abs=0.15)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_pwm_at_its_ends_has_no_pulses(world: World, board: Board, end: float) -> None:
    line = board.pwm(world.line(18), end, 50)
    assert world.duty(18) == end
    line.set(0.5)
    line.set(end)
    time.sleep(0.05)  # the period that has begun may end
    assert world.duty(18) == end


def test_pwm_falls_silent_at_once(world: World, board: Board) -> None:
    line = board.pwm(world.line(18), 0.9, 2)
    time.sleep(0.3)
    line.set(0.0)
    assert world.level(18) == 0
    line.set(0.9)
    line.close()
    level = world.level(18)
    time.sleep(0.6)
    assert world.level(18) == level


def test_two_pwm_lines_do_not_disturb_each_other(world: World, board: Board) -> None:
    first = board.pwm(world.line(17), 0.5, 50)
    second = board.pwm(world.line(18), 0.2, 100)
    first.set(0.0)
    assert world.duty(18) == pytest.approx(0.2, abs=0.15)
    first.close()
    assert world.duty(18) == pytest.approx(0.2, abs=0.15)
    second.close()


@pytest.mark.parametrize(("pull", "level"), [("up", 1), ("down", 0)])
def test_an_input_has_its_pull(world: World, board: Board, pull: str, level: int) -> None:
    assert board.input(world.line(22), pull, Edges()).get() == level  # type: ignore[arg-type]


def test_an_input_without_a_pull_can_be_read(world: World, board: Board) -> None:
    line = board.input(world.line(22), "none", Edges())
    for level in (1, 0):
        world.drive(board, 22, level)
        assert line.get() == level


def test_edges_come_in_order_with_their_time(world: World, board: Board) -> None:
    edges = Edges()
    line = board.input(world.line(22), "down", edges)
    before = boottime()
    for count, level in enumerate((1, 0, 1), 1):
        world.drive(board, 22, level)
        edges.wait(board, count)
    assert [level for level, _ in edges] == [1, 0, 1]
    assert line.get() == 1
    times = [at_s for _, at_s in edges]
    assert sorted(times) == times
    # One clock is told by way of another.
    assert before - 0.001 <= times[0] <= times[-1] <= boottime() + 0.001


def test_a_contact_is_told_once_when_it_lasted_whoever_debounces_it(world: World, board: Board) -> None:
    told: list[int] = []

    def tell(change: Change | None, _now: float) -> None:
        told.extend([change.level] if change else [])

    contact = Contact(board, world.line(22), "down", 0.2, tell)
    for levels, expected in (((1, 0), []), ((1, 0, 1), [1]), ((0,), [1, 0])):
        for level in levels:
            world.drive(board, 22, level)
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            if select.select([board.fileno()], [], [], 0.02)[0]:
                board.dispatch()
            if contact.deadline_s <= boottime():
                contact.tick(boottime())
        assert told == expected
        assert contact.level == (told or [0])[-1]


def test_edges_go_to_their_own_line(world: World, board: Board) -> None:
    first, second = Edges(), Edges()
    board.input(world.line(22), "down", first)
    board.input(world.line(23), "down", second)
    world.drive(board, 23, 1)
    assert second.wait(board, 1) == [1]
    assert first == []


def test_no_edges_is_no_event(world: World, board: Board) -> None:
    edges = Edges()
    board.input(world.line(22), "down", edges)
    assert select.select([board.fileno()], [], [], 0.05)[0] == []
    board.dispatch()
    world.drive(board, 22, 1)
    edges.wait(board, 1)
    board.dispatch()
    assert select.select([board.fileno()], [], [], 0.05)[0] == []
    assert len(edges) == 1


def test_a_closed_input_is_silent(world: World, board: Board) -> None:
    gone, kept = Edges(), Edges()
    board.input(world.line(22), "down", gone).close()
    board.input(world.line(23), "down", kept)
    world.drive(board, 23, 1)
    assert kept.wait(board, 1) == [1]
    assert gone == []


def test_only_simulated_inputs_are_set_from_here(world: World, board: Board) -> None:
    edges = Edges()
    line = board.input(world.line(22), "down", edges)
    if isinstance(world, Simulated):
        board.simulate(22, 1)
        assert line.get() == 1
        assert edges.wait(board, 1) == [1]
        return
    with pytest.raises(HardwareError, match="only the simulated"):
        board.simulate(world.line(22), 1)


def test_the_release_list_names_the_outputs(world: World, board: Board) -> None:
    assert board.release_list() == []
    board.output(world.line(17), 0)
    pwm = board.pwm(world.line(18), 0.5, 50)
    board.input(world.line(22), "down", Edges())
    rows = board.release_list()
    assert [(row["line"], row["name"]) for row in rows] == [(17, world.line(17)), (18, world.line(18))]
    assert all(row["backend"] and isinstance(row["chip"], str) for row in rows)
    pwm.close()
    assert [row["line"] for row in board.release_list()] == [17]


def test_it_tells_the_level_of_each_line_as_it_is_driven_or_reads(world: World, board: Board) -> None:
    output = board.output(world.line(17), 1)
    pwm = board.pwm(world.line(18), 0.3, 50)
    board.input(world.line(22), "up", Edges())
    assert sorted(board.pins(), key=str) == [
        (world.line(17), "output", 1), (world.line(18), "pwm", pytest.approx(0.3)), (world.line(22), "input", 1),
    ]  # fmt: skip
    output.set(0)
    pwm.set(0.75)
    world.drive(board, 22, 0)
    assert [pin.level for pin in sorted(board.pins(), key=str)] == [0, pytest.approx(0.75), 0]
    pwm.close()
    output.close()
    assert [pin.line for pin in board.pins()] == [world.line(22)]
