"""The dashboard that builds itself, open all the while: nothing there yet, then a Pi that comes, changes and goes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from tests.broker.steps import kill_all
from tests.browser.page import Page
from tests.browser.stage import CARD, COMPONENT, READY, Stage
from tests.browser.wheels import CAR
from tests.ha.api import until
from tests.ha.pi import Pi
from tests.rig import ROOT

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
STEPS, NODE, ATTENTION, LEASE = (f"pimqtt-{name}-card" for name in ("first-steps", "node", "attention", "lease"))
PUMP, FOUNTAIN = "{id: pump, kind: switch, pin: 17}", "{id: pump, kind: switch, pin: 17, name: Fountain}"
LAMP = "{id: lamp, kind: switch, pin: 18}"
#: Without a word of the user's: it follows within this (s).
SOON_S = 30
#: The names of the tabs: an icon's where there is no title.
TABS = """
rig.all("ha-tab-group-tab").filter((tab) => tab.getClientRects().length)
  .map((tab) => rig.text(tab) || tab.querySelector("ha-icon")?.icon || "?")
"""


class Newcomer(Pi):
    """Nobody has heard of anything at its base topic before.

    What it measures is told so seldom that a page which waits for any change gets one only by what is tested.
    """

    base = "elsewhere"

    def write(self, devices: Sequence[str], system: str = "", title: str = "", area: str = "") -> None:
        """Write the configuration."""
        super().write(devices, system, title, area)
        self.change("interval: 5", "interval: 3600")

    def change(self, old: str, new: str) -> None:
        """Change the configuration's text."""
        self.config.write_text(self.config.read_text().replace(old, new))


async def listen_at(scene: Stage, base: str) -> None:
    """Have the component listen to the nodes of a base topic, as its user does by *Reconfigure*."""
    entry = await scene.ha.entry("pimqtt")
    about = {"handler": "pimqtt", "entry_id": entry["entry_id"]}
    step = await scene.ha.rest("POST", "/api/config/config_entries/flow", about)
    done = await scene.ha.rest("POST", f"/api/config/config_entries/flow/{step['flow_id']}", {"base_topic": base})
    assert done["reason"] == "reconfigure_successful", done


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(scene: Stage, tmp_path: Path) -> AsyncIterator[Newcomer]:
    """Make the house an empty one, in which nothing happens; give a Pi that was never started."""
    scene.pi.stop()
    await listen_at(scene, Newcomer.base)
    pi = Newcomer(tmp_path / "late", scene.pi.port, "late", [PUMP])
    try:
        yield pi
        await leave(scene, pi)
    finally:
        await listen_at(scene, scene.pi.base)
        scene.pi.start()
        await until(scene.heard, 30, "the stage's Pi, heard again")


@pytest_asyncio.fixture(loop_scope="session")
async def mute(scene: Stage, newcomer: Newcomer, tmp_path: Path) -> AsyncIterator[Newcomer]:
    """Give a Pi beside it whose discovery Home Assistant does not hear: its coming and going changes no state there."""
    pi = Newcomer(tmp_path / "mute", newcomer.port, "mute", [PUMP])
    pi.change(f"base: {pi.base}", f"base: {pi.base}, discovery_prefix: unheard")
    yield pi
    await leave(scene, pi)


async def leave(scene: Stage, pi: Pi) -> None:
    """End a Pi for good."""
    pi.__exit__(None, None, None)
    await pi.forget(scene.ha)


async def unsays(page: Page, text: str, selector: str = "body") -> None:
    """Wait until an element shows a text no more."""
    inside = f"rig.all({json.dumps(selector)}).some((one) => rig.text(one).includes({json.dumps(text)}))"
    await page.until(f"!{inside}", SOON_S, f"no {text!r} in {selector}")


async def tabs(page: Page, *names: str) -> None:
    """Wait until the dashboard has just these pages."""
    wanted = json.dumps(["mdi:view-dashboard", *names, "mdi:server-network"])
    await page.until(f"JSON.stringify({TABS}.sort()) === JSON.stringify({wanted}.sort())", SOON_S, f"tabs {wanted}")


async def shown(page: Page, card: str, *texts: str) -> None:
    """Wait until one of our cards shows these."""
    for text in texts:
        await page.says(text, card, SOON_S)


async def forgotten(scene: Stage, pi: Pi, last: datetime) -> None:
    """Have the repair of a Pi that is gone for long clear it; that it is gone for long is what is made up."""
    store = scene.ha.config / ".storage/pimqtt.seen"

    async def kept() -> bool:
        told = json.loads(store.read_text())["data"].get(pi.name, {}) if store.exists() else {}
        return told.get("online") is False and datetime.fromisoformat(told["since"]) >= last

    await until(kept, 30, "when the Pi left, on disk")
    content = json.loads(store.read_text())
    content["data"][pi.name]["since"] = "2026-01-01T00:00:00+00:00"
    store.write_text(json.dumps(content))
    entry = await scene.ha.entry("pimqtt")
    await scene.ha.rest("POST", f"/api/config/config_entries/entry/{entry['entry_id']}/reload", {})

    async def told() -> bool:
        issues = (await scene.ha.ask("repairs/list_issues"))["issues"]
        return f"node_gone_{pi.name}" in {issue["issue_id"] for issue in issues}

    await until(told, 30, "the repair of a Pi that is gone")
    about = {"handler": "pimqtt", "issue_id": f"node_gone_{pi.name}"}
    step = await scene.ha.rest("POST", "/api/repairs/issues/fix", about)
    done = await scene.ha.rest("POST", f"/api/repairs/issues/fix/{step['flow_id']}", {})
    assert done["type"] == "create_entry", done


