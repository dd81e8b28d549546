"""`demo`: by its embedded broker and by a real one; the lines that it prints are pasted."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from pimqtt_agent.console.demo_greeting import program
from tests.console.conftest import Cli, environment
from tests.console.terminal import Terminal
from tests.rig import Mosquitto, free_port, wait_for

pytestmark = pytest.mark.broker  # at least its clients


class Demo:
    """A running `pimqtt demo --plain`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        command = [sys.executable, "-m", "pimqtt_agent", "demo", "--plain", *words]
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            env = environment(TMPDIR=str(folder / "tmp"))
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=folder)

    @property
    def text(self) -> str:
        return self._out.read_text()

    @property
    def complaints(self) -> str:
        return self._err.read_text()

    def pasted(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("mosquitto_pub")]

    def paste(self, part: str) -> int:
        """Do what the demo says, in a shell; return where its output was."""
        (line,) = [line for line in self.pasted() if part in line]
        since = len(self.text)
        subprocess.run(["bash", "-c", line], check=True, timeout=10)
        return since

    def wait(self, pattern: str, since: int = 0, timeout_s: float = 5) -> None:
        wait_for(lambda: re.search(pattern, self.text[since:]), timeout_s, f"{pattern} in {self.text[-1500:]}")

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)

    def left(self) -> list[Path]:
        return list((self.folder / "tmp").iterdir())

    def children(self) -> dict[int, str]:
        """Name the processes that descend from it."""
        parents, titles = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    titles[int(entry.name)] = (entry / "cmdline").read_text().strip("\0 ")
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return {pid: titles.get(pid, "") for pid in found[1:]}


def gone(pids: Iterable[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    running: list[Demo] = []

    def start(*words: str) -> Demo:
        running.append(Demo(tmp_path, *words))
        wait_for(lambda: "Ctrl-C ends" in running[0].text or running[0].process.poll() is not None, 20)
        return running[0]

    yield start
    for one in running:
        one.process.terminate()
        one.process.wait(10)


def test_it_ends_by_itself_with_0_and_leaves_nothing(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()), "--seconds", "1")
    children = shown.children()
    assert {"pimqtt: supervisor", "pimqtt: agent", "pimqtt: keeper pins"} <= set(children.values())
    assert shown.process.wait(12) == 0
    assert gone(children)
    assert shown.complaints == ""
    assert "\x1b" not in shown.text
    assert len(shown.pasted()) >= 8
    assert shown.left() == []


def test_json_is_an_object_a_line_and_what_to_paste_stands_beside_it(cli: Cli) -> None:
    done = cli("demo", "--json", "--port", str(free_port()), "--seconds", "2")
    assert done.returncode == 0
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"pin": 17, "level": 0} in [{key: row[key] for key in ("pin", "level")} for row in told if "pin" in row]
    assert any((row.get("device"), row.get("what"), row.get("content")) == ("pump", "state", "OFF") for row in told)
    assert "mosquitto_pub" in done.stderr


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


def test_who_still_listens_does_not_keep_it_from_ending(demo: Callable[..., Demo]) -> None:
    port = free_port()
    shown = demo("--port", str(port))
    listen = ["mosquitto_sub", "-p", str(port), "-t", "#", "-F", "%t"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as listener:
        assert listener.stdout
        assert listener.stdout.readline()
        start_s = time.monotonic()
        assert shown.end() == 0
        assert time.monotonic() - start_s < 6
        listener.terminate()
    assert shown.complaints == ""


def test_a_quick_publisher_is_heard(demo: Callable[..., Demo]) -> None:
    port = free_port()
    shown = demo("--port", str(port))
    for number in range(20):
        topic = f"pimqtt/demo/sim/{number + 100}/set"
        subprocess.run(["mosquitto_pub", "-p", str(port), "-t", topic, "-m", "1"], check=True)
    wait_for(lambda: all(f"sim/{number + 100} " in shown.text for number in range(20)), what=shown.text[-2000:])


def test_a_broker_of_yours(demo: Callable[..., Demo], tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        shown = demo("--broker", f"127.0.0.1:{broker.port}")
        assert f"at your broker: 127.0.0.1:{broker.port}" in shown.text
        since = shown.paste("pump/set")
        shown.wait(r"pin 17 +level +1\n", since)
        everything = ["mosquitto_sub", "-p", str(broker.port), "-W", "1", "-F", "%t %l", "-t", "pimqtt/#"]
        everything += ["-t", "homeassistant/#"]
        seen = subprocess.run(everything, capture_output=True, text=True, check=False).stdout
        assert "homeassistant/device/demo/pump/config" in seen
        assert shown.end() == 0
        assert subprocess.run(everything, capture_output=True, text=True, check=False).stdout == ""


def test_a_port_in_use_and_no_broker_are_told(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = cli("demo", "--plain", "--port", str(port), "--seconds", "1")
    assert (done.returncode, done.stderr) == (1, f"pimqtt: port {port} is in use; name another one, or none\n")
    done = cli("demo", "--plain", "--broker", f"127.0.0.1:{free_port()}", "--seconds", "1")
    assert done.returncode == 4
    assert "can't be reached" in done.stderr


def test_a_node_that_ends_is_told(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()))
    (supervisor,) = [pid for pid, title in shown.children().items() if title == "pimqtt: supervisor"]
    os.kill(supervisor, signal.SIGKILL)
    assert shown.process.wait(10) == 1
    assert "the demo's node ended" in shown.complaints
    assert "Traceback" not in shown.complaints


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (112, 40), (140, 45)])
def test_the_live_view_shows_levels_leases_and_messages(tmp_path: Path, columns: int, rows: int) -> None:
    port = free_port()
    with Terminal(tmp_path, "demo", "--port", str(port), columns=columns, rows=rows) as terminal:
        terminal.wait("Ctrl-C ends", 20)
        terminal.wait(r"pump +OFF +17·")
        terminal.wait(r"arm +unknown +12·")
        terminal.wait(r"door +ON +22█")
        terminal.wait(r"bell +- +25█")
        message = '{"value": "ON", "ttl": 4, "owner": "anna"}'
        subprocess.run(["mosquitto_pub", "-p", str(port), "-t", "pimqtt/demo/pump/set", "-m", message], check=True)
        terminal.wait(r"pump +ON +17█ +3\.\d s anna > OFF")
        terminal.wait(r"pump +state +ON")
        terminal.wait(r"pump +OFF +17·")
        terminal.key("\x03")
        assert terminal.status() == 0
        assert "Traceback" not in terminal.text


def test_the_live_view_ends_by_itself_with_0(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo", "--port", str(free_port()), "--seconds", "1") as terminal:
        assert terminal.status(20) == 0
        assert "Traceback" not in terminal.text


def test_what_the_demo_started_ends_when_it_is_killed(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()))
    children = shown.children()
    shown.process.kill()
    wait_for(lambda: gone(children), 8)
