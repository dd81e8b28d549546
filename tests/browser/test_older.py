"""Older Home Assistants, down to the oldest one supported: the dashboard builds itself, the car drives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.stage import CARD, stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(1800),  # it may have to install them
]  # fmt: skip
OLDEST = "2025.10.4"


@pytest.mark.parametrize("version", [OLDEST, "2026.2.3"])
async def test_the_dashboard_drives(older_python: Callable[[str], str], tmp_path: Path, version: str) -> None:
    async with stage(older_python(version), tmp_path) as scene:
        assert (await scene.ha.rest("GET", "/api/config"))["version"] == version
        page = await scene.page("/pimqtt/overview")
        await page.show()
        for words in ("Emergency stop", "Nothing needs attention", "Car1", "Online"):
            await page.says(words, timeout_s=40)
        assert page.errors() == []
        await page.close()

        driver = await scene.driver()
        await driver.drive()
        await driver.page.says("You drive", CARD)
        assert await scene.wheels.ceased(await driver.release()) < 0.5
        await driver.page.says("Free", CARD)
        assert driver.page.errors() == []
