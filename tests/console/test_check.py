"""`check`, `schema`, and `run` and `safe` behind shared options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.console.conftest import Cli

GOOD = "node: car1\nhardware: {backend: simulated}\ndevices:\n  - {id: pump, kind: switch, pin: 17}\n"
WRONG = (
    "node: car1\nhardware: {backend: simulated}\ndevices:\n"
    "  - {id: pump, kind: switch, pin: 17, active_lou: true, ttl: {default: 5, a_long_key_that_is_unknown: 1}}\n"
    "  - {id: lamp, kind: lite, pin: 17}\n"
)


def test_a_valid_file_gives_0_and_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    done = cli("check", "-c", "good.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "good.yaml is valid: node car1, 1 device, backend simulated\n"
    (tmp_path / "config.yaml").write_text(GOOD)
    assert cli("check").stdout.startswith("config.yaml is valid")
    assert json.loads(cli("check", "--json").stdout)["valid"] is True


def test_mistakes_give_1_and_a_line_each_not_wrapped(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    done = cli("check", "-c", "wrong.yaml", COLUMNS="40")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("wrong.yaml:") for line in lines)
    assert any("active_lou" in line and "active_low" in line for line in lines)
    as_json = cli("check", "-c", "wrong.yaml", "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["mistakes"] == lines


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"node: [car1\n"])
def test_an_unreadable_file_gives_2(cli: Cli, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "no.yaml").write_bytes(content)
    done = cli("check", "-c", "no.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("no.yaml:")
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_beside_a_command_is_told_as_such(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(WRONG)
    done = cli("send", "car1/pump", "ON")
    assert done.returncode == 1
    assert all(line.startswith("config.yaml:") for line in done.stderr.splitlines())


def test_schema_is_json(cli: Cli) -> None:
    content = json.loads(cli("schema").stdout)
    assert "devices" in content["properties"]


def test_run_and_safe_are_reached_behind_shared_options(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    for words in (("run", "-c", "wrong.yaml"), ("--plain", "run", "-c", "wrong.yaml"), ("-c", "wrong.yaml", "run")):
        done = cli(*words, XDG_RUNTIME_DIR=str(tmp_path))
        assert (done.returncode, "active_lou" in done.stderr) == (1, True), words
    safe = cli("--plain", "safe", "-c", "missing.yaml")
    assert safe.returncode == 2
    assert "missing.yaml" in safe.stderr
    assert "--config" in cli("run", "--help").stdout
