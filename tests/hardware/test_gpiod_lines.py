"""What libgpiod is asked for, and what becomes of its refusals and of lines that go away; the kernel is played."""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import gpiod
import pytest
from gpiod.line import Bias, Direction, Edge

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev, open_board
from pimqtt_agent.hardware.kernel import KernelBoard
from pimqtt_agent.settings import KernelOptions, Settings
from tests.hardware.played_kernel import PlayedKernel

Edges = list[tuple[int | None, float]]


@pytest.fixture
def kernel() -> PlayedKernel:
    return PlayedKernel()


@pytest.fixture
def board(kernel: PlayedKernel, monkeypatch: pytest.MonkeyPatch) -> Iterator[KernelBoard]:
    monkeypatch.setattr(chardev, "label", lambda _path: "played")
    options = KernelOptions(backend="kernel", chip="/dev/gpiochip7", chips={"expander": "/dev/gpiochip8"})
    opened = KernelBoard(options, kernel.request_lines)
    yield opened
    opened.close()


def noted(edges: Edges) -> Callable[[int | None, float], None]:
    return lambda level, at_s: edges.append((level, at_s))


def readable(board: KernelBoard) -> bool:
    return bool(select.select([board.fileno()], [], [], 0)[0])


@pytest.mark.parametrize(("pull", "bias"), [("up", Bias.PULL_UP), ("down", Bias.PULL_DOWN), ("none", Bias.DISABLED)])
def test_an_input_is_asked_for_with_its_pull_and_both_edges(
    board: KernelBoard, kernel: PlayedKernel, pull: str, bias: Bias
) -> None:
    board.input("expander:3", pull, noted([]))  # type: ignore[arg-type]
    ((path, settings),) = kernel.asked
    assert path == "/dev/gpiochip8"
    assert (settings.direction, settings.bias, settings.edge_detection) == (Direction.INPUT, bias, Edge.BOTH)


@pytest.mark.parametrize(
    ("wanted_s", "left_s"), [(0, 0), (0.005, 0.005), (0.01, 0), (0.02, 0), (60, 0), (61, 61), (1e6, 1e6)]
)
def test_the_kernel_debounces_what_it_can(
    board: KernelBoard, kernel: PlayedKernel, wanted_s: float, left_s: float
) -> None:
    assert board.input(22, "up", noted([]), wanted_s).debounce_s == left_s
    assert kernel.asked[0][1].debounce_period == timedelta(seconds=wanted_s - left_s)


def test_a_chip_that_refuses_to_debounce_is_asked_without(board: KernelBoard, kernel: PlayedKernel) -> None:
    kernel.refuse = lambda settings: errno.EINVAL if settings.debounce_period else 0
    assert board.input(22, "up", noted([]), 0.02).debounce_s == 0.02
    assert [settings.debounce_period for _, settings in kernel.asked] == [timedelta(seconds=0.02), timedelta()]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EBUSY, 'line expander:3 is held by "\\?"'),
        (errno.ENXIO, "line expander:3 of /dev/gpiochip8 can't tell its changes: its chip has no interrupt"),
        (errno.EINVAL, "line expander:3 of /dev/gpiochip8 can't be claimed; is there such a line"),
        (errno.ENODEV, "line expander:3 is gone with its chip /dev/gpiochip8"),
        (errno.ENOTTY, "line expander:3 of /dev/gpiochip8 needs Linux 5.10 or newer"),
        (errno.EPERM, "line expander:3 of /dev/gpiochip8 can't be claimed: Operation not permitted"),
    ],
)
def test_a_refusal_is_a_sentence(board: KernelBoard, kernel: PlayedKernel, number: int, sentence: str) -> None:
    kernel.refuse = lambda _settings: number
    for claim in (
        lambda: board.input("expander:3", "up", noted([])),
        lambda: board.output("expander:3", 0),
        lambda: board.pwm("expander:3", 0.5, 100),
    ):
        with pytest.raises(HardwareError, match=f"^{sentence}"):
            claim()
    assert board.release_list() == []


def test_a_descriptor_that_promised_too_much_does_not_block(board: KernelBoard, kernel: PlayedKernel) -> None:
    edges: Edges = []
    board.input(22, "up", noted(edges))
    kernel.lines[22].drive(1)
    os.eventfd_read(kernel.lines[22].fd)
    os.eventfd_write(kernel.lines[22].fd, 1)
    select.select([board.fileno()], [], [], 1)
    read = kernel.lines[22].read_edge_events
    kernel.lines[22].read_edge_events = lambda: (read(), read())[1]  # type: ignore[method-assign]
    began_s = time.monotonic()
    board.dispatch()
    assert time.monotonic() - began_s < 1
    assert not readable(board)


