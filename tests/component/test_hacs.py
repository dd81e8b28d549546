"""`hacs.json`, as HACS reads it, and the oldest Home Assistant: named alike wherever it stands, and tested."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import Any

import pytest
from awesomeversion import AwesomeVersion
from homeassistant.const import __version__ as running
from rig import COMPONENT, ROOT

PATH = ROOT / "homeassistant_component/hacs.json"
HACS: dict[str, Any] = json.loads(PATH.read_text())
#: What HACS takes; `name` is required, anything else is refused.
KEYS: dict[str, type | tuple[type, ...]] = {
    "content_in_root": bool, "country": (str, list), "filename": str, "hacs": str, "hide_default_branch": bool,
    "homeassistant": str, "name": str, "persistent_directory": str, "render_readme": bool, "zip_release": bool,
}  # fmt: skip
OLDEST = HACS["homeassistant"].rpartition(".")[0]


def mistakes(raw: dict[str, Any]) -> list[str]:
    """Say what HACS would not take, or could not use."""
    wrong = [f"{key}: unknown" for key in raw if key not in KEYS]
    wrong += [f"{key}: {raw[key]!r}" for key in raw.keys() & KEYS.keys() if not isinstance(raw[key], KEYS[key])]
    wrong += ["name: missing"] if not raw.get("name") else []
    if not re.fullmatch(r"20\d\d\.([1-9]|1[0-2])\.\d+", str(raw.get("homeassistant"))):
        wrong.append("homeassistant: no version of a release")
    if raw.get("zip_release") and not raw.get("filename"):
        wrong.append("filename: missing beside zip_release")
    if raw.get("content_in_root"):
        wrong.append("content_in_root: the component is not there")
    return wrong


def test_hacs_takes_it() -> None:
    assert mistakes(HACS) == []
    assert HACS["name"] == json.loads((COMPONENT / "manifest.json").read_text())["name"]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"domains": ["sensor"]}, "domains: unknown"),
        ({"render_readme": "yes"}, "render_readme: 'yes'"),
        ({"name": ""}, "name: missing"),
        ({"homeassistant": "2025.13.0"}, "homeassistant: no version of a release"),
        ({"homeassistant": None}, "homeassistant: no version of a release"),
        ({"zip_release": True}, "filename: missing beside zip_release"),
        ({"content_in_root": True}, "content_in_root: the component is not there"),
    ],
)
def test_a_mistake_in_it_would_be_found(change: dict[str, Any], mistake: str) -> None:
    assert mistake in mistakes({**HACS, **change})


def test_its_oldest_home_assistant_is_the_oldest_that_is_tested() -> None:
    cells = dict(re.findall(r"^  (newest|oldest)\).*?custom-component==([\d.]+)", _script(), re.MULTILINE))
    assert set(cells) == {"newest", "oldest"}
    here = version("pytest-homeassistant-custom-component")
    assert here in cells.values(), "scripts/component-env prepares another one: run it"
    if here == cells["oldest"]:
        assert running.startswith(f"{OLDEST}.")
    else:
        assert AwesomeVersion(running) > AwesomeVersion(HACS["homeassistant"])


def test_it_is_named_alike_wherever_it_stands() -> None:
    for document in (ROOT / "homeassistant_component/README.md", ROOT / "docs/home-assistant.md"):
        named = set(re.findall(r"Home Assistant (20\d\d\.\d+) or newer", document.read_text()))
        assert named == {OLDEST}, document.name
    browser = (ROOT / "tests/browser/test_older.py").read_text()
    assert re.findall(r'^OLDEST = "(.*)\.\d+"', browser, re.MULTILINE) == [OLDEST]


def test_the_versions_that_are_said_to_be_tested_are() -> None:
    said = re.search(
        r"whole of\sit on ([\d.]+);\son ([\d.]+) and ([\d.]+) a browser .*?own\stests on ([\d.]+) and ([\d.]+)\.\n",
        (ROOT / "docs/home-assistant.md").read_text(), re.DOTALL,
    )  # fmt: skip
    assert said is not None
    whole, *older = said.groups()
    assert f"# {whole}.0 where none is given" in (ROOT / "scripts/ha-env").read_text()
    browser = (ROOT / "tests/browser/test_older.py").read_text()
    tried = re.search(r'"version", \[OLDEST, "(.*)\.\d+"\]', browser)
    assert tried is not None
    assert older[:2] == [tried[1], OLDEST]
    assert older[3] == OLDEST
    assert running.rpartition(".")[0] in older[2:]


def _script() -> str:
    return (ROOT / "scripts/component-env").read_text()
