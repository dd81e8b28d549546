"""Releases that a system keeps to itself: a key that is held for the page alone must not drive on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.browser.stage import PAD, Driver, Stage
from tests.browser.wheels import DEADMAN_S, in_words, some_time

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
LIMIT_S = DEADMAN_S + 0.05
CTRL, META = 2, 4

Swallow = Callable[[Driver], Awaitable[None]]


async def send(driver: Driver, kind: str, key: str, modifiers: int = 0, number: int = 0) -> None:
    """Press or release a modifier."""
    await driver.page.call("Input.dispatchKeyEvent", type=kind, code=f"{key}Left", key=key, modifiers=modifiers,
                           windowsVirtualKeyCode=number)  # fmt: skip


async def command(driver: Driver) -> None:
    """Press and release Cmd: macOS tells nothing of the letters that are released meanwhile."""
    await send(driver, "rawKeyDown", "Meta", META, 91)
    await asyncio.sleep(0.1)
    await send(driver, "keyUp", "Meta", 0, 91)


async def control(driver: Driver) -> None:
    """Press Ctrl, and hold it."""
    await send(driver, "rawKeyDown", "Control", CTRL, 17)


async def menu(driver: Driver) -> None:
    """Open the context menu, which takes what comes next."""
    x, y = await driver.page.middle(PAD)
    for kind in ("mousePressed", "mouseReleased"):
        await driver.page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="right", buttons=2, clickCount=1)


async def driving(driver: Driver) -> int:
    """Drive by W for a while; gives the time when something happens (ns)."""
    await driver.ready()
    await driver.drive("KeyW")
    await some_time(0.3, 1)
    assert driver.wheels.turning
    return time.monotonic_ns()


@pytest.mark.parametrize("swallow", [command, control, menu], ids=["cmd", "ctrl", "menu"])
async def test_the_car_stops_though_no_release_comes(scene: Stage, times: int, swallow: Swallow) -> None:
    driver = await scene.driver()
    ceased = []
    for _ in range(times):
        since_ns = await driving(driver)
        await swallow(driver)
        ceased.append(await driver.wheels.ceased(since_ns, watch_s=1))
        await driver.page.key("keyDown", "KeyW", repeats=True)
        await asyncio.sleep(0.5)
        assert not driver.wheels.turning
        await driver.release("KeyW")
        await send(driver, "keyUp", "Control", 0, 17)
    print("release swallowed:", in_words(ceased))  # noqa: T201 - the figures are the result
    assert max(ceased) <= LIMIT_S, in_words(ceased)
    await driver.drive("KeyW")  # and a new press drives
    await driver.wheels.ceased(await driver.release("KeyW"))
    assert driver.page.errors() == []
    await driver.page.close()


async def test_a_key_that_ceases_to_repeat_is_let_go(scene: Stage) -> None:
    """Whatever took its release, a held key repeats; the car stops well within two seconds."""
    driver = await scene.driver()
    await driving(driver)
    for _ in range(20):
        await driver.page.key("keyDown", "KeyW", repeats=True)
        await asyncio.sleep(0.03)
    assert driver.wheels.turning
    silent_ns = time.monotonic_ns()
    assert await driver.wheels.ceased(silent_ns, watch_s=1) <= 1.5 + DEADMAN_S
    await driver.release("KeyW")
    assert driver.page.errors() == []
    await driver.page.close()
