"""An emergency stop, as the driver meets it: said in words, nothing moves; reset by the card, and one drives again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.line import Line
from tests.browser.stage import CARD, PAD, READY, Driver, Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
WORDS = {
    "pimqtt-drive-card": "The emergency stop is set. Nothing moves until it is reset.",
    "pimqtt-stop-card": "The emergency stop of the whole Pi is set. Nothing moves until it is reset.",
}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def freed(scene: Stage) -> AsyncIterator[None]:
    """Leave no emergency stop to the next test."""
    yield
    await scene.ha.ask("pimqtt/reset", node=scene.pi.name, device="car")
    await scene.ha.ask("pimqtt/reset", node=scene.pi.name)


async def press(driver: Driver, card: str, element: str, until: str = "true") -> None:
    """Press what a card has in its shadow, until something is so."""
    x, y = await driver.page.until(
        f"rig.all('{card}').map((one) => one.shadowRoot?.querySelector('{element}')?.getBoundingClientRect())"
        ".filter((box) => box?.width).map((box) => [box.x + box.width / 2, box.y + box.height / 2])[0]"
    )
    await driver.page.mouse("mouseMoved", x, y)
    await driver.page.mouse("mousePressed", x, y)
    await driver.page.until(until)
    await driver.page.mouse("mouseReleased", x, y)


@pytest.mark.parametrize("card", WORDS)
async def test_it_says_why_and_drives_again_after_the_reset(scene: Stage, card: str) -> None:
    driver = await scene.driver()
    await driver.drive("KeyW")
    await press(driver, card, "button.danger")
    await scene.wheels.wait(turning=False, timeout_s=3)
    await driver.page.says(WORDS[card], CARD)
    await driver.page.says("Hold to reset", CARD)
    assert await driver.page.js(f"rig.one('{PAD}').ariaDisabled") == "true"
    await driver.release("KeyW")

    before = len(scene.wheels.changes)
    for how in ("mouse", "KeyW"):
        await driver.press(how)
        await asyncio.sleep(0.5)
        await driver.page.says(WORDS[card], CARD)
        if how == "mouse":
            await driver.release(how)
    await press(driver, CARD, "pimqtt-hold-button", READY)
    await driver.page.says("Free", CARD)
    await driver.page.js(f"rig.one('{PAD}').focus()")
    for _ in range(10):
        await driver.page.key("keyDown", "KeyW", repeats=True)
        await asyncio.sleep(0.05)
    assert len(scene.wheels.changes) == before, "a reset starts nothing, not even for a key that is still held"
    await driver.release("KeyW")

    await driver.drive("KeyW")
    await driver.page.says("You drive", CARD)
    await scene.wheels.ceased(await driver.release("KeyW"))
    assert driver.page.errors() == []
    await driver.page.close()


async def test_what_was_pressed_before_the_stop_and_arrives_after_it_moves_nothing(scene: Stage) -> None:
    async with Line(int(scene.ha.url.rpartition(":")[2])) as line:
        driver = await scene.driver(url=f"http://127.0.0.1:{line.port}")
        before = len(scene.wheels.changes)
        line.stall()
        await driver.press()
        await asyncio.sleep(0.2)
        await scene.ha.ask("pimqtt/stop", node=scene.pi.name, device="car")
        line.flow()
        await driver.page.says(WORDS[CARD], CARD)
        await asyncio.sleep(1)
        assert len(scene.wheels.changes) == before
        await driver.release()
        await press(driver, CARD, "pimqtt-hold-button", READY)
        await asyncio.sleep(0.5)
        assert len(scene.wheels.changes) == before
        await driver.drive()
        await scene.wheels.ceased(await driver.release())
        assert driver.page.errors() == []
        await driver.page.close()
