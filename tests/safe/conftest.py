"""A runtime folder, and a process that plays the keeper in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.safe.chip import KEEPER, ROOT, Keep


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("SERVICE_RESULT", raising=False)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    (tmp_path / "config.yaml").write_text("node: car1\nhardware: {backend: simulated}\n")
    (tmp_path / "car1").mkdir()
    return tmp_path / "car1"


@pytest.fixture
def keep(runtime: Path) -> Iterator[Keep]:
    with ExitStack() as stack:

        def start(rule: Literal["latch", "pull"] = "latch", life_s: float = 30, owner: int = 0) -> Any:
            command = [sys.executable, "-c", KEEPER, str(runtime), rule, str(life_s), str(owner)]
            keeper = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
            stack.callback(keeper.kill)
            assert keeper.stdout
            assert keeper.stdout.readline() == "held\n"
            return keeper

        yield start
