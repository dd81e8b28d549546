"""Every page, wide and on a phone, light and dark: its words, nothing cut off sideways, no complaint of the browser.

`scripts/screenshots` keeps the pictures in docs/screenshots.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.page import Page
from tests.browser.stage import CARD, Driver, Stage, stage
from tests.ha.api import ApiError, until
from tests.rig import ROOT

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
DEVICES = tuple(
    line.partition("#")[0].strip(" -\n")
    for line in (ROOT / "pimqtt_agent/console/demo.yaml").read_text().splitlines()
    if line.startswith("  - ")
)


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    width: int
    height: int
    mobile: bool
    dark: bool


LOOKS = {
    "wide-light": Look(1400, 900, mobile=False, dark=False), "wide-dark": Look(1400, 900, mobile=False, dark=True),
    "phone-light": Look(390, 844, mobile=True, dark=False), "phone-dark": Look(390, 844, mobile=True, dark=True),
}  # fmt: skip
PAGES = {
    "overview": ("/pimqtt/overview", ["Emergency stop", "Nothing needs attention", "Demo Pi", "Online"]),
    "node": ("/pimqtt/pi-car1", ["Demo Pi", "Outputs", "Motion", "Inputs", "The Pi itself", "Pump", "Header"]),
    "drive": ("/pimqtt/drive-car1-car", ["Car", "Free", "Speed limit", "Emergency stop"]),
    "cameras": ("/pimqtt/cameras", ["Eye", " old"]),
    "fleet": ("/pimqtt/fleet", ["Pis", "1 of 1 online", "Search for 5 s", "Add a Pi"]),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(ha_python: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Give a stage with the devices of the demo."""
    async with stage(ha_python, tmp_path_factory.mktemp("demo"), *DEVICES, title="Demo Pi") as built:
        eye = await built.ha.entity_id(built.pi.unique_id("eye"))
        await until(lambda: pictured(built, eye), 20, "a picture of the camera")
        yield built


async def pictured(built: Stage, eye: str) -> bytes | None:
    """Give what a camera shows, as soon as it shows anything."""
    with contextlib.suppress(ApiError):
        return await built.ha.camera_image(eye)
    return None


def keep(config: pytest.Config, name: str, picture: bytes) -> None:
    """Keep a picture where that is wanted."""
    folder = config.getoption("--keep-screenshots")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)


async def fits(page: Page) -> None:
    """Check that no card is wider than the page, nor its content than the card."""
    wide = await page.js(
        "rig.all('*').filter((e) => e.tagName.startsWith('PIMQTT-') && e.getClientRects().length)"
        ".filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName)"
    )
    assert wide == []


async def settled(page: Page) -> None:
    """Wait until the words on it change no more, but for numbers."""
    before = None
    while before != (before := re.sub(r"\d", "", await page.text())):
        await asyncio.sleep(0.7)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_as_it_should_be(demo: Stage, pytestconfig: pytest.Config, name: str, look: str) -> None:
    path, words = PAGES[name]
    page = await demo.page(path, **vars(LOOKS[look]))
    await page.show()
    for word in words:
        await page.says(word, timeout_s=40)
    await settled(page)
    await fits(page)
    if not LOOKS[look].mobile:
        await page.stretch(2400)
        await settled(page)
    keep(pytestconfig, f"{name}-{look}", await page.picture())
    assert page.errors() == []
    await page.close()


@pytest.mark.parametrize("look", LOOKS)
async def test_a_car_that_is_driven(demo: Stage, pytestconfig: pytest.Config, look: str) -> None:
    how = "touch" if LOOKS[look].mobile else "mouse"
    driver: Driver = await demo.driver(**vars(LOOKS[look]))
    await driver.drive(how)
    await driver.page.says("You drive", CARD)
    await driver.page.says(" ms", CARD)
    keep(pytestconfig, f"driving-{look}", await driver.page.picture())
    await demo.wheels.ceased(await driver.release(how))
    await driver.page.says("Free", CARD)
    assert driver.page.errors() == []
    await driver.page.close()
