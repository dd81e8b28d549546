"""Where a command's time goes: how the calls of all processes are split, and that a real node's are."""

from __future__ import annotations

import shutil

import pytest

from benchmarks import way
from benchmarks.errors import BenchmarkError
from benchmarks.way import READ, WRITE, Call

PLAIN = [
    Call("driver", WRITE, 0, 5), Call("broker", READ, 8, 10), Call("broker", WRITE, 13, 19),
    Call("agent", READ, 25, 30), Call("agent", WRITE, 60, 80), Call("keeper", READ, 78, 79),
    Call("keeper", WRITE, 100, 104), Call("agent", READ, 105, 110), Call("agent", WRITE, 140, 144),
    Call("broker", READ, 148, 150), Call("broker", WRITE, 151, 159), Call("driver", READ, 155, 156),
]  # fmt: skip


def test_the_legs_of_a_command_add_up() -> None:
    split = way.legs(PLAIN)
    assert split == [10, 3, 17, 30, 19, 21, 10, 30, 10, 1, 5]
    assert sum(split) == 156


def test_a_packet_read_in_pieces_is_read_when_the_last_is() -> None:
    split = way.legs([*PLAIN, Call("broker", READ, 10, 12)])
    assert split
    assert split[:2] == [12, 1]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(Call("keeper", WRITE, 108, 109), id="a beat"),
        pytest.param(Call("agent", WRITE, 31, 33), id="a log line"),
        pytest.param(Call("agent", READ, 101, 102), id="something else came"),
    ],
)
def test_a_command_during_which_something_else_was_done_is_left_out(more: Call) -> None:
    assert way.legs([*PLAIN, more]) is None


def test_a_command_without_an_answer_is_left_out() -> None:
    assert way.legs(PLAIN[:-1]) is None


def test_what_comes_after_the_answer_belongs_to_no_command() -> None:
    beat = Call("keeper", WRITE, 160, 161)
    following = [Call(call.who, call.what, call.begin_ns + 200, call.end_ns + 200) for call in PLAIN]
    first, *_ = way.commands([*PLAIN, beat, *following])
    assert way.legs(first) == way.legs(PLAIN)


def test_too_few_plain_commands_are_no_table() -> None:
    with pytest.raises(BenchmarkError, match="only 0 of 100"):
        way.table(PLAIN, 100)


@pytest.mark.broker
def test_every_part_of_a_real_command_is_seen() -> None:
    assert shutil.which("gcc"), "gcc is missing: apt-get install gcc"
    calls = way.measure(200, 4)
    split = [found for part in way.commands(calls) if (found := way.legs(part))]
    assert len(split) > 50
    assert all(leg >= 0 for found in split for leg in found)
    text = way.table([*calls], len(split))
    assert "keeper: lease, limits, pin" in text
    assert "**whole**" in text
