"""Driving by gamepad: a stick is followed while it is pushed, and never one that nobody saw at rest."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass, field

import pytest

from tests.browser.stage import CARD, PAD, Driver, Stage
from tests.browser.wheels import DEADMAN_S, in_words, some_time

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
LIMIT_S = DEADMAN_S + 0.05
FORWARD, MIDDLE = -1.0, 0.0
#: A window that others cover is in some systems never drawn, though it counts as visible.
COVERABLE = """
const draw = requestAnimationFrame;
window.requestAnimationFrame = (then) => (window.covered ? 0 : draw((time) => window.covered || then(time)));
"""


@dataclass
class Button:
    """A button as `GamepadButton` tells of it."""

    pressed: bool = False
    touched: bool = False
    value: float = 0


@dataclass
class Gamepad:
    """A gamepad as the browser tells of it, with the left stick pushed so far (-1 is forward)."""

    axes: list[float]
    buttons: list[Button] = field(default_factory=lambda: [Button() for _ in range(17)])
    id: str = "Pad of the rig (STANDARD GAMEPAD)"
    index: int = 0
    connected: bool = True
    mapping: str = "standard"
    timestamp: float = 0


def plugged(stick: float) -> str:
    """Write the script that has this pad in the browser, and no other; each look is one of its own, as in Chromium."""
    pads = json.dumps([asdict(Gamepad([0.0, stick, 0.0, 0.0])), None, None, None])
    return f"window.pads = {pads}; navigator.getGamepads = () => structuredClone(window.pads);"


@dataclass
class Player:
    """Somebody with a gamepad at a car's page."""

    driver: Driver

    async def push(self, stick: float) -> int:
        """Push the left stick to there; gives when (ns)."""
        since_ns = time.monotonic_ns()
        await self.driver.page.js(f"void (window.pads[0].axes[1] = {stick})")
        return since_ns

    async def drive(self) -> int:
        """Drive forward for a while; gives the time when something happens (ns)."""
        await self.push(MIDDLE)
        await asyncio.sleep(0.2)
        await self.driver.wheels.began(await self.push(FORWARD))
        await some_time(0.3, 1)
        assert self.driver.wheels.turning
        return time.monotonic_ns()

    async def moves_nothing(self, seconds: float = 1) -> None:
        """Check that the wheels stand, whatever the stick does."""
        before = len(self.driver.wheels.changes)
        await asyncio.sleep(seconds)
        assert not self.driver.wheels.turning
        assert len(self.driver.wheels.changes) == before

    async def leave(self) -> None:
        """End the visit, without a complaint of the browser."""
        assert self.driver.page.errors() == []
        await self.driver.page.close()


async def player(scene: Stage, stick: float = MIDDLE, script: str = "") -> Player:
    """Sit down at the car's page, the pad on it in use."""
    driver = await scene.driver(script=plugged(stick) + script)
    await driver.page.click(PAD)
    return Player(driver)


def judge(what: str, ceased: list[float]) -> None:
    print(what, in_words(ceased))  # noqa: T201 - the figures are the result
    assert max(ceased) <= LIMIT_S, in_words(ceased)


async def test_the_wheels_follow_the_stick(scene: Stage, times: int) -> None:
    who = await player(scene)
    ceased = []
    for _ in range(times):
        await who.drive()
        await who.driver.page.says("You drive", CARD)
        ceased.append(await scene.wheels.ceased(await who.push(MIDDLE)))
    judge("stick to the middle:", ceased)
    await who.driver.page.says("Free", CARD)
    await who.leave()


async def test_a_pad_that_is_unplugged_lets_go(scene: Stage, times: int) -> None:
    """Plugged in again with the stick where it was, it moves nothing until the stick was at rest."""
    who = await player(scene)
    ceased = []
    for _ in range(times):
        since_ns = await who.drive()
        await who.driver.page.js("void (window.unplugged = window.pads.splice(0, 1, null)[0])")
        ceased.append(await scene.wheels.ceased(since_ns))
        await who.driver.page.js("void (window.pads[0] = window.unplugged)")
        await who.moves_nothing()
    judge("pad unplugged:", ceased)
    await who.leave()


async def test_a_pad_that_says_it_is_gone_lets_go(scene: Stage) -> None:
    """Some browsers keep it in the list."""
    who = await player(scene)
    since_ns = await who.drive()
    await who.driver.page.js("void (window.pads[0].connected = false)")
    judge("pad not connected:", [await scene.wheels.ceased(since_ns)])
    await who.leave()


async def test_a_hidden_tab_lets_go(scene: Stage, times: int) -> None:
    """Back in view, the stick that is still pushed moves nothing until it was at rest."""
    who = await player(scene)
    ceased = []
    for _ in range(times):
        since_ns = await who.drive()
        other = (await scene.browser.call("Target.createTarget", url="about:blank"))["targetId"]
        await scene.browser.call("Target.activateTarget", targetId=other)
        ceased.append(await scene.wheels.ceased(since_ns, watch_s=0.8))
        assert await who.driver.page.js("document.visibilityState") == "hidden"
        await scene.browser.call("Target.closeTarget", targetId=other)
        await who.driver.page.show()
        await who.driver.page.until("document.visibilityState === 'visible'")
        await who.moves_nothing()
    judge("tab hidden:", ceased)
    await who.leave()


async def test_a_page_that_is_not_drawn_sees_the_stick_go_back(scene: Stage) -> None:
    who = await player(scene, script=COVERABLE)
    await who.drive()
    await who.driver.page.js("void (window.covered = true)")
    judge("page not drawn:", [await scene.wheels.ceased(await who.push(MIDDLE))])
    await who.leave()


async def test_a_stick_that_was_pushed_from_the_start_moves_nothing(scene: Stage) -> None:
    who = await player(scene, FORWARD)
    await who.moves_nothing(2)
    await who.push(MIDDLE)
    await asyncio.sleep(0.2)
    await scene.wheels.began(await who.push(FORWARD))
    await scene.wheels.ceased(await who.push(MIDDLE))
    await who.leave()


async def test_the_only_car_of_the_page_needs_no_click(scene: Stage, times: int) -> None:
    """The hint tells of the gamepad; a page in which another window or tab has the place is covered above."""
    driver = await scene.driver(script=plugged(MIDDLE))
    who = Player(driver)
    await driver.page.says("The gamepad drives too.", CARD)
    ceased = []
    for _ in range(times):
        await who.drive()
        await driver.page.js(f"rig.one('{PAD}').blur()")
        assert driver.wheels.turning
        ceased.append(await scene.wheels.ceased(await who.push(MIDDLE)))
    judge("stick to the middle, without a click:", ceased)
    await who.leave()
