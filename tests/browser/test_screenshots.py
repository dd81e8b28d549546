"""Every page, wide and on a phone, light and dark: its words, nothing cut off sideways, no complaint of the browser.

`scripts/screenshots` keeps the pictures in docs/screenshots; else their words are compared with the kept ones.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import pytest

from tests.browser.kept import Pictures
from tests.browser.page import Page
from tests.browser.showroom import LOOKS, PAGES, lit, settled, snapshot
from tests.browser.stage import CARD, Driver, Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
#: A picture that is driven by is no older, however slow the machine is (s).
FRESH_S = 8


@pytest.fixture(scope="module")
def pictures(pytestconfig: pytest.Config) -> Pictures:
    """Keep pictures where that is wanted, else compare."""
    folder = pytestconfig.getoption("--keep-screenshots")
    return Pictures(Path(folder) if folder else None)


async def fits(page: Page) -> None:
    """Check that no card is wider than the page, nor its content than the card."""
    wide = await page.js(
        "rig.all('*').filter((e) => e.tagName.startsWith('PIMQTT-') && e.getClientRects().length)"
        ".filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName)"
    )
    assert wide == []


async def kept(pictures: Pictures, name: str, page: Page) -> None:
    """Keep a page, or see that it has the words of the kept one: what an answer brings comes when it comes."""
    end_s = time.monotonic() + 20
    while not pictures.fits(name, await page.text()) and time.monotonic() < end_s:
        await asyncio.sleep(0.5)
    pictures.keep(name, await page.picture(), await page.text())


async def age_s(page: Page) -> int:
    """Tell how old the picture is that is driven by, as its label says it; without one it is new."""
    said = await page.text(f"{CARD} .age, .age")
    found = re.fullmatch(r"(\d+) s old", said)
    assert found or not said, said
    return int(found[1]) if found else 0


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_as_it_should_be(demo: Stage, pictures: Pictures, name: str, look: str) -> None:
    path, words = PAGES[name]
    await snapshot(demo)
    await lit(demo)
    page = await demo.page(path, **vars(LOOKS[look]))
    await page.show()
    for word in words:
        await page.says(word, timeout_s=40)
    await settled(page)
    await fits(page)
    if not LOOKS[look].mobile:
        await page.stretch(2400)
        await settled(page)
    await kept(pictures, f"{name}-{look}", page)
    assert page.errors() == []
    await page.close()


@pytest.mark.parametrize("look", LOOKS)
async def test_a_car_that_is_driven(demo: Stage, pictures: Pictures, look: str) -> None:
    how = "touch" if LOOKS[look].mobile else "mouse"
    driver: Driver = await demo.driver(**vars(LOOKS[look]))
    await driver.drive(how)
    await driver.page.says("You drive", CARD)
    await driver.page.says(" ms", CARD)
    ages = []
    for _ in range(4):
        await asyncio.sleep(1)
        ages.append(await age_s(driver.page))
    assert max(ages) <= FRESH_S, ages
    await kept(pictures, f"driving-{look}", driver.page)
    await demo.wheels.ceased(await driver.release(how))
    await driver.page.says("Free", CARD)
    assert driver.page.errors() == []
    await driver.page.close()


async def test_a_press_takes_a_picture(demo: Stage) -> None:
    picture = "rig.one('pimqtt-picture')?.shadowRoot.querySelector('img')"
    page = await demo.page(PAGES["cameras"][0])
    await page.show()
    age_s = "parseInt(window.rig?.one('.age')?.textContent)"
    await page.until(f"{age_s} > 5", 40, "a picture that is a little old")
    before = await page.until(f"{picture}?.src")
    await page.click("button[aria-label='Take a picture with Eye (Demo Pi)']")
    await page.until(f"{age_s} < 5", 20, "the picture's age")
    await page.until(f"{picture}?.naturalWidth > 100 && {picture}.src !== {json.dumps(before)}", 20, "the picture")
    assert await page.text("pimqtt-camera-card .bad") == ""
    assert page.errors() == []
    await page.close()
