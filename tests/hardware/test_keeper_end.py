"""How lines are left when a keeper ends in order, and what it need not import when it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pimqtt_agent import hardware
from pimqtt_agent.settings import Settings

KEEPER = """
import socket, sys, time
from pathlib import Path
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.kernel import KernelBoard
from pimqtt_agent.keeper import process
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.config import load
from tests.hardware.played_kernel import PlayedKernel
kernel = PlayedKernel()
chardev.label = lambda path: "played"
process.open_board = lambda settings, runtime: KernelBoard(settings.hardware, kernel.request_lines)
process.real_time = lambda: []
def mark(runtime):
    for line in (17, 18, 19):
        print(line, kernel.lines[line].seen[-2:], flush=True)
process.safe_list.mark_stopped = mark
ends = [*socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET), *socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
for end in ends:
    end.setblocking(False)
settings = load(Path(sys.argv[1]) / "config.yaml")
ends[0].send(process.STOP)
process.main(process.Task(settings=settings, devices=settings.devices, generation=1, page=Page(), link=ends[2],
                          control=ends[1], runtime=Path(sys.argv[1]), owner=4711))
"""  # noqa: E501

CONFIG = """
node: n1
hardware: {backend: kernel, chip: /dev/gpiochip0}
devices:
  - {id: pump, kind: switch, pin: 17, initial: on, on_stop: keep}
  - {id: lamp, kind: light, pin: 18, initial: {brightness: 180}, on_stop: keep}
  - {id: glow, kind: light, pin: 19, initial: {brightness: 40}, on_stop: keep}
"""


def test_a_kept_light_ends_at_the_nearer_level_and_a_kept_switch_as_it_is(tmp_path: Path) -> None:
    """Else a lamp at 70 % would be off or on by chance: pulses stop with the process, wherever they are."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "-c", KEEPER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["17 [1]", "18 [1, None]", "19 [0, None]"]), done.stderr


def test_the_list_for_safe_names_the_supervisor_also_when_that_one_has_died_meanwhile(tmp_path: Path) -> None:
    """Else `pimqtt safe` would take the orphan's new parent for a node that runs, and not wait for the lines."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    subprocess.run([sys.executable, "-c", KEEPER, str(tmp_path)], check=True, timeout=20, stdout=subprocess.DEVNULL)
    assert json.loads((tmp_path / "safe.json").read_text())["owner"] == 4711


@pytest.mark.parametrize("backend", ["simulated", "pi", "kernel"])
def test_a_backend_is_imported_before_keepers_are_forked_but_starts_no_thread(backend: str) -> None:
    script = f"""
import sys, threading
from pimqtt_agent import hardware
from pimqtt_agent.settings import Settings
hardware.preload(Settings.model_validate({{"node": "n1", "hardware": {{"backend": "{backend}"}}}}))
print("pimqtt_agent.hardware.{backend}" in sys.modules, "lgpio" in sys.modules, threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True False 1\n"


def test_a_backend_that_is_not_installed_is_left_to_the_keeper_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pimqtt_agent.hardware.kernel", raising=False)
    monkeypatch.setitem(sys.modules, "gpiod", None)
    for module in ("gpiod.line", "pimqtt_agent.hardware.gpiod_lines", "pimqtt_agent.hardware.chip_board"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    hardware.preload(Settings.model_validate({"node": "n1", "hardware": {"backend": "kernel"}}))
