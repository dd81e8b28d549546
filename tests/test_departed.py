"""Devices that left: what is remembered of them over starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pimqtt_agent.departed import MOST, Departed

OLD, NEW = {"name": "old"}, {"name": "new"}


def stored(folder: Path) -> object:
    return json.loads((folder / "departed.json").read_text())


def test_who_came_back_and_leaves_again_left_with_what_it_was_last(tmp_path: Path) -> None:
    Departed(tmp_path, []).add("lamp", OLD)
    Departed(tmp_path, ["lamp"])  # it is back, and leaves while Home Assistant listens
    assert stored(tmp_path) == {}
    assert Departed(tmp_path, []).announced == {}


def test_who_leaves_again_left_with_what_it_was_last(tmp_path: Path) -> None:
    departed = Departed(tmp_path, [])
    departed.add("lamp", OLD)
    departed.add("lamp", NEW)
    assert Departed(tmp_path, []).announced == {"lamp": NEW}


def test_of_too_many_it_is_said_that_they_may_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    departed = Departed(tmp_path, [])
    for number in range(MOST):
        departed.add(f"d{number}", OLD)
    assert not caplog.text
    departed.add("lamp", OLD)
    departed.add("d0", NEW)
    assert caplog.text.count("may stay there") == 1
    assert "lamp left while Home Assistant was away" in caplog.text
    assert departed.announced["d0"] == NEW
    assert "lamp" not in departed.announced