def test_of_too_many_edges_the_newest_are_kept(board: KernelBoard, kernel: PlayedKernel) -> None:
    edges: Edges = []
    line = board.input(22, "down", noted(edges))
    for count in range(501):
        kernel.lines[22].drive((count + 1) % 2)
    board.dispatch()
    assert len(edges) == 64
    assert edges[-1][0] == line.get() == 1


def test_an_edge_is_not_later_than_now(board: KernelBoard, kernel: PlayedKernel) -> None:
    edges: Edges = []
    board.input(22, "down", noted(edges))
    kernel.lines[22].drive(1)
    board.dispatch()
    assert edges[0][1] <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_line_that_goes_away_is_told_once_and_the_others_stay(board: KernelBoard, kernel: PlayedKernel) -> None:
    lost: Edges = []
    kept: Edges = []
    line = board.input(22, "down", noted(lost))
    board.input("expander:3", "down", noted(kept))
    kernel.lines[22].vanish()
    kernel.lines[3].drive(1)
    board.dispatch()
    assert [level for level, _ in lost] == [None]
    assert [level for level, _ in kept] == [1]
    assert not readable(board)
    for _ in range(2):
        with pytest.raises(HardwareError, match="line 22 is gone with its chip"):
            line.get()
    line.close()
    assert board.input(22, "down", noted(lost)).get() == 0  # it was plugged in again


def test_outputs_that_go_away_are_a_sentence_and_can_be_closed(board: KernelBoard, kernel: PlayedKernel) -> None:
    output, pwm = board.output(17, 1), board.pwm(18, 0.5, 100)
    for line in (17, 18):
        kernel.lines[line].vanish()
    for line, held in ((17, output), (18, pwm)):
        with pytest.raises(HardwareError, match=f"line {line} can't be set: No such device"):
            held.set(0)
        held.close()
    assert board.release_list() == []


def test_the_level_of_a_line_that_went_away_is_unknown_and_pulses_have_their_duty(
    board: KernelBoard, kernel: PlayedKernel
) -> None:
    output, pwm = board.output(17, 1), board.pwm("expander:2", 0.25, 100)
    board.input(22, "down", noted([]))
    assert list(board.pins()) == [(17, "output", 1), ("expander:2", "pwm", 0.25), (22, "input", 0)]
    kernel.lines[22].vanish()
    output.set(0)
    pwm.set(0.75)
    assert list(board.pins()) == [(17, "output", 0), ("expander:2", "pwm", 0.75), (22, "input", None)]


@pytest.mark.parametrize(("duty", "level"), [(0.0, 0), (0.3, 0), (0.5, 1), (0.7, 1), (1.0, 1)])
@pytest.mark.parametrize("ending", ["end_pulses", "close"])
def test_pulses_end_at_the_nearer_level(
    board: KernelBoard, kernel: PlayedKernel, duty: float, level: int, ending: str
) -> None:
    board.output(17, 1)
    board.pwm(18, duty, 500)
    time.sleep(0.02)
    getattr(board, ending)()
    assert kernel.lines[18].seen[-2:] == [level, None]
    assert kernel.lines[17].seen == [1, None] if ending == "close" else [1]


def test_pulses_that_are_too_fast_for_software_are_refused_before_they_starve_the_rest(board: KernelBoard) -> None:
    with pytest.raises(HardwareError, match=r"line 18: .* reach 1000 Hz, not 5000; set frequency: 1000 or less"):
        board.pwm(18, 0.0, 5000)
    board.pwm(18, 0.0, 1000)


def test_libgpiod_1_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The distribution's python3-libgpiod of Debian 12 has a module of the same name."""

    def old(name: str) -> None:
        raise ModuleNotFoundError(f"No module named 'gpiod.line' ({name})", name="gpiod.line")

    monkeypatch.setattr("pimqtt_agent.hardware.import_module", old)
    settings = Settings.model_validate({"node": "car1", "hardware": {"backend": "kernel", "chip": "x"}})
    with pytest.raises(HardwareError, match="needs the Python package gpiod, which is too old"):
        open_board(settings, tmp_path)


def test_a_number_that_is_no_offset_is_a_sentence(board: KernelBoard, kernel: PlayedKernel) -> None:
    def request(*_args: object, **_kwargs: object) -> gpiod.LineRequest:
        raise ValueError("no such line")

    assert kernel.asked == []
    board = KernelBoard(KernelOptions(backend="kernel", chip="/dev/gpiochip7"), request)
    with pytest.raises(HardwareError, match="line 99: /dev/gpiochip7 has no line 99"):
        board.output(99, 0)
    board.close()
