"""Two dashboards at one car, and one that may only look: who holds the controls, how they change hands.

Two windows each: in one window the tab in front would hide the other, which stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.browser.page import Page
from tests.browser.stage import BACKWARD, CARD, FORWARD, PAD, Driver, Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
TAKE = "pimqtt-hold-button"


@contextlib.asynccontextmanager
async def two(scene: Stage, name: str) -> AsyncIterator[tuple[Driver, Driver]]:
    """Sit the owner of the house and somebody new down at the car, each at a window of their own."""
    rig = await scene.driver()
    other = await scene.driver(token=await scene.resident(name, "system-users"), window=True)
    try:
        yield rig, other
        assert rig.page.errors() + other.page.errors() == []
    finally:
        await rig.page.close()
        await other.page.close()


async def repeats(driver: Driver, seconds: float) -> None:
    """Keep a key down, as a keyboard tells of it."""
    for _ in range(int(seconds * 20)):
        await driver.page.key("keyDown", "KeyW", repeats=True)
        await asyncio.sleep(0.05)


async def moves_nothing(scene: Stage, seconds: float = 1) -> None:
    """Check that the wheels stand, and go on standing."""
    before = len(scene.wheels.changes)
    assert not scene.wheels.turning
    await asyncio.sleep(seconds)
    assert len(scene.wheels.changes) == before


async def _hold_take_over(driver: Driver) -> None:
    await driver.page.says("Take over", CARD)
    async with driver.page.held(TAKE):
        await driver.page.says("You hold the controls. The car stands still until you drive.", CARD, 10)


async def take_over(driver: Driver) -> None:
    """Take the controls from whoever drives: the car stands still, and the card says who holds it now."""
    try:
        await _hold_take_over(driver)
    except AssertionError as error:  # where the machine stood still for seconds nobody answered, and one presses again
        warnings.warn(f"sent again: {error}", RuntimeWarning, stacklevel=2)
        await _hold_take_over(driver)
    await driver.wheels.wait(turning=False, timeout_s=3)


async def test_the_press_of_whoever_does_not_hold_it_moves_nothing(scene: Stage) -> None:
    async with two(scene, "Dora") as (rig, dora):
        await rig.drive("KeyW")
        await dora.page.says("Rig drives", CARD)
        await dora.page.says("Rig holds the controls. You can stop the car at any time, or take over.", CARD)
        assert await dora.page.js(f"rig.one('{PAD}').ariaDisabled") == "true"
        for way in ("ArrowDown", "KeyS"):
            async with scene.goes_on(FORWARD):
                await dora.press(way)
                await asyncio.sleep(0.5)
                await dora.release(way)
        async with scene.goes_on(FORWARD):
            x, y = await dora.page.middle(PAD)
            await dora.page.mouse("mousePressed", x, y + 60)
            await asyncio.sleep(0.5)
            await dora.page.mouse("mouseReleased", 1, 1)
        await rig.page.says("You drive", CARD)
        await scene.wheels.ceased(await rig.release("KeyW"))


async def test_a_slip_on_the_button_takes_nothing_over(scene: Stage) -> None:
    async with two(scene, "Emil") as (rig, emil):
        await rig.drive("KeyW")
        await emil.page.says("Take over", CARD)
        await emil.page.click(TAKE)
        await emil.page.says("Press again to confirm", CARD)
        async with scene.goes_on(FORWARD):
            await asyncio.sleep(1)
        await rig.page.says("You drive", CARD)
        await scene.wheels.ceased(await rig.release("KeyW"))


async def test_the_controls_change_hands_and_come_back(scene: Stage) -> None:
    async with two(scene, "Frida") as (rig, frida):
        await rig.drive("KeyW")
        await take_over(frida)
        await rig.page.says("Frida drives", CARD)
        await rig.page.says("Frida holds the controls.", CARD)
        await asyncio.gather(repeats(rig, 1), moves_nothing(scene))

        await frida.drive("KeyS")
        async with scene.goes_on(BACKWARD):
            await repeats(rig, 1)
            await rig.release("KeyW")
            await rig.press("KeyW")
            await asyncio.sleep(1)
        await frida.page.says("You drive", CARD)

        await scene.wheels.ceased(await frida.release("KeyS"))
        await rig.page.says("Free", CARD)
        await asyncio.gather(repeats(rig, 1), moves_nothing(scene))
        await rig.release("KeyW")
        async with scene.goes_on(FORWARD):
            await rig.drive("KeyW")
        await rig.page.says("You drive", CARD)
        await frida.page.says("Rig drives", CARD)
        await scene.wheels.ceased(await rig.release("KeyW"))


async def test_a_take_over_that_nobody_uses_ends_by_itself(scene: Stage) -> None:
    """Whoever was taken the car from still holds the key: it moves nothing, though the car is free."""
    async with two(scene, "Georg") as (rig, georg):
        await rig.drive("KeyW")
        await take_over(georg)
        await rig.page.says("Georg drives", CARD)
        await rig.page.says("Free", CARD)
        await asyncio.gather(repeats(rig, 1), moves_nothing(scene))
        await rig.release("KeyW")
        await rig.drive("KeyW")
        await scene.wheels.ceased(await rig.release("KeyW"))


async def test_the_controls_change_hands_as_often_as_one_likes(scene: Stage) -> None:
    """There are ten priorities; a take-over must not use one up for good."""
    async with two(scene, "Hanna") as (rig, hanna):
        for _ in range(5):
            for one, other in ((rig, hanna), (hanna, rig)):
                await one.drive("KeyW")
                await take_over(other)
                await one.release("KeyW")
                await other.drive("KeyW")
                await scene.wheels.ceased(await other.release("KeyW"))
                await one.page.says("Free", CARD)


class Forger:
    """Sends what it likes by the connection of a page of Home Assistant."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def send(self, kind: str, **message: object) -> str:
        """Give the code of the error that answers, or `taken`."""
        said = json.dumps({"type": kind, **message})
        connection = "document.querySelector('home-assistant').hass.connection"
        way = f"{connection}.sendMessagePromise({said}).then(() => 'taken', (error) => String(error.code))"
        return str(await self._page.js(way))


