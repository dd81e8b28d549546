"""Driving from the self-built dashboard: the wheels turn soon after the press and stop soon after the release."""

from __future__ import annotations

import asyncio
import random
import statistics

import pytest

from tests.browser import ring
from tests.browser.stage import CARD, PAD, Driver, Stage
from tests.browser.wheels import LINES, in_words

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
MEDIAN_S, LONGEST_S = 0.15, 0.5
#: What Home Assistant opens is told by these events, to whoever listens.
OPENED = """
window.opened = [];
addEventListener("show-dialog", ({ detail: { dialogTag, dialogParams } }) =>
  opened.push([dialogTag, dialogParams?.mode ?? ""].join(" ").trim()));
addEventListener("hass-notification", () => opened.push("notification"));
"""
DIALOGS = "ha-quick-bar, ha-voice-command-dialog, ha-dialog, ha-adaptive-dialog, ha-toast"
#: Home Assistant's shortcuts, and what they open: by letters, and where none of them is on the keyboard by places.
SHORTCUTS = {
    ("KeyE", "e"): "ha-quick-bar entity", ("KeyC", "c"): "ha-quick-bar command", ("KeyD", "d"): "ha-quick-bar device",
    ("KeyA", "a"): "ha-voice-command-dialog", ("KeyM", "m"): "notification",
    ("KeyE", "ק"): "ha-quick-bar entity", ("KeyC", "ב"): "ha-quick-bar command", ("KeyM", "צ"): "notification",
}  # fmt: skip
#: The lines that have power while the car turns to a side.
TURNS = {"KeyA": {6, 13}, "KeyD": {5, 19}}
#: Its quick bar shows pictures of integrations, which it has not without the internet.
NO_PICTURES = r"Failed to load resource: .* 404 \(Not Found\) http://[\d.:]+/api/brands/integration/(?!pimqtt/).*"


async def measured(driver: Driver, how: str, times: int) -> tuple[list[float], list[float]]:
    """Press and release so often; give how long the wheels took to turn, and to stand (s).

    The ring of the dead-man runs all the while that one drives, and at no other time.
    """
    began, ceased = [], []
    for _ in range(times):
        assert await ring.shares(driver.page) == [0]
        began.append(await driver.drive(how))
        await ring.runs(driver.page, random.uniform(0.2, 0.6))
        ceased.append(await driver.wheels.ceased(await driver.release(how)))
        assert set(await ring.shares(driver.page, random.uniform(0.1, 0.6))) == {0}
    return began, ceased


@pytest.mark.parametrize("how", ["mouse", "touch", "KeyW", "ArrowUp"])
async def test_the_wheels_follow_the_hand(scene: Stage, times: int, how: str) -> None:
    driver = await scene.driver(mobile=how == "touch", **({"width": 390, "height": 844} if how == "touch" else {}))
    began, ceased = await measured(driver, how, times)
    said = {"turn after the press": in_words(began), "stand after the release": in_words(ceased)}
    print(how, said)  # noqa: T201 - the figures are the result
    assert max(began) < LONGEST_S, said
    assert max(ceased) < LONGEST_S, said
    assert statistics.median(began) <= MEDIAN_S, said
    assert statistics.median(ceased) <= MEDIAN_S, said
    await driver.page.says("Free", CARD)
    assert driver.page.errors() == []
    await driver.page.close()


async def press(driver: Driver, code: str, letter: str) -> None:
    """Press and release a key."""
    for kind in ("keyDown", "keyUp"):
        await driver.page.key(kind, code, letter=letter)


async def opens_nothing(driver: Driver) -> None:
    """Press all shortcuts that drive nowhere, and check that nothing is opened: also what takes a moment to load."""
    for code, letter in SHORTCUTS:
        if code not in TURNS:
            await press(driver, code, letter)
    await asyncio.sleep(0.5)
    assert await driver.page.js("opened") == []
    assert await driver.page.js(f"rig.all({DIALOGS!r}).map(({{ localName }}) => localName)") == []


async def test_home_assistants_shortcuts_are_the_cars_keys_while_its_pad_has_the_focus(scene: Stage) -> None:
    driver = await scene.driver(script=OPENED)
    for code, lines in TURNS.items():
        await driver.drive(code)
        await asyncio.sleep(0.3)
        assert {line for line in LINES if scene.pi.levels(line)[-1:] > [0]} == lines
        await scene.wheels.ceased(await driver.release(code))
    before = len(scene.wheels.changes)
    await opens_nothing(driver)
    assert len(scene.wheels.changes) == before

    for how in ("KeyW", "mouse"):
        await driver.drive(how)
        await opens_nothing(driver)
        await scene.wheels.wait(turning=True, timeout_s=2)
        await driver.page.says("You drive", CARD)
        await scene.wheels.ceased(await driver.release(how))
    assert driver.page.errors() == []

    before = len(scene.wheels.changes)
    await driver.page.js(f"rig.one({PAD!r}).blur()")
    for (code, letter), opened in SHORTCUTS.items():
        await press(driver, code, letter)
        assert await driver.page.until("opened.splice(0)[0]", 5, f"{letter} opens {opened}") == opened
        if opened != "notification":
            await closed(driver, opened.split()[0])
    assert len(scene.wheels.changes) == before
    assert driver.page.errors(NO_PICTURES) == []
    await driver.page.close()


async def closed(driver: Driver, dialog: str) -> None:
    """Close a dialog as soon as it is there."""
    shown = f"!!rig.one({dialog!r})?.shadowRoot?.querySelector('ha-dialog, ha-adaptive-dialog')"
    await driver.page.until(shown, 5, f"{dialog} shown")
    await driver.page.press("Escape")
    await driver.page.until(f"!({shown})", 5, f"{dialog} closed")
