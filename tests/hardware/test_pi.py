"""The pi backend down to the calls of lgpio, which is played here; test_contract.py has what a user sees."""

from __future__ import annotations

import errno
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev, open_board, pi
from pimqtt_agent.settings import PiOptions, Settings
from tests.hardware.played_kernel import PlayedKernel

_CONSTANTS = {
    "BOTH_EDGES": 3, "RISING_EDGE": 1, "FALLING_EDGE": 2, "SET_PULL_UP": 32, "SET_PULL_DOWN": 64, "SET_PULL_NONE": 128,
}  # fmt: skip


class FakeLgpio(ModuleType):
    """Writes down each call, and makes a pipe in ``LG_WD`` and goes there, as lgpio does at import."""

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.__dict__.update(_CONSTANTS)
        self.calls: list[tuple[Any, ...]] = []
        self.busy: set[int] = set()
        self.error = type("error", (Exception,), {})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any) -> Any:
            self.calls.append((name, *args))
            if "claim" in name and args[1] in self.busy:
                raise self.error("GPIO busy")
            return 1

        return call


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    fake = FakeLgpio()
    modules = ("gpiozero.pins.lgpio", "pimqtt_agent.hardware.lgpio_pins")
    for module in modules:
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    local = importlib.import_module("gpiozero.pins.local")
    monkeypatch.setattr(local, "get_pi_revision", lambda: 0xC04170)
    monkeypatch.setattr(chardev, "find", lambda *_: "/dev/gpiochip4")
    monkeypatch.setattr(chardev, "holder", lambda _path, line: "lg" if line in fake.busy else None)
    yield fake
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def board(lgpio: FakeLgpio, tmp_path: Path) -> Iterator[pi.PiBoard]:
    opened = pi.open_board(PiOptions(backend="pi"), tmp_path, tmp_path)
    assert lgpio.calls == [("gpiochip_open", 4)]
    lgpio.calls.clear()
    yield opened
    opened.close()


def test_an_output_is_claimed_once_with_its_level(lgpio: FakeLgpio, board: pi.PiBoard) -> None:
    line = board.output(17, 1)
    line.set(0)
    line.set(1)
    line.close()
    line.close()
    assert lgpio.calls == [
        ("gpio_claim_output", 1, 17, 1), ("gpio_write", 1, 17, 0), ("gpio_write", 1, 17, 1), ("gpio_free", 1, 17),
    ]  # fmt: skip


def test_pwm_is_exact_and_its_ends_are_written_at_once(lgpio: FakeLgpio, board: pi.PiBoard) -> None:
    line = board.pwm(18, 0.0, 50)
    line.set(0.0)
    for duty in (0.075, 1.0, 0.0):
        line.set(duty)
    line.close()
    assert lgpio.calls == [
        ("gpio_claim_output", 1, 18, 0),
        ("gpio_write", 1, 18, 0),  # nothing pulses yet
        ("tx_pwm", 1, 18, 50, 7.5),  # 1.5 ms of 20 ms: the middle of a servo
        ("tx_pwm", 1, 18, 50, 100.0), ("gpio_write", 1, 18, 1),
        ("tx_pwm", 1, 18, 50, 0.0), ("gpio_write", 1, 18, 0),
        ("gpio_free", 1, 18),
    ]  # fmt: skip


def test_a_pwm_line_starts_with_its_duty(lgpio: FakeLgpio, board: pi.PiBoard) -> None:
    board.pwm(18, 0.25, 100)
    board.pwm(19, 1.0, 100)
    assert lgpio.calls == [
        ("gpio_claim_output", 1, 18, 0), ("tx_pwm", 1, 18, 100, 25.0), ("gpio_claim_output", 1, 19, 1),
    ]  # fmt: skip


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, board: pi.PiBoard) -> PlayedKernel:
    played = PlayedKernel()
    monkeypatch.setattr(board._inputs, "_request", played.request_lines)
    return played


def test_inputs_are_not_lgpios(lgpio: FakeLgpio, board: pi.PiBoard, kernel: PlayedKernel) -> None:
    edges: list[int | None] = []
    line = board.input(22, "up", lambda level, _at_s: edges.append(level), 0.02)
    kernel.lines[22].drive(1)
    board.dispatch()
    line.close()
    assert edges == [1]
    assert [path for path, _ in kernel.asked] == ["/dev/gpiochip4"]
    assert lgpio.calls == []


def test_pulses_end_at_the_nearer_level_before_the_process_does(lgpio: FakeLgpio, board: pi.PiBoard) -> None:
    board.output(17, 1)
    board.pwm(18, 0.0, 100).set(0.7)
    board.pwm(19, 0.3, 100)
    board.pwm(20, 1.0, 100)
    lgpio.calls.clear()
    board.end_pulses()
    assert lgpio.calls == [
        ("tx_pwm", 1, 18, 100, 100.0), ("gpio_write", 1, 18, 1), ("gpio_free", 1, 18),
        ("tx_pwm", 1, 19, 100, 0.0), ("gpio_write", 1, 19, 0), ("gpio_free", 1, 19),
        ("gpio_free", 1, 20),
    ]  # fmt: skip
    assert [row["line"] for row in board.release_list()] == [17]


