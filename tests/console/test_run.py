"""`run` and `safe` start without the command line's library, and read and tell the same as with it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pimqtt_agent.run_options import RunOptions, read
from tests.console.conftest import Cli, environment
from tests.rig import Node, Observer, wait_for


@pytest.mark.parametrize(("line", "options"), [
    ("", RunOptions()),
    ("-c f.yaml", RunOptions("f.yaml")),
    ("--config f.yaml --profile dev -v", RunOptions("f.yaml", "dev", verbose=True)),
    ("--config=f.yaml --profile=dev --verbose", RunOptions("f.yaml", "dev", verbose=True)),
    ("-c one.yaml -c two.yaml", RunOptions("two.yaml")),
    ("-c -v", RunOptions("-v")),
])  # fmt: skip
def test_options_are_read(line: str, options: RunOptions) -> None:
    assert read(line.split()) == options


@pytest.mark.parametrize(
    "line", ["-h", "-c", "--conifg f", "extra", "--verbose=1", "-cf.yaml", "--json", "--control 3", "-c f --profile"]
)
def test_what_the_whole_command_line_must_tell_is_left_to_it(line: str) -> None:
    assert read(line.split()) is None


def test_an_agent_is_handed_descriptors() -> None:
    words = ["-c", "f.yaml", "-v", "--control", "5", "--link", "=6", "--link", "eye=7"]
    assert read(words, handed=True) == RunOptions("f.yaml", None, verbose=True, control=5, links=(("", 6), ("eye", 7)))


def test_help_names_every_option_that_is_read(cli: Cli) -> None:
    shown = cli("run", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert set(re.findall(r"--[a-z]+", shown.stdout)) == {"--config", "--profile", "--verbose", "--help"}
    assert "Exit status" in shown.stdout
    assert "--quiet" in cli("safe", "--help").stdout


@pytest.mark.parametrize(("words", "told"), [
    (("run", "--conifg", "f.yaml"), "--config"), (("run", "extra"), "extra"), (("run", "-c"), "-c"),
    (("send", "car1/pump", "ON", "--tll", "5"), "--ttl"), (("snd",), "send"),
])  # fmt: skip
def test_a_wrong_line_gives_2_and_what_may_be_meant(cli: Cli, words: tuple[str, ...], told: str) -> None:
    done = cli(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_run_takes_its_broker_from_the_configuration_alone(cli: Cli) -> None:
    done = cli("--broker", "elsewhere", "run", "-c", "f.yaml")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "from the configuration" in done.stderr


def test_a_node_is_run_behind_shared_options_too(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("node: car1\nhardware: {backend: simulated, trace: trace.jsonl}\ndevices:\n"
                                          "  - {id: pump, kind: switch, pin: 17}\n")  # fmt: skip
    folders = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "pimqtt_agent", "--plain", "run"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(**folders), stderr=subprocess.DEVNULL) as process:
        try:
            wait_for((tmp_path / "trace.jsonl").exists, 10)
        finally:
            process.terminate()
        assert process.wait(6) == 0


@pytest.mark.broker
async def test_nothing_is_a_warning_where_nothing_is_wrong(node: Callable[..., Node], watch: Observer) -> None:
    running = node("{id: pump, kind: switch, pin: 17}", "{id: fan, kind: motor, forward: 23, backward: 24}")
    await watch.wait("pimqtt/car1/fan/state", timeout_s=10)
    seen, agent = len(watch.seen), running.pid("agent")
    assert running.process
    running.process.send_signal(signal.SIGHUP)
    await watch.wait("pimqtt/car1/fan/state", timeout_s=10, since=seen)
    assert running.pid("agent") != agent
    assert running.stop() == 0
    log = running.log.read_text()
    assert log.count("pimqtt/car1/#") == 1
    # without real-time priority the pins may say so, nothing else
    assert [line for line in log.splitlines() if " INFO " not in line and "pins: " not in line] == []
