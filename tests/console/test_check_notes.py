"""`check`: what is no mistake is told on stdout, and files that a configuration names are looked at."""

from __future__ import annotations

import json
from pathlib import Path

from tests.console.conftest import Cli

TEXT = (
    "node: car1\nhardware: {backend: simulated}\ndevices:\n"
    "  - {id: pump, kind: switch, pin: 17, ttl: {required: true}}\n"
)


def test_notes_are_no_mistakes(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(TEXT)
    done = cli("check")
    assert (done.returncode, done.stderr) == (0, "")
    valid, note = done.stdout.splitlines()
    assert valid.startswith("config.yaml is valid: ")
    assert note.startswith("note: config.yaml:4: devices[0].ttl.required: Home Assistant's own entity sends no ttl")
    found = json.loads(cli("check", "--json").stdout)
    assert (found["valid"], found["mistakes"], found["notes"]) == (True, [], [note.removeprefix("note: ")])


def test_files_that_are_not_there_are_mistakes(cli: Cli, tmp_path: Path) -> None:
    text = TEXT.replace("simulated}", "simulated, trace: a/b}") + "mqtt: {tls: {ca: ca.crt}}\nstate_dir: config.yaml\n"
    (tmp_path / "config.yaml").write_text(text)
    done = cli("check")
    assert (done.returncode, done.stdout) == (1, "")
    places = [line.split(": ")[:2] for line in done.stderr.splitlines()]
    assert places == [
        ["config.yaml:2", "hardware.trace"], ["config.yaml:5", "mqtt.tls.ca"], ["config.yaml:6", "state_dir"],
    ]  # fmt: skip


def test_a_node_does_not_start_without_the_folder_of_its_trace(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(TEXT.replace("simulated}", "simulated, trace: a/b}"))
    done = cli("run", XDG_RUNTIME_DIR=str(tmp_path), XDG_STATE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    folder = tmp_path / "a"
    assert done.stderr == (
        f"config.yaml:2: hardware.trace: 'a/b' can't be written: there is no folder {folder}; make it first\n"
    )
