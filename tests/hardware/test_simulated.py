from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.levels import LINES, Levels, Release, started
from pimqtt_agent.hardware.simulated import SimulatedBoard, open_board
from pimqtt_agent.settings import SimulatedOptions

Open = Callable[..., SimulatedBoard]
#: another process: claims lines as outputs, says so, and stays until it is killed
HOLDER = """
import sys
from pimqtt_agent.hardware.levels import Levels, Release
from pimqtt_agent.hardware.simulated import SimulatedBoard
folder, rule, *claims = sys.argv[1:]
board = SimulatedBoard(Levels(folder + "/run/levels", Release(rule), folder + "/trace.jsonl"))
lines = [board.pwm(int(claim.split("=")[0]), float(claim.split("=")[1]), 50) for claim in claims]
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    (tmp_path / "run").mkdir()
    with ExitStack() as stack:

        def make(rule: Literal["latch", "pull"] = "latch", **pulls: Literal["up", "down"]) -> SimulatedBoard:
            options = SimulatedOptions(
                backend="simulated",
                trace="trace.jsonl",
                on_release=rule,
                pulls={int(line.removeprefix("line")): pull for line, pull in pulls.items()},
            )
            board = open_board(options, tmp_path, tmp_path / "run")
            stack.callback(board.close)
            return board

        yield make


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    with ExitStack() as stack:

        def start(rule: str, *claims: str) -> subprocess.Popen[str]:
            holder = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", HOLDER, str(tmp_path), rule, *claims],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(holder.kill)
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            return holder

        yield start


def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]


def sequence(tmp_path: Path) -> list[tuple[int, float]]:
    return [(row["pin"], row["value"]) for row in rows(tmp_path)]


def test_the_trace_has_one_line_a_change_written_in_the_call(tmp_path: Path, opened: Open) -> None:
    before = time.monotonic_ns()
    board = opened()
    assert sequence(tmp_path) == []  # the file is there from the start
    line = board.output(17, 0)
    assert sequence(tmp_path) == [(17, 0)]  # a claim is written also where it is no change
    line.set(1)
    assert sequence(tmp_path) == [(17, 0), (17, 1)]
    line.set(1)
    line.set(0)
    assert sequence(tmp_path) == [(17, 0), (17, 1), (17, 0)]
    times = [row["t_ns"] for row in rows(tmp_path)]
    assert before <= times[0] <= times[1] <= times[2] <= time.monotonic_ns()
    assert (tmp_path / "trace.jsonl").read_text().splitlines()[1] == f'{{"t_ns": {times[1]}, "pin": 17, "value": 1}}'


def test_a_duty_is_traced_with_four_digits(tmp_path: Path, opened: Open) -> None:
    line = opened().pwm(18, 0.0, 100)
    for duty in (1 / 3, 0.33334, 0.5, 0.00001, 1.0, 0.99999):
        line.set(duty)
    assert [value for _, value in sequence(tmp_path)] == [0, 0.3333, 0.5, 0, 1]
    assert '"value": 1}' in (tmp_path / "trace.jsonl").read_text()


def test_inputs_are_not_traced(tmp_path: Path, opened: Open) -> None:
    board = opened()
    board.input(22, "up", lambda *_: None)
    board.simulate(22, 0)
    assert rows(tmp_path) == []


def test_the_trace_is_appended_and_may_be_moved_away(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "trace.jsonl").write_text('{"t_ns": 1, "pin": 1, "value": 1}\n')
    line = opened().output(17, 1)
    assert sequence(tmp_path) == [(1, 1), (17, 1)]
    (tmp_path / "trace.jsonl").rename(tmp_path / "old")
    line.set(0)
    assert '"pin": 17, "value": 0' in (tmp_path / "old").read_text()


def test_a_trace_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    options = SimulatedOptions(backend="simulated", trace="missing/trace.jsonl")
    with pytest.raises(HardwareError, match=r"missing/trace.jsonl can't be opened: No such file"):
        open_board(options, tmp_path, tmp_path)


@pytest.mark.parametrize(("rule", "after"), [("latch", [(17, 1), (18, 0.4)]), ("pull", [(17, 0), (18, 0)])])
def test_kill_9_leaves_levels_to_the_rule_of_release(
    tmp_path: Path, opened: Open, hold: Callable[..., subprocess.Popen[str]], rule: Any, after: list[tuple[int, float]]
) -> None:
    holder = hold(rule, "17=1", "18=0.4")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    claimed = sequence(tmp_path)
    assert claimed == [(17, 1), (18, 0.4)]
    board = opened(rule)
    assert [(line, board.levels.level[line]) for line in (17, 18)] == after
    assert sequence(tmp_path)[2:] == ([] if rule == "latch" else after)
    board.output(17, 1)  # the line is free again
    assert sequence(tmp_path)[-1] == (17, 1)


def test_the_pull_outside_may_be_up(tmp_path: Path, opened: Open, hold: Callable[..., subprocess.Popen[str]]) -> None:
    holder = hold("pull", "17=0")
    holder.kill()
    holder.wait()
    opened("pull", line17="up")
    assert sequence(tmp_path) == [(17, 0), (17, 1)]


def test_a_holder_that_is_not_reaped_yet_is_dead(opened: Open, hold: Callable[..., subprocess.Popen[str]]) -> None:
    holder = hold("latch", "17=1")
    holder.kill()
    while started(holder.pid):
        time.sleep(0.01)
    opened().output(17, 0)


def test_a_living_holder_is_named(tmp_path: Path, opened: Open, hold: Callable[..., subprocess.Popen[str]]) -> None:
    holder = hold("pull", "17=1")
    board = opened("pull")
    for claim in (lambda: board.output(17, 0), lambda: board.input(17, "up", lambda *_: None)):
        with pytest.raises(HardwareError, match=f"line 17 is held by process {holder.pid}"):
            claim()
    holder.send_signal(signal.SIGSTOP)  # what is stopped still holds its lines
    with pytest.raises(HardwareError, match="held"):
        board.output(17, 0)
    assert sequence(tmp_path) == [(17, 1)]
    holder.kill()
    holder.wait()
    board.output(17, 1)  # this process learns of the death with its claim
    assert sequence(tmp_path) == [(17, 1), (17, 0), (17, 1)]


def test_a_pid_that_is_used_again_holds_nothing(tmp_path: Path, opened: Open) -> None:
    opened().output(17, 1)
    content = bytearray((tmp_path / "run/levels").read_bytes())
    born = struct.unpack_from("Q", content, 8 * LINES + 8 * 17)[0]
    struct.pack_into("Q", content, 8 * LINES + 8 * 17, born - 1)
    (tmp_path / "run/levels").write_bytes(content)
    assert opened().output(17, 0)


@pytest.mark.parametrize(("rule", "after"), [("latch", 1), ("pull", 0)])
def test_a_clean_close_follows_the_same_rule(tmp_path: Path, opened: Open, rule: Any, after: int) -> None:
    board = opened(rule)
    board.output(17, 1).close()
    board.output(18, 1)
    board.close()
    board.close()
    seen = Levels(tmp_path / "run/levels", Release())
    assert (seen.level[17], seen.level[18]) == (after, after)
    seen.close()
    assert sequence(tmp_path) == ([(17, 1), (18, 1)] if rule == "latch" else [(17, 1), (17, 0), (18, 1), (18, 0)])


def test_what_was_set_outside_outlives_the_process(opened: Open) -> None:
    first = opened()
    first.input(22, "up", lambda *_: None)
    first.simulate(22, 0)
    first.simulate(23, 1)  # nobody has claimed it yet
    first.close()
    second = opened()
    assert second.input(22, "up", lambda *_: None).get() == 0
    assert second.input(23, "down", lambda *_: None).get() == 1


def test_an_input_without_a_pull_sees_the_one_outside(opened: Open) -> None:
    board = opened("latch", line22="up")
    assert board.input(22, "none", lambda *_: None).get() == 1
    assert board.input(23, "none", lambda *_: None).get() == 0


def test_setting_the_same_level_is_no_edge(opened: Open) -> None:
    board = opened()
    edges: list[int | None] = []
    board.input(22, "up", lambda level, _: edges.append(level))
    for level in (1, 0, 0, 1):
        board.simulate(22, level)
    board.dispatch()
    assert edges == [0, 1]


def test_an_output_is_not_set_from_outside(opened: Open) -> None:
    board = opened()
    board.output(17, 0)
    with pytest.raises(HardwareError, match="line 17 is an output"):
        board.simulate(17, 1)


def test_a_file_of_another_size_starts_anew(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "run/levels").write_bytes(b"x" * 100)
    board = opened()
    board.output(17, 1)
    assert board.levels.level[16] == 0
