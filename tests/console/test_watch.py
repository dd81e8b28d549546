"""`watch`: lines for a pipe, objects a line, a live table; a broker that goes and comes back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.conftest import Cli, environment
from tests.console.terminal import Terminal
from tests.rig import Mosquitto, Node, wait_for

pytestmark = pytest.mark.broker
At = tuple[str, str]


class Watching:
    """A `pimqtt watch` whose lines are read as they come."""

    def __init__(self, folder: Path, *words: str) -> None:
        command = [sys.executable, "-m", "pimqtt_agent", *words]
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment(), cwd=folder)

    @property
    def lines(self) -> list[str]:
        return self._out.read_text().splitlines()

    @property
    def complaints(self) -> str:
        return self._err.read_text()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(5)


@pytest.fixture
def watching(tmp_path: Path, at: At, car1: Node) -> Iterator[Watching]:  # noqa: ARG001 - it runs
    running = Watching(tmp_path, *at, "watch", "car1", "--plain")
    yield running
    running.process.kill()
    running.process.wait(5)


def test_plain_prints_a_line_for_each_change(cli: Cli, at: At, watching: Watching) -> None:
    wait_for(lambda: any("car1/pump" in line and " state " in line for line in watching.lines), 8)
    assert cli(*at, "send", "car1/pump", "ON", "--ttl", "0.4", "--owner", "anna").returncode == 0
    wait_for(lambda: any("reverted expired: now OFF" in line for line in watching.lines))
    text = "\n".join(watching.lines)
    assert "\x1b" not in text
    assert "accepted ON for 0.4 s by anna" in text
    assert "anna holds ON for 0." in text
    assert re.search(r"car1/pump +lease +at rest", text)
    assert len({line.index(" state ") for line in watching.lines if " state " in line}) == 1, "columns"
    assert watching.end() == 0
    assert watching.complaints == ""


@pytest.mark.usefixtures("car1")
def test_json_prints_an_object_a_line(cli: Cli, at: At) -> None:
    done = cli(*at, "watch", "--json", "--seconds", "1")
    assert done.returncode == 0
    changes = [json.loads(line) for line in done.stdout.splitlines()]
    keys = {"time", "node", "device", "entity", "what", "content", "retained"}
    assert all(set(change) == keys for change in changes)
    first = {(change["device"], change["entity"], change["what"]): change["content"] for change in changes}
    assert first["pump", None, "state"] == "OFF"
    assert first["car", None, "state"] == {"x": 0.0, "y": 0.0}
    assert first[None, None, "availability"] == "online"


@pytest.mark.usefixtures("car1")
def test_another_node_shows_nothing(cli: Cli, at: At) -> None:
    done = cli(*at, "watch", "car9", "--seconds", "2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "pimqtt: nothing from node car9 yet; waiting (Ctrl-C ends)\n"


@pytest.mark.usefixtures("car1")
def test_a_reader_that_goes_is_no_error(at: At) -> None:
    command = f"{sys.executable} -m pimqtt_agent {' '.join(at)} watch --plain --seconds 2 | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], env=environment(), capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_it_finds_a_broker_again(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        running = Watching(tmp_path, "--broker", f"127.0.0.1:{broker.port}", "watch", "--plain")
        publish = ["mosquitto_pub", "-p", str(broker.port), "-t", "pimqtt/car1/pump/state", "-m"]

        def seen(word: str) -> bool:
            subprocess.run([*publish, word], check=True)
            return any(line.endswith(f" {word}") for line in running.lines)

        wait_for(lambda: seen("first"), 10)
        broker.stop()
        wait_for(lambda: "trying again" in running.complaints)
        broker.start()
        wait_for(lambda: seen("second"), 10)
        assert running.end() == 0


@pytest.mark.usefixtures("car1")
def test_the_table_counts_down(tmp_path: Path, cli: Cli, at: At) -> None:
    with Terminal(tmp_path, *at, "watch", columns=100) as terminal:
        terminal.wait("car1 online")
        assert cli(*at, "send", "car1/pump", "ON", "--ttl", "3", "--owner", "anna").returncode == 0
        terminal.wait(r"pump +ON +2\.\d s anna > OFF +accepted ON for 3 s by anna")
        terminal.wait(r"pump +ON +1\.\d s anna > OFF")
        cli(*at, "stop", "car1/pump")
        terminal.wait(r"pump +STOPPED")
        cli(*at, "reset", "car1/pump")
        terminal.key("\x03")
        assert terminal.status() == 0
        assert "Traceback" not in terminal.text


def test_what_others_publish_ends_nothing(tmp_path: Path) -> None:
    """Anybody may write below the base topic; both views go on."""
    nonsense = [
        ("info", '{"devices": 5}'), ("info", '{"devices": [1, {"id": 7}, {"id": "d", "entities": [3]}]}'),
        ("pump/lease", '{"owner": "a", "remaining_s": "soon", "end": []}'), ("pump/lease", "[1]"),
        ("pump/result", '{"outcome": "accepted", "ttl": "long", "state": {"x": "a", "y": null}}'),
        ("car/state", '{"x": "a", "y": []}'), ("car/event", "[]"), ("pump/result", "{}"), ("availability", "[]"),
        ("eye/taken/state", "2026-99-99T99:99:99"),
    ]  # fmt: skip
    with Mosquitto(tmp_path) as broker:
        at = ("--broker", f"127.0.0.1:{broker.port}")
        publish = ["mosquitto_pub", "-p", str(broker.port)]
        running = Watching(tmp_path, *at, "watch", "--plain")
        with Terminal(tmp_path, *at, "watch", columns=100) as terminal:
            terminal.wait("No node has said anything")
            for topic, payload in nonsense:
                subprocess.run([*publish, "-r", "-t", f"pimqtt/odd/{topic}", "-m", payload], check=True)
            subprocess.run([*publish, "-r", "-t", "pimqtt/good/pump/state", "-m", "ON"], check=True)
            terminal.wait(r"pump +ON")
            wait_for(lambda: any("good/pump" in line for line in running.lines), what=running.complaints)
            terminal.key("\x03")
            assert terminal.status() == 0
        assert running.end() == 0
        assert running.complaints == ""


@pytest.mark.usefixtures("car1")
def test_the_table_has_no_rows_of_what_the_node_has_not(tmp_path: Path, cli: Cli, at: At) -> None:
    with Terminal(tmp_path, *at, "watch", columns=100) as terminal:
        terminal.wait("car1 online")
        assert cli(*at, "send", "car1/pomp", "ON").returncode == 1
        assert cli(*at, "send", "car1/pump", "maybe").returncode == 1
        terminal.wait("rejected invalid")
        assert "pomp" not in terminal.text
