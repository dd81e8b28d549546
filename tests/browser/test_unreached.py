"""What the cards say when Home Assistant itself is gone, or refuses: with the errors and texts that it really gives."""

from __future__ import annotations

import pytest

from tests.browser.line import Line
from tests.browser.page import REFUSED
from tests.browser.stage import CARD, Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
GONE = "No connection to Home Assistant: it may not have heard this."
#: Home Assistant fetches an icon when it is first shown.
NO_ICON = r"Failed to load resource: net::ERR_CONNECTION_REFUSED http://127\.0\.0\.1:\d+/static/mdi/\w+\.json"
#: What Home Assistant says of a sentence of the component, to whom it was loaded.
SAID = "document.querySelector('home-assistant')?.hass?.localize('component.pimqtt.{}', {{ name: 'Racer' }})"


async def test_an_emergency_stop_that_nobody_hears_is_told_as_such(scene: Stage) -> None:
    async with Line(int(scene.ha.url.rpartition(":")[2])) as line:
        url = f"http://127.0.0.1:{line.port}"
        overview, car = await scene.page("/pimqtt/overview", url=url), await scene.page(url=url, window=True)
        await overview.says("Ready: all Pis", "pimqtt-stop-card")
        await car.says("Free", CARD)
    await overview.says("No connection", "pimqtt-stop-card")
    assert "Ready" not in await overview.text("pimqtt-stop-card")

    for page, card in ((overview, "pimqtt-stop-card"), (car, CARD)):
        await page.show()
        await page.click("button.danger")
        await page.says(GONE, card)
        assert "object" not in await page.text(card)
        assert page.errors(REFUSED, NO_ICON) == []
        await page.close()


async def test_the_sentences_of_the_component_are_loaded(scene: Stage) -> None:
    page = await scene.page("/pimqtt/overview")
    for path in ("exceptions.not_connected.message", "issues.under_voltage.title"):
        await page.until(SAID.format(path), what=path)
    assert page.errors() == []
    await page.close()
