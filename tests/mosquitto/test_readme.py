"""Every command and configuration of `mosquitto/README.md` is carried out, in a folder of the test's own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pimqtt_agent.config import load
from tests.mosquitto.hardened import SHIPPED, credentials, run_setup

README = (SHIPPED / "README.md").read_text()
FOLDER = "/etc/mosquitto/pimqtt"


def block(language: str, word: str) -> str:
    """Return the code block that has a word."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if word in text]
    return str(found)


def set_up(folder: Path, command: str) -> str:
    """Run a command of the document on another folder; return what it says."""
    words = shlex.split(command)
    assert words[:3] == ["sudo", "mosquitto/setup", FOLDER], command
    done = run_setup(folder, *words[3:])
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def test_the_five_minutes_make_a_broker_with_those_logins(tmp_path: Path) -> None:
    text = block("sh", "systemctl restart").replace("\\\n", "")
    (command,) = re.findall(r"^sudo mosquitto/setup .*$", text, re.MULTILINE)
    set_up(tmp_path / "b", command)
    assert set(credentials(tmp_path / "b")) == {"car1", "ha", "anna"}
    assert (tmp_path / "b/mosquitto.conf").exists()


def test_what_is_done_by_task_works(tmp_path: Path) -> None:
    run_setup(tmp_path / "b", "--node", "car1")
    commands = re.findall(rf"`(sudo mosquitto/setup {FOLDER}[^`]*)`", README)
    said = {command: set_up(tmp_path / "b", command) for command in commands}
    assert any("made a login for car2" in words for words in said.values())
    assert any("removed the login car1" in words and "made a login for car1" in words for words in said.values())


def test_the_agents_configuration_is_valid(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"{block('yaml', 'node: car1')}hardware: {{backend: simulated}}\n")
    (tmp_path / "secrets.yaml").write_text("broker: some-password\n")
    settings = load(tmp_path / "config.yaml")
    assert settings.mqtt.user == settings.node.id
    assert settings.mqtt.port_number == 8883


def test_every_option_that_is_named_is_one_of_the_script() -> None:
    known = run_setup(Path("unused"), "--help").stdout
    beside = {"--cafile", "--remove-retained"}  # of Mosquitto's clients
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) - beside:
        assert option in known or option == "--help", option