@pytest.mark.parametrize("frequency_hz", [0.05, 15_000])
def test_pulses_that_lgpio_does_not_make_are_refused_before_the_first_command(
    lgpio: FakeLgpio, board: pi.PiBoard, frequency_hz: float
) -> None:
    with pytest.raises(HardwareError, match=r"line 18: lgpio makes pulses of 0.1 to 10000 Hz, not .*; change frequ"):
        board.pwm(18, 0.0, frequency_hz)
    assert lgpio.calls == []
    assert board.release_list() == []


def test_a_line_whose_pulses_fail_at_the_claim_is_given_back(lgpio: FakeLgpio, board: pi.PiBoard) -> None:
    def fail(*_args: object) -> None:
        raise lgpio.error("no room")

    lgpio.__dict__["tx_pwm"] = fail
    with pytest.raises(HardwareError, match="line 18 can't be claimed: no room"):
        board.pwm(18, 0.5, 100)
    assert lgpio.calls[-1] == ("gpio_free", 1, 18)


@pytest.mark.usefixtures("kernel")
def test_a_resistor_on_the_board_is_known(board: pi.PiBoard) -> None:
    board.input(2, "none", lambda *_: None)
    board.input(3, "up", lambda *_: None).close()
    with pytest.raises(HardwareError, match="line 3 has a resistor on the board that pulls it up"):
        board.input(3, "down", lambda *_: None)


def test_a_busy_line_names_its_holder(lgpio: FakeLgpio, board: pi.PiBoard, kernel: PlayedKernel) -> None:
    lgpio.busy = {17, 22}
    kernel.refuse = lambda _settings: errno.EBUSY
    for claim in (lambda: board.output(17, 0), lambda: board.input(22, "up", lambda *_: None)):
        with pytest.raises(HardwareError, match=r'line (17|22) is held by "lg"'):
            claim()
    lgpio.busy = set()
    board.output(17, 0)
    assert [row["line"] for row in board.release_list()] == [17]


def test_the_release_list_has_the_chip(board: pi.PiBoard) -> None:
    board.output(17, 0)
    assert board.release_list() == [{"backend": "pi", "chip": "/dev/gpiochip4", "name": 17, "line": 17}]


def test_lgpio_finds_its_folder_and_we_keep_ours(
    lgpio: FakeLgpio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.lgd-nfy0").write_text("")

    class Wandering(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, *_: Any) -> None:
            if name == "gpiozero.pins.lgpio":
                os.chdir(os.environ["LG_WD"])

    monkeypatch.setattr(sys, "meta_path", [Wandering(), *sys.meta_path])
    monkeypatch.delenv("LG_WD", raising=False)
    board = pi.open_board(PiOptions(backend="pi"), here, Path("../run"))
    assert os.environ["LG_WD"] == str(tmp_path / "run")
    assert Path.cwd() == here
    assert list((tmp_path / "run").iterdir()) == []
    board.close()
    assert lgpio.calls[-1] == ("gpiochip_close", 1)


def test_levels_survive_the_exit_of_the_interpreter() -> None:
    """Without that, gpiozero would close all pins; what was registered first runs last."""
    script = """
import atexit
atexit.register(lambda: print(factory.pin("GPIO17").state, closed))
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
from pimqtt_agent.hardware.pi import PiBoard
closed = []
factory = Device.pin_factory = MockFactory()
factory.close = lambda: closed.append(True)
board = PiBoard(factory, "/dev/gpiochip0")
line = board.output(17, 1)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(chardev, "find", lambda *_: "/dev/gpiochip0")
    monkeypatch.setitem(sys.modules, "lgpio", None)
    for module in ("gpiozero.pins.lgpio", "pimqtt_agent.hardware.lgpio_pins"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    settings = Settings.model_validate({"node": "car1", "hardware": {"backend": "pi"}})
    with pytest.raises(HardwareError, match="backend pi needs the Python package lgpio, which is not installed"):
        open_board(settings, tmp_path)


def test_pypis_placeholder_of_lgpio_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Version 0.0.0.2 is an empty module: what pip takes where there is no wheel."""
    monkeypatch.setattr(chardev, "find", lambda *_: "/dev/gpiochip0")
    monkeypatch.setitem(sys.modules, "lgpio", ModuleType("lgpio"))
    for module in ("gpiozero.pins.lgpio", "pimqtt_agent.hardware.lgpio_pins"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(HardwareError, match=r"lgpio is PyPI's placeholder without code: .* apt install python3-lgpio"):
        pi.open_board(PiOptions(backend="pi"), tmp_path, tmp_path)
    assert Path.cwd() != tmp_path


@pytest.mark.parametrize("line", [2, 17, 27])
def test_a_board_that_does_not_tell_its_revision_has_a_header_all_the_same(
    lgpio: FakeLgpio, monkeypatch: pytest.MonkeyPatch, board: pi.PiBoard, line: int
) -> None:
    from gpiozero.exc import PinUnknownPi  # noqa: PLC0415

    def unknown() -> int:
        raise PinUnknownPi("unable to locate Pi revision in /proc/device-tree or /proc/cpuinfo")

    monkeypatch.setattr(importlib.import_module("gpiozero.pins.local"), "get_pi_revision", unknown)
    board.output(line, 1)
    assert lgpio.calls == [("gpio_claim_output", 1, line, 1)]
    with pytest.raises(HardwareError, match=r"line 2 (has a resistor|is held)"):
        board.input(2, "down", lambda *_: None)
