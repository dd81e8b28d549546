"""The component passes the checks, and a broken copy of it fails each of them."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hassfest import CHECKS, ICON, KEY, load
from homeassistant import components
from homeassistant.core import HomeAssistant
from quality_scale import BESIDE, quality_scale
from rig import COMPONENT, ROOT


@pytest.mark.parametrize("check", CHECKS)
def test_the_component_passes(check: str) -> None:
    assert list(CHECKS[check](COMPONENT)) == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(COMPONENT, tmp_path / "pimqtt"))


def change(path: Path, how: Callable[[Any], Any]) -> None:
    raw = load(path)
    how(raw)
    path.write_text(json.dumps(raw))  # JSON is YAML


def put(*keys: str, value: Any) -> Callable[[Any], None]:
    def how(raw: Any) -> None:
        for key in keys[:-1]:
            raw = raw[key]
        raw[keys[-1]] = value

    return how


def take(*keys: str) -> Callable[[Any], None]:
    def how(raw: Any) -> None:
        for key in keys[:-1]:
            raw = raw[key]
        del raw[keys[-1]]

    return how


EN, DE = "translations/en.json", "translations/de.json"
RULES = "quality_scale.yaml"


@pytest.mark.parametrize(
    ("check", "file", "how", "mistake"),
    [
        ("manifest", "manifest.json", put("domain", value="other"), "not the folder's name"),
        ("manifest", "manifest.json", put("colour", value="red"), "no key of a manifest"),
        ("manifest", "manifest.json", put("iot_class", value="fast"), "is none of"),
        ("manifest", "manifest.json", put("config_flow", value="yes"), "is no bool"),
        ("manifest", "manifest.json", put("mqtt", value=[1]), "more than texts"),
        ("manifest", "manifest.json", put("documentation", value="http://example.com"), "no https address"),
        ("manifest", "manifest.json", put("version", value="one"), "version: 'one' is none"),
        ("manifest", "manifest.json", put("dependencies", value=[]), "imports mqtt, which the manifest does not name"),
        ("manifest", "manifest.json", take("codeowners"), "codeowners: missing"),
        ("manifest", "manifest.json", lambda raw: raw.update({"name": raw.pop("name")}), "not in the order"),
        ("translations", EN, put("title", value=" pimqtt"), "spaces at an end"),
        ("translations", EN, put("title", value="<b>pimqtt</b>"), "HTML"),
        ("translations", EN, put("title", value="see https://example.com"), "an address"),
        ("translations", EN, put("title", value="[%key:common::title%]"), "a reference"),
        ("translations", EN, put("exceptions", "no_session", "message", value="'{x}'"), "a placeholder in quotes"),
        ("translations", EN, put("exceptions", "no_session", "message", value="{x y}"), "placeholder 'x y'"),
        ("translations", EN, put("title", value=5), "5 is no text"),
        ("translations", EN, put("colours", value={"a": "b"}), "colours: no part of a translation"),
        ("translations", EN, put("config", "colour", value="red"), "config.colour: no part of a flow"),
        ("translations", EN, put("config", "step", "user", "colour", value="red"), "no part of a step"),
        ("translations", EN, take("config", "step", "user", "data_description"), "data and data_description differ"),
        ("translations", EN, put("exceptions", "no__session", value={"message": "x"}), "key 'no__session'"),
        ("translations", EN, put("exceptions", "other", value={"text": "x"}), "needs a message"),
        ("translations", EN, put("issues", "other", value={"title": "x"}), "a description or else a fix_flow"),
        ("translations", EN, take("services", "call", "description"), "needs name and description"),
        ("translations", EN, take("services", "call", "fields", "node", "name"), "needs name and description"),
        ("translations", DE, take("exceptions", "no_session"), "de: exceptions.no_session.message: missing"),
        ("translations", DE, put("exceptions", "extra", value={"message": "x"}), "not in en"),
        ("translations", DE, put("exceptions", "no_such_node", "message", value="Nichts."), "other placeholders"),
        ("services", "services.yaml", put("dance", value=None), "dance: not in the translations"),
        ("services", "services.yaml", take("call"), "call: not in services.yaml"),
        ("services", "services.yaml", put("call", "colour", value="red"), "no part of an action"),
        ("services", "services.yaml", put("call", "fields", "when", value={"selector": {"time": None}}), "differ"),
        ("services", "services.yaml", take("call", "fields", "node", "selector"), "no selector"),
        ("services", "services.yaml", put("call", "fields", "node", "selector", value={"colour": None}), "call.node:"),
        ("services", "services.yaml", put("call", "fields", "node", "required", value="yes"), "no true or false"),
        ("services", "services.yaml", put("call", "fields", "node", "colour", value=1), "no part of a field"),
        ("services", "services.yaml", put("stop", "target", value={"colour": 1}), "stop.target:"),
        ("icons", "icons.json", take("services", "call"), "services.call: needs an object"),
        ("icons", "icons.json", put("services", "call", "service", value="phone"), "is no icon"),
        ("icons", "icons.json", put("services", "dance", value={"service": "mdi:dance"}), "no such action"),
        ("icons", "icons.json", put("colours", value={}), "no part of icons"),
        ("quality_scale", RULES, take("rules", "brands"), "brands: None is neither done nor exempt"),
        ("quality_scale", RULES, put("rules", "brands", value="todo"), "neither done nor exempt"),
        ("quality_scale", RULES, put("rules", "devices", value={"status": "exempt"}), "exempt without a comment"),
        ("quality_scale", RULES, put("rules", "beauty", value="done"), "beauty: no such rule"),
        ("quality_scale", RULES, put("rules", "devices", value="done"), "devices: done, but no test shows it"),
        (
            "quality_scale",
            RULES,
            put("rules", "discovery", value={"status": "exempt", "comment": "x"}),
            "discovery: exempt, but nothing looks",
        ),
        ("quality_scale", RULES, put("more", value={}), "rules and nothing else"),
        ("quality_scale", "manifest.json", put("codeowners", value=[]), "integration-owner: done, but"),
        ("quality_scale", "manifest.json", take("single_config_entry"), "unique-config-entry: done, but"),
    ],
)
def test_a_broken_file_fails(copy: Path, check: str, file: str, how: Callable[[Any], None], mistake: str) -> None:
    change(copy / file, how)
    found = list(CHECKS[check](copy))
    assert any(mistake in one for one in found), found


def test_a_language_without_english_fails(copy: Path) -> None:
    (copy / EN).unlink()
    assert list(CHECKS["translations"](copy)) == ["en.json: missing"]


def test_a_proof_that_is_gone_fails(copy: Path) -> None:
    (copy / "brand" / "icon.png").unlink()
    (copy / "py.typed").unlink()
    found = [one.split(":")[0] for one in CHECKS["quality_scale"](copy)]
    assert found == ["brands", "strict-typing"]


@pytest.mark.parametrize(
    ("rule", "file", "before", "after"),
    [
        ("action-exceptions", "targets.py", "raise UnknownUser(", "raise KeyError("),
        ("exception-translations", "insisting.py", "translation_key=", "key="),
        ("log-when-unavailable", "fleet.py", "_LOGGER.warning", "_LOGGER.debug"),
        ("inject-websession", "search.py", "import time", "import aiohttp"),
        ("parallel-updates", "__init__.py", "sessions.close_all(", "async_forward_entry_setups("),
        ("async-dependency", "manifest.json", '"requirements": []', '"requirements": ["paho-mqtt"]'),
        ("appropriate-polling", "manifest.json", "local_push", "local_polling"),
        ("appropriate-polling", "fleet.py", "import time", "SCAN_INTERVAL = 30"),
        ("devices", "fleet.py", "import time", "from homeassistant.helpers.device_registry import DeviceInfo"),
        ("discovery-update-info", "config_flow.py", "data={CONF_BASE:", 'data={"host": 1, CONF_BASE:'),
        ("discovery-update-info", "config_flow.py", "about = discovery_info.properties", "discovery_info.host"),
        ("reauthentication-flow", "config_flow.py", "vol.Required(CONF_BASE", "vol.Required(CONF_PASSWORD"),
    ],
)
def test_a_rule_that_the_code_breaks_fails(copy: Path, rule: str, file: str, before: str, after: str) -> None:
    text = (copy / file).read_text()
    assert before in text
    (copy / file).write_text(text.replace(before, after))
    assert rule in [one.split(":")[0] for one in CHECKS["quality_scale"](copy)]


@pytest.mark.parametrize(
    ("rule", "file", "before", "after"),
    [
        ("test-coverage", "scripts/test", "--cov-fail-under=95", "--cov-fail-under=90"),
        ("test-coverage", "scripts/test", "--cov-fail-under=95", ""),
        ("strict-typing", "scripts/test", "-m mypy --config-file tests/component/mypy.ini", ""),
        ("strict-typing", "tests/component/mypy.ini", "strict = true", "strict = false"),
        ("config-flow-test-coverage", "tests/component/test_config_flow.py", "", None),
        ("config-flow-test-coverage", "scripts/test", "--include='*/config_flow.py' --fail-under=100", ""),
    ],
)
def test_a_rule_that_the_tests_no_longer_hold_fails(
    tmp_path: Path, rule: str, file: str, before: str, after: str | None
) -> None:
    for one in BESIDE:
        (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / one, tmp_path / one)
    assert list(quality_scale(COMPONENT, tmp_path)) == []
    if after is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text((tmp_path / file).read_text().replace(before, after))
    assert [one.split(":")[0] for one in quality_scale(COMPONENT, tmp_path)] == [rule]


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        ("docs-conditions", "condition.py"), ("docs-conditions", "device_condition.py"),
        ("docs-triggers", "trigger.py"), ("docs-triggers", "device_trigger.py"),
    ],
)  # fmt: skip
def test_a_platform_that_an_exemption_denies_fails(copy: Path, rule: str, file: str) -> None:
    (copy / file).write_text("")
    assert [one.split(":")[0] for one in CHECKS["quality_scale"](copy)] == [rule]


async def test_every_action_that_is_registered_is_described(hass: HomeAssistant, entry: Any) -> None:
    assert set(hass.services.async_services()["pimqtt"]) == set(load(COMPONENT / "services.yaml"))


def keys_in_code() -> tuple[set[str], set[str]]:
    """Return the keys of exceptions and of issues that the code uses."""
    errors: set[str] = set()
    issues: set[str] = {"node_gone", "protocol_old", "protocol_new", "bundle_missing"}
    for path in COMPONENT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if node.func.id == "RefusedError":
                errors |= set(texts)
            elif node.func.id == "Issue":
                issues |= set(texts)
        errors |= set(re.findall(r'translation_key="(\w+)"', path.read_text()))
    return errors, issues


def test_every_sentence_that_the_code_says_is_translated_and_no_other() -> None:
    errors, issues = keys_in_code()
    english = load(COMPONENT / EN)
    assert errors == set(english["exceptions"])
    assert issues == set(english["issues"])


def test_the_checks_are_not_stricter_than_home_assistant_itself() -> None:
    root = Path(next(iter(components.__path__)))
    with_icons, translated = sorted(root.glob("*/icons.json")), sorted(root.glob("m*/translations/en.json"))
    assert min(len(with_icons), len(translated)) > 20
    for path in with_icons:
        for name, icon in load(path).get("services", {}).items():
            assert isinstance(icon, dict), (path, name)
            assert ICON.fullmatch(icon["service"]), (path, name)
    for path in translated:
        for part in ("config", "options", "exceptions", "services"):
            assert all(KEY.fullmatch(key) for key in load(path).get(part, {})), path
