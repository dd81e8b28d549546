"""`drive`: keys in a terminal, motion in the trace, a stop at every end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.conftest import Cli
from tests.console.terminal import Terminal
from tests.rig import Mosquitto, Node, config, iterate, wait_for

pytestmark = pytest.mark.broker
At = tuple[str, str]
CAR = "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}}"
LEFT, BACK_LEFT, RIGHT, BACK_RIGHT = 5, 6, 13, 19


@pytest.fixture
def seat(tmp_path: Path, at: At, car1: Node) -> Iterator[Terminal]:
    with Terminal(tmp_path, *at, "drive", "car1/car") as terminal:
        terminal.wait("at rest")
        yield terminal
    car1.wait_level(LEFT, 0)
    car1.wait_level(RIGHT, 0)


def hold(terminal: Terminal, key: str, seconds: float) -> None:
    """Hold a key as a keyboard does: a pause, then repeats."""
    end = time.monotonic() + seconds
    terminal.key(key)
    time.sleep(min(0.4, seconds))
    while time.monotonic() < end:
        terminal.key(key)
        time.sleep(0.03)


def changes(node: Node, pins: set[int], since: int) -> list[dict[int, float]]:
    return list(iterate(node.rows()[since:], pins))


def test_a_held_key_drives_without_a_gap_and_stops_when_it_is_let_go(seat: Terminal, car1: Node) -> None:
    since = len(car1.rows())
    hold(seat, "w", 1.5)
    assert car1.levels(LEFT)[-1] == 1
    seat.wait(r"forward \(x 0 y 1\)")
    seat.wait(r"lease +0\.\d s, \S+@\S+-[0-9a-f]{4}")
    seat.wait(r"answers +\d+ ms")
    let_go_ns = time.monotonic_ns()
    stopped_ns = car1.wait_level(LEFT, 0, 1)
    assert (stopped_ns - let_go_ns) / 1e9 < 0.6
    rows = [row for row in car1.rows()[since:] if row["pin"] == LEFT]
    assert [row["value"] for row in rows] == [1, 0]
    assert (rows[1]["t_ns"] - rows[0]["t_ns"]) / 1e9 > 1.4


def test_arrows_turn_and_space_stops_at_once(seat: Terminal, car1: Node) -> None:
    seat.key("\x1b[D")
    car1.wait_level(BACK_LEFT, 1)
    car1.wait_level(RIGHT, 1)
    seat.key(" ")
    pressed_ns = time.monotonic_ns()
    assert (car1.wait_level(RIGHT, 0) - pressed_ns) / 1e9 < 0.3
    car1.wait_level(BACK_LEFT, 0)
    seat.key("\x1b[B")
    car1.wait_level(BACK_RIGHT, 1)


def test_digits_set_the_speed_and_a_turn_key_bends_the_way(seat: Terminal, car1: Node) -> None:
    seat.key("5")
    seat.wait("50%")
    seat.key("w")
    car1.wait_level(LEFT, 0.5)
    seat.key("d")
    wait_for(lambda: car1.levels(RIGHT)[-1] < 0.5, what="the right wheel slows down")
    assert car1.levels(LEFT)[-1] > car1.levels(RIGHT)[-1] > 0


@pytest.mark.parametrize("end", ["q", "\x03", "", "TERM", "HUP"])
def test_every_end_stops_the_car_and_gives_0(seat: Terminal, car1: Node, end: str) -> None:
    seat.key("w")
    car1.wait_level(LEFT, 1)
    since = len(car1.rows())
    if end in ("TERM", "HUP"):
        os.kill(seat.process.pid, getattr(signal, f"SIG{end}"))
    else:
        seat.key(end or "\x04")
    assert seat.status() == 0
    ended_ns = time.monotonic_ns()
    assert car1.wait_level(LEFT, 0, 0.1) <= ended_ns
    assert len(car1.rows()) > since
    assert "Traceback" not in seat.text


def test_the_dead_man_stops_what_a_killed_driver_drove(seat: Terminal, car1: Node) -> None:
    seat.key("w")
    car1.wait_level(LEFT, 1)
    os.kill(seat.process.pid, signal.SIGKILL)
    killed_ns = time.monotonic_ns()
    assert (car1.wait_level(LEFT, 0) - killed_ns) / 1e9 <= 0.55


def test_a_take_over_is_told_and_the_hand_must_let_go(seat: Terminal, cli: Cli, at: At, car1: Node) -> None:
    hold(seat, "w", 0.6)
    assert cli(*at, "send", "car1/car", '{"x": 0, "y": 0.3}', "--owner", "bob", "--priority", "1").returncode == 0
    since = len(car1.rows())
    hold(seat, "w", 1.2)
    assert all(row["value"] < 1 for row in car1.rows()[since:])
    assert cli(*at, "send", "car1/car", '{"x": 0, "y": 0.3}', "--owner", "bob", "--priority", "1").returncode == 0
    seat.forget()
    seat.key("w")
    seat.wait("rejected (held|let_go)")
    time.sleep(0.8)
    seat.key("w")
    car1.wait_level(LEFT, 1)


@pytest.mark.usefixtures("car1")
def test_an_emergency_stop_is_shown(seat: Terminal, cli: Cli, at: At) -> None:
    cli(*at, "stop", "car1/car")
    seat.wait(r"EMERGENCY STOP: pimqtt reset car1")
    seat.key("w")
    seat.wait("rejected latched")
    cli(*at, "reset", "car1")
    seat.wait("nobody's")


def test_a_motor_is_driven_too(tmp_path: Path, at: At, car1: Node) -> None:
    with Terminal(tmp_path, *at, "drive", "car1/fan", "--speed", "40") as terminal:
        terminal.wait("at rest")
        terminal.key("s")
        car1.wait_level(24, 0.4)
        terminal.key("q")
        assert terminal.status() == 0
    car1.wait_level(24, 0)


def test_arming_is_done_by_heartbeats(tmp_path: Path) -> None:
    car = CAR.replace("}}", "}, arming: {heartbeat_s: 1}}")
    with Mosquitto(tmp_path) as broker, Node(tmp_path / "node", config(broker.port, car)) as node:
        node.wait_level(LEFT, 0)
        with Terminal(tmp_path, "--broker", f"127.0.0.1:{broker.port}", "drive", "car1/car") as terminal:
            terminal.wait("at rest")
            hold(terminal, "w", 1.5)
            assert node.levels(LEFT)[-1] == 1
            terminal.key("q")
            assert terminal.status() == 0


def test_a_lost_broker_ends_it_with_4(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Node(tmp_path / "node", config(broker.port, CAR)) as node:
        node.wait_level(LEFT, 0)
        with Terminal(tmp_path, "--broker", f"127.0.0.1:{broker.port}", "drive", "car1/car") as terminal:
            terminal.wait("at rest")
            terminal.key("w")
            node.wait_level(LEFT, 1)
            broker.stop(signal.SIGKILL)
            assert terminal.status() == 4
            assert "was lost" in terminal.text
            node.wait_level(LEFT, 0)


@pytest.mark.usefixtures("car1")
def test_what_can_not_be_driven_is_told(cli: Cli, tmp_path: Path, at: At, nowhere: At) -> None:
    assert "drive needs a terminal" in cli(*at, "drive", "car1/car").stderr
    for words, status, text in (
        ((*at, "drive", "car1/pump"), 1, "car1/pump is a switch; drive takes a drive or a motor"),
        ((*at, "drive", "car1/cart"), 1, "car1/cart is unknown to car1"),
        ((*at, "drive", "car9/car"), 3, "node car9 is not online"),
        ((*nowhere, "drive", "car1/car"), 4, "can't be reached"),
    ):
        with Terminal(tmp_path, *words, columns=200) as terminal:
            assert terminal.status() == status
            assert text in terminal.text
