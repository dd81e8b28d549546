"""`demo`: the commands that it names; the lines that it prints are pasted."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pimqtt_agent.console.demo_greeting import program
from tests.console import demo_process
from tests.console.conftest import Cli, environment
from tests.console.demo_process import Demo, gone
from tests.rig import free_port

pytestmark = pytest.mark.broker  # at least its clients

demo = demo_process.demo


def test_every_line_that_it_prints_does_what_it_says(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()))
    since = shown.paste("pump/set")
    shown.wait(r"pin 17 +level +1\n", since)
    shown.wait(r"pump +state +ON", since)
    since = shown.paste("car/set")
    shown.wait(r"pin 5 +level +1\n", since)
    shown.wait(r"pin 5 +level +0\n", since)
    shown.wait(r"car +result +reverted expired: now x 0 y 0", since)
    since = shown.paste("fan/set")
    shown.wait(r"pin 23 +level +0\.6\n", since)
    since = shown.paste("lamp/set")
    shown.wait(r"pin 18 +level +0\.3137", since)
    since = shown.paste("arm/set")
    shown.wait(r"pin 12 +level +0\.", since)
    since = shown.paste("sim/22/set")
    shown.wait(r"pin 22 +level +0\n", since)
    shown.wait(r"door +state +O", since)
    since = shown.paste("sim/25/set -m 0")
    shown.wait(r"pin 25 +level +0\n", since)
    shown.paste("sim/25/set -m 1")
    shown.wait(r"pin 25 +level +1\n", since)
    shown.wait(r"bell +event +event_type press", since)
    since = shown.paste("eye/snapshot/set")
    shown.wait(r"eye +image +\d+ bytes", since)
    since = shown.paste("stop/set -m ON")
    shown.wait(r"\d +stop +state +ON", since)
    shown.wait(r"pin 23 +level +0\n", since)
    since = shown.paste("stop/set -m OFF")
    shown.wait(r"\d +stop +state +OFF", since)
    assert "car/stop" not in shown.text, "latches that did not change are no news"
    columns = {line.index(word) for word in (" level ", " state ") for line in shown.text.splitlines() if word in line}
    assert len(columns) == 1
    children = shown.children()
    assert shown.end() == 0
    assert shown.complaints == ""
    assert shown.left() == []
    assert gone(children)


def test_operators_commands_work_there_too(demo: Callable[..., Demo], cli: Cli) -> None:
    port = free_port()
    shown = demo("--port", str(port))
    at = ("--broker", f"127.0.0.1:{port}")
    assert cli(*at, "send", "demo/pump", "ON", "--ttl", "1").stdout == "demo/pump: accepted ON for 1 s by anonymous\n"
    assert cli(*at, "stop", "demo").returncode == 0
    assert cli(*at, "reset").returncode == 0
    assert "demo" in cli(*at, "watch", "--seconds", "1").stdout
    assert "MQTT 3.1.1" in cli(*at, "doctor").stdout
    assert shown.end(signal.SIGTERM) == 0
    assert shown.left() == []


def test_the_commands_for_another_terminal_work_in_any_folder(demo: Callable[..., Demo], tmp_path: Path) -> None:
    port = free_port()
    shown = demo("--port", str(port))
    (line,) = [line for line in shown.text.splitlines() if line.endswith(" watch")]
    (tmp_path / "elsewhere").mkdir()
    line += " --plain --seconds 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, env=environment(),
                          cwd=tmp_path / "elsewhere", timeout=20)  # fmt: skip
    assert "demo/pump" in done.stdout
    assert any(line.endswith(" drive demo/car") for line in shown.text.splitlines())


def test_without_mosquitto_pub_the_demo_says_how_to_get_it_and_how_to_do_without(tmp_path: Path) -> None:
    """As on a machine that has no such program anywhere."""
    port = free_port()
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    env = environment(PATH=str(tmp_path / "bin"), TMPDIR=str(tmp_path / "tmp"))
    command = [sys.executable, "-m", "pimqtt_agent", "demo", "--plain", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=tmp_path) as process:
        assert process.stdout
        words = ""
        try:
            while "Ctrl-C ends" not in words:
                words += process.stdout.readline()
            assert "sudo apt install mosquitto-clients" in words
            commands = [line for line in words.splitlines() if re.search(r" (send|stop|reset) ", line)]
            assert len(commands) >= 7
            for line in commands:
                done = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, env=environment(),
                                      check=False, timeout=20)  # fmt: skip
                assert (done.returncode, done.stderr) == (0, ""), line
        finally:
            process.terminate()
            process.communicate(timeout=10)
    assert process.returncode == 0


def test_the_command_is_named_as_it_can_be_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home, on_path = tmp_path / "my env/bin", tmp_path / "bin"
    for folder in (home, on_path):
        folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(home / "python"))
    monkeypatch.setenv("PATH", str(on_path))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert program() == f"'{home}/python' -m pimqtt_agent"
    (home / "pimqtt").touch(0o755)
    assert program() == f"'{home}/pimqtt'"
    (on_path / "pimqtt").symlink_to(home / "pimqtt")
    assert program() == "pimqtt"
    monkeypatch.setenv("VIRTUAL_ENV", str(home.parent))
    assert program() == f"'{home}/pimqtt'"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert program() == "~/'my env/bin/pimqtt'"