@contextlib.asynccontextmanager
async def session(scene: Stage, entity_id: str) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
    """Open a driving session as the owner of the house; gives its socket and its first event."""
    async with scene.ha.socket() as socket:
        await socket.send(json.dumps({"id": 1, "type": "pimqtt/drive", "entity_id": entity_id}))
        first: dict[str, Any] = {}
        while "session" not in first:
            first = json.loads(await socket.recv()).get("event") or {}
        yield socket, first


def forward(first: dict[str, Any]) -> dict[str, Any]:
    """Give the first command of a session."""
    return {"session": first["session"], "seq": 1, "value": {"x": 0, "y": 1}, "token": first["token"]}


async def test_whoever_may_only_look_can_forge_nothing(scene: Stage) -> None:
    page = await scene.page(token=await scene.resident("Ida", "system-read-only"))
    await page.show()
    await page.says("Only to look", CARD)
    await page.says("You have no right to control this. Ask an administrator.", CARD)
    assert await page.js(f"rig.one('{PAD}').ariaDisabled") == "true"
    before = len(scene.wheels.changes)
    forger = Forger(page)
    unique = scene.pi.unique_id("car")
    car = await scene.ha.entity_id(unique)
    async with session(scene, car) as (_, first):
        assert await forger.send("pimqtt/drive", entity_id=car) == "unauthorized"
        assert await forger.send("pimqtt/drive", unique_id=unique) == "unauthorized"
        assert await forger.send("pimqtt/drive/send", **forward(first)) == "not_found"
        assert await forger.send("pimqtt/drive/token", session=first["session"]) == "not_found"
    assert await forger.send("pimqtt/command", entity_id=car, value={"x": 0, "y": 1}) == "unauthorized"
    assert await forger.send("pimqtt/reset", node=scene.pi.name) == "unauthorized"
    assert await forger.send("pimqtt/stop", node=scene.pi.name, device="car") == "unauthorized"
    await asyncio.sleep(1)
    assert len(scene.wheels.changes) == before
    assert not scene.wheels.turning
    assert page.errors() == []
    await page.close()


async def test_what_a_forger_lacks_is_the_right_alone(scene: Stage) -> None:
    """The same commands, sent by whoever may: else the test above would show nothing."""
    page = await scene.page()
    await page.show()
    await page.says("Free", CARD)
    forger = Forger(page)
    car = await scene.ha.entity_id(scene.pi.unique_id("car"))
    async with session(scene, car) as (_, first):
        assert await forger.send("pimqtt/drive/send", **forward(first)) == "not_found", "a session is its connection's"
        assert not scene.wheels.turning
    async with session(scene, car) as (socket, first):  # another: a token is good for one dead-man only
        await socket.send(json.dumps({"id": 2, "type": "pimqtt/drive/send", **forward(first)}))
        await scene.wheels.wait(turning=True, timeout_s=5)
    await scene.wheels.wait(turning=False, timeout_s=3)
    assert await forger.send("pimqtt/drive", entity_id=car) == "taken"
    await forger.send("pimqtt/command", entity_id=car, value="stop")
    assert await forger.send("pimqtt/command", entity_id=car, value={"x": 0, "y": 1}) == "taken"
    assert page.errors() == []
    await page.close()
