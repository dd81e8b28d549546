"""Every example of the documentation is executed: what it says happens, happens."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pimqtt_agent.config import load
from pimqtt_agent.devices import KINDS
from tests.fakes import FakeBoard, FakeReport
from tests.rig import ROOT, Mosquitto, Node, Observer

SMALLEST = (
    "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}",
    "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}",
)


def blocks(name: str, language: str) -> list[str]:
    """Return the code blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)


def run(block: str, broker: Mosquitto, home: Path) -> None:
    """Run a block as a user would; the clients find the broker by their own defaults."""
    for client in ("mosquitto_pub", "mosquitto_sub"):
        (home / ".config").mkdir(exist_ok=True)
        (home / ".config" / client).write_text(f"-h 127.0.0.1\n-p {broker.port}\n")
    script = re.sub(r"^mosquitto_sub .* &$", ":", block, flags=re.MULTILINE)  # the observer of the test listens
    env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    done = subprocess.run(["bash", "-ec", script], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.broker
async def test_the_examples_by_hand_do_what_they_say(
    node: Callable[..., Node], broker: Mosquitto, watch: Observer, tmp_path: Path
) -> None:
    running = node(*SMALLEST)
    await watch.wait("homeassistant/device/car1/car/config", timeout_s=10)
    switch, answer, drive, stop, ask = blocks("docs/mqtt.md", "sh")
    run(switch, broker, tmp_path)
    await watch.result("pump", outcome="reverted", cause="stopped")
    run(answer, broker, tmp_path)
    await watch.result("pump", "my-1", outcome="accepted", owner="me")
    run(drive, broker, tmp_path)
    running.wait_level(5, 0)
    assert max(running.levels(5)) == 1
    assert running.levels(6) == [0]
    run(stop, broker, tmp_path)
    await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "ON")
    run(ask, broker, tmp_path)
    actions = await watch.wait("pimqtt/car1/call/result", lambda s: isinstance(s.json(), dict))
    assert "token" in actions.json()["result"]
    batch = await watch.wait("pimqtt/car1/call/result", lambda s: isinstance(s.json(), list))
    assert [a["outcome"] for a in batch.json()] == ["accepted", "accepted"]


@pytest.mark.parametrize("name", ["README.md", "docs/configuration.md", "docs/hardware.md"])
def test_every_configuration_of_the_documentation_is_valid(name: str, tmp_path: Path) -> None:
    texts = blocks(name, "yaml")
    assert texts
    for text in texts:
        (tmp_path / "config.yaml").write_text(text)
        load(tmp_path / "config.yaml")


def test_the_documentation_names_only_what_exists() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_codes_of_the_documentation_are_those_of_the_product() -> None:
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs/mqtt.md").read_text().split("## Codes")[1]))
    sources = "".join(path.read_text() for path in (ROOT / "pimqtt_agent").rglob("*.py"))
    for code in documented - {"holder", "retry_after_s"}:
        assert f'"{code}"' in sources, code


def test_the_kind_of_the_contribution_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = blocks("CONTRIBUTING.md", "python")
    (tmp_path / "buzzer.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(KINDS)
    try:
        importlib.import_module("buzzer")
        (word,) = set(KINDS) - before
        device = KINDS[word].model_validate(yaml.safe_load(KINDS[word].example))
        board = FakeBoard()
        driver = device.open(board, {"": False}, FakeReport())
        driver.drive("", True, 0.0)
        assert driver.state("") is True
        driver.close()
    finally:
        for word in set(KINDS) - before:
            del KINDS[word]
