"""`pimqtt safe` on real lines, after the keeper's death and before it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pimqtt_agent import safe
from pimqtt_agent.hardware import chardev
from tests.hardware.worlds import GpioSim

KEEPER = """
import sys, time
from pathlib import Path
from pimqtt_agent import safe_list
from pimqtt_agent.hardware import open_board
from pimqtt_agent.settings import Settings
folder, chip, backend = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
hardware = {"backend": backend} if backend == "pi" else {"backend": backend, "chip": chip}
board = open_board(Settings.model_validate({"node": "car1", "hardware": hardware}), folder)
lines = board.output(17, 1), board.pwm(18, 0.5, 100)
safe_list.write(folder, "car1", [{**row, "device": "pump", "level": 0} for row in board.release_list()], 0)
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.gpiochip("sim")
@pytest.mark.parametrize(
    ("backend", "consumer"),
    [
        pytest.param("kernel", "pimqtt", marks=pytest.mark.gpiochip("kernel")),
        pytest.param("pi", "lg", marks=pytest.mark.gpiochip("pi")),
    ],
)
def test_a_killed_keepers_lines_are_made_safe(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
    backend: str,
    consumer: str,
) -> None:
    chip = pytestconfig.getoption("--gpiochip")
    world = GpioSim(tmp_path, chip)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    (tmp_path / "car1").mkdir()
    (tmp_path / "config.yaml").write_text("node: car1\n")
    command = [sys.executable, "-c", KEEPER, str(tmp_path / "car1"), chip, backend]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout
        assert keeper.stdout.readline() == "held\n"
        assert world.level(17) == 1
        assert safe.main(["-c", str(tmp_path / "config.yaml")]) == 1
        assert capsys.readouterr().err.splitlines()[0] == f'pump: line 17 is held by "{consumer}"'
        world.drive(None, 17, 1)  # type: ignore[arg-type] # pulled up, the line stays high when it is released
        keeper.kill()
    until = time.monotonic() + 2
    while chardev.holder(chip, 17) and time.monotonic() < until:
        time.sleep(0.01)
    assert world.level(17) == 1
    seen: list[float] = []
    release = os.close

    def close(fd: int) -> None:
        seen.append(world.level(17))
        release(fd)

    with monkeypatch.context() as patched:
        patched.setattr(os, "close", close)
        assert safe.main(["-c", str(tmp_path / "config.yaml")]) == 0
    assert 0 in seen  # while it was held; gpio-sim then lets it go to the pull, a Pi's kernel would not
    assert capsys.readouterr().out == "pump: line 17 low\npump: line 18 low\n"
