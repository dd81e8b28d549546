"""Colours on a terminal, and none where NO_COLOR asks for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.terminal import Terminal
from tests.rig import Mosquitto

pytestmark = pytest.mark.broker


def of_help(folder: Path, _at: str, *, colour: bool) -> set[bytes]:
    with Terminal(folder, "--help", colour=colour) as terminal:
        terminal.wait("Usage")
        assert terminal.status() == 0
        return terminal.colours


def of_doctor(folder: Path, at: str, *, colour: bool) -> set[bytes]:
    with Terminal(folder, "--broker", at, "doctor", colour=colour) as terminal:
        terminal.status(30)
        assert "broker" in terminal.text
        return terminal.colours


def of_watch(folder: Path, at: str, *, colour: bool) -> set[bytes]:
    with Terminal(folder, "--broker", at, "watch", columns=100, colour=colour) as terminal:
        terminal.wait("car1 online")
        terminal.key("\x03")
        assert terminal.status() == 0
        return terminal.colours


@pytest.mark.usefixtures("car1")
@pytest.mark.parametrize("command", [of_help, of_doctor, of_watch])
def test_a_terminal_shows_colours_and_none_where_nobody_wants_them(
    house: Mosquitto, tmp_path: Path, command: Callable[..., set[bytes]]
) -> None:
    at = f"127.0.0.1:{house.port}"
    assert command(tmp_path, at, colour=True) != set()
    assert command(tmp_path, at, colour=False) == set()
