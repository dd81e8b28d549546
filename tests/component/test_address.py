"""The project's address is to change once, when it is published elsewhere: it stands in few places, which agree."""

from __future__ import annotations

import json
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from rig import COMPONENT, ROOT, Pi

MANIFEST: dict[str, str] = json.loads((COMPONENT / "manifest.json").read_text())
HOME = MANIFEST["documentation"]
FRONTEND = ROOT / "homeassistant_component/frontend"
#: Where it stands: the manifest, which Home Assistant reads, the cards' source, and the bundle that is made of it.
PLACES = {COMPONENT / "manifest.json", FRONTEND / "src/documentation.ts", COMPONENT / "frontend/pimqtt.js"}
FOLDERS = (
    "pimqtt_agent", "homeassistant_component/custom_components", "homeassistant_component/frontend/src", "docs",
    "systemd", "mosquitto", "scripts",
)  # fmt: skip
SUFFIXES = {".py", ".ts", ".js", ".json", ".md", ".yaml", ".yml", ".toml", ".service", ".sh", ""}


def test_the_manifest_names_one_project() -> None:
    assert re.fullmatch(r"https://[^/]+/[^/]+/[^/]+", HOME)
    assert MANIFEST["issue_tracker"] == f"{HOME}/issues"


def test_the_cards_name_the_same() -> None:
    assert re.findall(r'"(https://[^"]*)"', (FRONTEND / "src/documentation.ts").read_text()) == [HOME]
    bundle = (COMPONENT / "frontend/pimqtt.js").read_text()
    assert re.search(rf"[\"'`]{re.escape(HOME)}[\"'`/]", bundle), "the bundle is built from another one"


def test_it_stands_nowhere_else() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files += [*ROOT.iterdir(), *(ROOT / "homeassistant_component").iterdir()]
    texts = [path for path in files if path.is_file() and path.suffix in SUFFIXES and path.stat().st_size < 5_000_000]
    part = HOME.removeprefix("https://")
    assert {path for path in texts if part in path.read_text(errors="replace")} == PLACES


async def test_every_repair_links_below_it(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.announce(clock_synchronised=False)
    issue = ir.async_get(hass).async_get_issue("pimqtt", "clock_unsynchronised_car1")
    assert issue is not None
    assert issue.learn_more_url == f"{HOME}/blob/main/homeassistant_component/README.md#troubleshooting"
    below = (ROOT / "homeassistant_component/README.md").read_text()
    assert "\n## Troubleshooting\n" in below