async def gives_first_steps(page: Page, folder: Path) -> None:
    """Check that what they tell is right: words, the address of the documentation, a configuration that is valid."""
    await shown(page, STEPS, "No Pi has been heard yet", "Run these commands on a Raspberry Pi:", "Install pimqtt",
                "pimqtt doctor -c car1.yaml", "It appears here by itself, without a reload.")  # fmt: skip
    links = await page.js(f"rig.all('a', rig.one('{STEPS}').shadowRoot).map((one) => one.href)")
    assert links == [json.loads((COMPONENT / "manifest.json").read_text())["documentation"]]
    codes = await page.js(f"rig.all('pre', rig.one('{STEPS}').shadowRoot).map((one) => one.textContent)")
    file = folder / "car1.yaml"
    file.write_text(codes[1])
    command = (sys.executable, "-m", "pimqtt_agent", "check", "-c", str(file))
    checked = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await checked.wait() == 0


async def shows_who_comes(page: Page, pi: Pi) -> None:
    """Start a Pi: the overview has it, and leads to its page."""
    pi.start()
    await shown(page, NODE, "Late", "Online")
    await shown(page, ATTENTION, "Nothing needs attention")
    await unsays(page, "No Pi has been heard yet")
    await tabs(page, "Late")
    await page.click("a[href='/pimqtt/pi-late']")
    await page.until("location.pathname === '/pimqtt/pi-late'", SOON_S)
    await shown(page, LEASE, "Pump", "At rest: off")


async def shows_what_changes(page: Page, pi: Pi, scene: Stage) -> None:
    """Add a device, rename one, switch it on, remove one: the Pi's page has it so."""
    reconfigure(pi, PUMP, LAMP)
    await shown(page, LEASE, "Pump", "Lamp")
    reconfigure(pi, FOUNTAIN, LAMP)
    await shown(page, LEASE, "Fountain", "Lamp")
    await unsays(page, "Pump")
    await scene.ha.call("switch", "turn_on", {"entity_id": await scene.ha.entity_id(pi.unique_id("pump"))})
    await shown(page, LEASE, "At rest: on")
    reconfigure(pi, FOUNTAIN)
    await unsays(page, "Lamp")
    await tabs(page, "Late")


async def drives_what_is_new(page: Page, pi: Pi, mute: Pi, scene: Stage) -> None:
    """Add a car: it has a page, which stays as it is, whatever comes or goes elsewhere, and goes with the car."""
    reconfigure(pi, FOUNTAIN, CAR)
    await tabs(page, "Late", "Car")
    await page.walk("/pimqtt/drive-late-car")
    await page.until(READY, SOON_S, "a pad that may be used")
    await shown(page, CARD, "Free")
    await page.js(f"void (window.wheel = rig.one('{CARD}'))")
    mute.start()
    await tabs(page, "Late", "Car", "Mute")
    await leave(scene, mute)
    await tabs(page, "Late", "Car")
    assert await page.js(f"window.wheel === rig.one('{CARD}')")
    reconfigure(pi, FOUNTAIN)
    await page.says("There is no car car on late", "hui-view", SOON_S)


async def shows_who_is_away(page: Page, pi: Pi) -> datetime:
    """Stop a Pi, start it again, take its power: the overview says each; gives when it was there for the last time."""
    await page.walk("/pimqtt/overview")
    await tabs(page, "Late")
    for end in (Pi.stop, kill_all):
        if pi.process is None:
            pi.start()
        await shown(page, ATTENTION, "Nothing needs attention")
        await shown(page, NODE, "Online since")
        last = datetime.now(UTC)
        end(pi)
        await shown(page, ATTENTION, "Late is offline")
        await shown(page, NODE, "Lost since")
    return last


async def test_it_follows_what_comes_changes_and_goes(
    scene: Stage, newcomer: Newcomer, mute: Newcomer, tmp_path: Path
) -> None:
    page = await scene.page("/pimqtt/overview")
    await page.show()
    await gives_first_steps(page, tmp_path)
    await tabs(page)
    await page.js("window.loaded = performance.timeOrigin")

    await shows_who_comes(page, newcomer)
    await shows_what_changes(page, newcomer, scene)
    await drives_what_is_new(page, newcomer, mute, scene)
    last = await shows_who_is_away(page, newcomer)

    await forgotten(scene, newcomer, last)
    await shown(page, STEPS, "No Pi has been heard yet")
    await unsays(page, "Late")
    await tabs(page)
    await newcomer.gone(scene.ha)
    assert await page.js("window.loaded === performance.timeOrigin"), "the page was loaded anew"
    assert page.errors() == []
    await page.close()


def reconfigure(pi: Pi, *devices: str) -> None:
    """Have it run with other devices."""
    pi.write(devices)
    pi.reload()
