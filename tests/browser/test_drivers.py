"""Several people at one car: one holds it and the others see who; rights decide who may."""

from __future__ import annotations

import pytest

from tests.browser.stage import CARD, FORWARD, PAD, Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
#: What the card tells of the other drivers.
OTHERS = "ol[aria-label='Last commands of others']"


async def test_one_holds_and_the_other_sees_who(scene: Stage) -> None:
    """Two windows: in one the tab in front would hide the other, which stops."""
    rig = await scene.driver()
    anna = await scene.driver(token=await scene.resident("Anna", "system-users"), window=True)
    await rig.drive("KeyW")
    await anna.page.says("Rig drives", CARD)
    await anna.page.says("Rig holds the controls. You can stop the car at any time, or take over.", CARD)
    await anna.page.says("Rig: forward", OTHERS)
    assert "Rig" not in await rig.page.text(OTHERS), "the own are no others'"
    assert await anna.page.js(f"rig.one('{PAD}').ariaDisabled") == "true"

    async with scene.goes_on(FORWARD):
        await anna.press()
        await anna.release()

    await scene.wheels.ceased(await rig.release("KeyW"))
    await anna.page.says("Free", CARD)
    await anna.ready()
    await anna.drive()
    await rig.page.says("Anna drives", CARD)
    await scene.wheels.ceased(await anna.release())
    assert rig.page.errors() + anna.page.errors() == []
    await rig.page.close()
    await anna.page.close()


async def test_anybody_may_stop_and_who_drove_lets_go_first(scene: Stage) -> None:
    rig = await scene.driver()
    ben = await scene.driver(token=await scene.resident("Ben", "system-users"), window=True)
    await rig.drive("KeyW")
    await ben.page.says("Rig drives", CARD)

    await ben.page.click(".buttons > button:not(.danger)")

    await scene.wheels.wait(turning=False, timeout_s=3)
    await rig.page.says("let go", CARD)
    await scene.wheels.wait(turning=False, timeout_s=3)
    await rig.release("KeyW")
    assert rig.page.errors() + ben.page.errors() == []
    await rig.page.close()
    await ben.page.close()


async def test_a_read_only_user_sees_the_car_and_does_not_drive_it(scene: Stage) -> None:
    page = await scene.page(token=await scene.resident("Guest", "system-read-only"))
    await page.show()
    await page.says("Only to look", CARD)
    await page.says("You have no right to control this. Ask an administrator.", CARD)
    before = len(scene.wheels.changes)
    x, y = await page.middle(PAD)

    await page.mouse("mousePressed", x, y - 60)
    await page.until("new Promise((end) => setTimeout(() => end(true), 1000))")
    await page.mouse("mouseReleased", x, y - 60)

    assert len(scene.wheels.changes) == before
    assert not scene.wheels.turning
    assert page.errors() == []
    await page.close()


async def test_a_user_who_is_no_administrator_drives(scene: Stage) -> None:
    driver = await scene.driver(token=await scene.resident("Clara", "system-users"))
    await driver.drive()
    await driver.page.says("You drive", CARD)
    await scene.wheels.ceased(await driver.release())
    assert driver.page.errors() == []
    await driver.page.close()
