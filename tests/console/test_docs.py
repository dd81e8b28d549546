"""What README and docs/command-line.md say about the command is carried out as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import yaml

from pimqtt_agent.cli import app
from tests.console.conftest import environment
from tests.rig import ROOT, Mosquitto, Node, config, wait_for

pytestmark = pytest.mark.broker
Shell = Callable[[str], str]


def blocks(name: str, language: str) -> list[str]:
    """Return the code blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as `scripts/env` leaves it, out of what is installed here already."""
    folder = tmp_path_factory.mktemp("env") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "here.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    program = folder / "bin/pimqtt"
    program.write_text(f"#!{folder}/bin/python\nfrom pimqtt_agent.__main__ import main\nraise SystemExit(main())\n")
    program.chmod(0o755)
    (folder / ".pimqtt-demo").touch()
    return folder


@pytest.fixture
def shell(venv: Path, broker: Mosquitto, tmp_path: Path) -> Shell:
    """Paste lines into a shell in a folder with `scripts`; the broker's port is the test's."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "scripts").symlink_to(ROOT / "scripts")
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config/mosquitto_pub").write_text(f"-h 127.0.0.1\n-p {broker.port}\n")
    here = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config"), "PIMQTT_VENV": str(venv)}
    path = f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
    folders = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path / "state")}
    env = environment(**here, **folders, PATH=path)

    def run(lines: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", lines], cwd=folder, env=env, capture_output=True, text=True, timeout=50, check=False
        )
        assert done.returncode == 0, f"{lines}: {done.stdout}{done.stderr}"
        return done.stdout

    (folder / "config.yaml").write_text(config(broker.port))
    return run


def test_the_first_device_of_the_readme_works_as_pasted(shell: Shell, broker: Mosquitto, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    (text,) = blocks("README.md", "yaml")
    assert "port: 1883" in text
    (folder / "car1.yaml").write_text(text.replace("1883", str(broker.port)))
    check, run = next(block for block in blocks("README.md", "sh") if "run -c" in block).splitlines()
    (switch,) = [block for block in blocks("README.md", "sh") if "mosquitto_pub" in block]
    assert "car1.yaml is valid" in shell(check)
    try:
        shell(f"{run} >run.log 2>&1 & echo $! >pid")
        wait_for(lambda: "pump" in shell("scripts/pimqtt watch --seconds 1"), 10)
        shown = shell(switch)
        assert re.search(r"car1/pump +state +ON", shown)
        assert re.search(r"reverted expired: now OFF", shown)
    finally:
        shell("kill $(cat pid)")


def test_every_example_of_the_command_line_works(shell: Shell, broker: Mosquitto, tmp_path: Path) -> None:
    devices = (
        "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}",
        "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}",
    )
    examples = blocks("docs/command-line.md", "sh")
    with Node(tmp_path / "node", config(broker.port, *devices)) as node:
        (tmp_path / "clone/car1.yaml").write_text(node.config.read_text())
        wait_for(lambda: "car1/pump" in shell("pimqtt watch --seconds 1"), 10)
        said = [shell(example) for example in examples]
        assert max(node.levels(5)) == 0.5
        assert max(node.levels(17)) == 1
    text = "\n".join(said)
    for words in ("accepted ON for 2 s by me", "car1: stopped", "car1: reset", '"what": "state"', "list_actions",
                  '"max_age_s": 0.5', "car1.yaml is valid", "car1 is online"):  # fmt: skip
        assert words in text, words
    assert "properties" in (tmp_path / "clone/pimqtt.schema.json").read_text()


def test_the_launcher_keeps_folder_and_words(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "clone/a file.yaml").write_text("node: car1\nhardware: {backend: simulated}\n")
    assert "a file.yaml is valid: node car1" in shell("scripts/pimqtt check -c 'a file.yaml'")
    assert shell("scripts/pimqtt nonsense 2>/dev/null || echo $?") == "2\n"
    assert "Try it all" in shell("scripts/demo --help")


def test_the_checks_before_a_commit_are_our_own() -> None:
    """Hooks of others would have versions of their own, and drift away from what CI asks for."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repository["repo"] for repository in repositories} == {"local"}
    for hook in (hook for repository in repositories for hook in repository["hooks"]):
        assert os.access(ROOT / hook["entry"], os.X_OK)


def names(commands: typer.Typer) -> set[str]:
    """Return what its commands are called."""
    found = commands.registered_commands
    return {str(command.name or getattr(command.callback, "__name__", "")) for command in found}


def test_every_command_and_script_that_is_named_exists() -> None:
    known = names(app)
    for group in app.registered_groups:
        assert group.typer_instance
        known |= names(group.typer_instance)
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]
    for document in documents:
        text = document.read_text()
        for word in re.findall(r"`(?:[\w/~.-]*/)?pimqtt (?:--\w+ )*([a-z]+)", text):
            assert word in known, f"{document.name}: pimqtt {word}"
        for script in re.findall(r"\bscripts/([\w-]+)", text):
            assert os.access(ROOT / "scripts" / script, os.X_OK), f"{document.name}: scripts/{script}"
    table = (ROOT / "README.md").read_text().split("| command line |")[1].splitlines()[0]
    assert set(re.findall(r"`(\w+)`", table)) == known
