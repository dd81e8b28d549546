"""Every example of the documentation is executed: what it says happens, happens."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pimqtt_agent.config import load
from pimqtt_agent.devices import KINDS
from pimqtt_agent.devices.base import Device
from pimqtt_agent.devices.options import OutputDevice
from pimqtt_agent.settings import MqttOptions, Settings
from tests.fakes import FakeBoard, FakeReport
from tests.pure.world import CODES
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
    assert {"token", "list_pins"} <= set(actions.json()["result"])
    pins = await watch.wait("pimqtt/car1/call/result", lambda s: b"list_pins" in s.payload and b'"pins"' in s.payload)
    (shown,) = json.loads(blocks("docs/mqtt.md", "json")[0])["pins"]
    assert shown in pins.json()["result"]["pins"]
    assert {pin["line"] for pin in pins.json()["result"]["pins"]} == {17, 5, 6, 13, 19}
    batch = await watch.wait("pimqtt/car1/call/result", lambda s: isinstance(s.json(), list))
    assert [a["outcome"] for a in batch.json()] == ["accepted", "accepted"]


@pytest.mark.parametrize("name", ["README.md", "docs/configuration.md", "docs/hardware.md"])
def test_every_configuration_of_the_documentation_is_valid(name: str, tmp_path: Path) -> None:
    texts = blocks(name, "yaml")
    assert texts
    (tmp_path / "secrets.yaml").write_text("mqtt_password: of the test\n")
    (tmp_path / "pumps.yaml").write_text("- {id: pump, kind: switch, pin: 17}\n- {id: spare, kind: switch, pin: 18}\n")
    for text in texts:
        (tmp_path / "config.yaml").write_text(text)
        settings = load(tmp_path / "config.yaml")
        assert ("spare" in {device.id for device in settings.devices}) == ("!include" in text)
        for profile in re.findall(r"^  (\w+):\n", text.partition("\nprofiles:\n")[2], re.MULTILINE):
            assert load(tmp_path / "config.yaml", profile=profile).hardware.backend == "simulated"


def test_every_section_and_every_option_of_outputs_is_documented() -> None:
    document = (ROOT / "docs/configuration.md").read_text()
    tables = "\n".join(re.findall(r"^\| (`.*?) \|", document, re.MULTILINE))
    named = {word for code in re.findall(r"`([^`]*)`", tables) for word in re.findall(r"\w+", code)}
    sections = Settings.model_fields.keys() - {"file"}
    options = OutputDevice.model_fields.keys() - Device.model_fields.keys()
    assert sections | options <= named
    mqtt = document.split("| `mqtt` |")[1].splitlines()[0]
    assert MqttOptions.model_fields.keys() <= set(re.findall(r"\w+", mqtt))


def test_home_assistants_entities_are_those_of_the_kinds() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs/home-assistant.md").read_text(), re.MULTILINE))
    assert rows.keys() == KINDS.keys()
    for word, row in rows.items():
        device = KINDS[word].model_validate(yaml.safe_load(KINDS[word].example))
        for entity in device.entities():
            assert entity.platform.replace("_", " ") in row, f"{word}: {entity.platform}"
            if entity.name:
                assert entity.name.lower() in row.lower(), f"{word}: {entity.name}"


def test_every_module_that_is_named_exists() -> None:
    """In the prose, and in the drawn ways: those are to be followed in the code."""
    text = (ROOT / "docs/architecture.md").read_text()
    for name in set(re.findall(r"(?<![\w/<>])((?:\w+/)?\w+\.py)\b", text)):
        assert (ROOT / name).exists() or list((ROOT / "pimqtt_agent").rglob(name)), name


def test_the_documentation_names_only_what_exists() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_codes_of_the_documentation_are_those_of_the_product() -> None:
    table = (ROOT / "docs/mqtt.md").read_text().split("## Codes of a rejection")[1].split("\n## ")[0]
    first = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", first)) == CODES
    sources = "".join(path.read_text() for path in (ROOT / "pimqtt_agent").rglob("*.py"))
    assert [code for code in sorted(CODES) if f'"{code}"' not in sources] == []


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
