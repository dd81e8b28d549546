"""The command line as users have it: a process, against a real broker and a real node."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rig import ROOT, Mosquitto, Node, config, free_port

DEVICES = (
    "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}",
    "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}",
    "{id: fan, kind: motor, forward: 23, backward: 24, deadman: 0.5}",
    "{id: eye, kind: camera, source: synthetic}",
)
Cli = Callable[..., subprocess.CompletedProcess[str]]


def environment(**extra: str) -> dict[str, str]:
    """Return what a command runs in: nothing of the tester's own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIMQTT", "NO_COLOR", "FORCE"))}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **extra}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run `pimqtt` in an empty folder."""

    def run(*words: str, timeout_s: float = 20, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pimqtt_agent", *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, cwd=tmp_path, env=environment(**extra),
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for a module."""
    with Mosquitto(tmp_path_factory.mktemp("house")) as broker:
        yield broker


@pytest.fixture(scope="module")
def car1(house: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One node there, that is online."""
    text = config(house.port, *DEVICES, hardware=", control: true")
    with Node(tmp_path_factory.mktemp("car1"), text) as node:
        at = f"127.0.0.1:{house.port}"
        for _ in range(20):
            command = [sys.executable, "-m", "pimqtt_agent", "--broker", at, "call", "car1", "-c", "action=get_version"]
            if subprocess.run(command, env=environment(), capture_output=True, check=False).returncode == 0:
                break
        yield node


@pytest.fixture
def at(house: Mosquitto) -> tuple[str, str]:
    """Name the module's broker."""
    return "--broker", f"127.0.0.1:{house.port}"


@pytest.fixture
def nowhere() -> tuple[str, str]:
    """Name a broker that is not there."""
    return "--broker", f"127.0.0.1:{free_port()}"
