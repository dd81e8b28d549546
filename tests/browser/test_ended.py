"""What ends a drive from the other side: the card says why, the wheels stand, and one drives again."""

from __future__ import annotations

import pytest

from tests.browser.stage import CARD, READY, Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
#: A page of another version, whose commands this component does not know.
ODD = """
const { connection } = document.querySelector("home-assistant").hass;
const ask = connection.sendMessagePromise.bind(connection);
const moves = ({ type, value }) => type === "pimqtt/drive/send" && typeof value === "object";
connection.sendMessagePromise = (message) => ask(moves(message) ? { ...message, value: { x: 0, y: 5 } } : message);
"""


async def test_reloading_the_integration_stops_the_car_and_is_told(scene: Stage) -> None:
    driver = await scene.driver()
    await driver.drive()
    entry = await scene.ha.entry("pimqtt")
    await scene.ha.rest("POST", f"/api/config/config_entries/entry/{entry['entry_id']}/reload", {})
    await scene.wheels.wait(turning=False, timeout_s=3)
    await driver.page.says("This drive was ended: pimqtt was unloaded or reloaded in Home Assistant.", CARD)
    await driver.page.until(READY, 20)
    assert not scene.wheels.turning, "a stick that is still held sets nothing off"
    await driver.release()
    await driver.ready()
    await driver.drive()
    await scene.wheels.ceased(await driver.release())
    assert driver.page.errors() == []
    await driver.page.close()


async def test_what_is_not_understood_is_told_and_the_car_stops(scene: Stage) -> None:
    driver = await scene.driver()
    await driver.drive()
    await driver.page.js(f"(() => {{ {ODD} }})()")
    await driver.page.says("Home Assistant did not understand this card: reload the page", CARD)
    await scene.wheels.wait(turning=False, timeout_s=3)
    before = len(scene.wheels.changes)
    await driver.release()
    await driver.press()
    await driver.page.says("Home Assistant did not understand this card", CARD)
    await driver.release()
    assert len(scene.wheels.changes) == before
    assert driver.page.errors() == []
    await driver.page.close()
