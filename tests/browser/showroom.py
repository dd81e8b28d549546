"""The demo's Pi with every kind of device, the pages that show it, and how they are looked at."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.browser.page import Page
from tests.browser.stage import Stage, stage
from tests.ha.api import ApiError, until
from tests.rig import ROOT

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


@contextlib.asynccontextmanager
async def showroom(python: str, folder: Path) -> AsyncIterator[Stage]:
    """Build a stage with the devices of the demo, whose camera has taken a picture."""
    async with stage(python, folder, *DEVICES, title="Demo Pi") as built:
        eye = await built.ha.entity_id(built.pi.unique_id("eye"))
        await until(lambda: _pictured(built, eye), 20, "a picture of the camera")
        yield built


async def _pictured(built: Stage, eye: str) -> bytes | None:
    """Give what a camera shows, as soon as it shows anything."""
    with contextlib.suppress(ApiError):
        return await built.ha.camera_image(eye)
    return None


async def snapshot(demo: Stage) -> None:
    """Have the camera take a picture now, asked again where the machine was too busy."""
    eye = await demo.ha.entity_id(demo.pi.unique_id("eye"))

    async def taken() -> bool:
        return bool((await demo.ha.ask("pimqtt/snapshot", entity_id=eye))["outcome"] == "accepted")

    await until(taken, 20, "a picture taken")


async def lit(demo: Stage) -> None:
    """Have the lamp on under a lease that outlasts the pictures."""
    lamp = await demo.ha.entity_id(demo.pi.unique_id("lamp"))
    answer = await demo.ha.ask("pimqtt/command", entity_id=lamp, value="ON", ttl=600)
    assert answer["outcome"] == "accepted", answer


async def settled(page: Page) -> None:
    """Wait until the words on it change no more, but for numbers."""
    before = None
    while before != (before := re.sub(r"\d", "", await page.text())):
        await asyncio.sleep(0.7)
