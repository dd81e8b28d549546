"""What `demo --home-assistant` says before it starts anything; tests/browser shows the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.console import demo_home, demo_mosquitto
from pimqtt_agent.console.demo_process import last_words, running
from pimqtt_agent.errors import PimqttError
from tests.console.conftest import Cli
from tests.rig import wait_for


def test_it_brings_a_broker_of_its_own(cli: Cli) -> None:
    done = cli("demo", "--home-assistant", "--broker", "127.0.0.1")
    said = "pimqtt: --home-assistant brings a broker of its own: leave out --broker\n"
    assert (done.returncode, done.stderr) == (1, said)


async def test_without_mosquitto_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_words, **_named: None)
    with pytest.raises(PimqttError, match="sudo apt install mosquitto"):
        async with demo_mosquitto.mosquitto(None, tmp_path):
            pass


async def test_outside_a_clone_it_says_where_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_home, "SCRIPT", tmp_path / "scripts/ha-env")
    with pytest.raises(PimqttError, match="in a clone of pimqtt"):
        async with demo_home.home(Broker(), tmp_path):
            pass


async def test_a_home_assistant_that_can_not_be_prepared_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "ha-env"
    script.write_text("#!/bin/sh\necho no Python 3.14 >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(demo_home, "SCRIPT", script)
    with pytest.raises(PimqttError, match=r"(?s)no Python 3.14.*could not be prepared"):
        async with demo_home.home(Broker(), tmp_path):
            pass


async def test_what_a_process_started_goes_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = ["sh", "-c", f"sleep 60 & echo $! > {pids}; echo is up; wait"]
    async with running(command, tmp_path / "log"):
        while last_words(tmp_path / "log") != "is up":
            await asyncio.sleep(0.02)
    await asyncio.to_thread(wait_for, lambda: gone(int(pids.read_text())), what="its child has gone too")


def gone(pid: int) -> bool:
    """Whether a process ended; its new parent need not have looked after it yet."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
