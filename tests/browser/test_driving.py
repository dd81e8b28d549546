"""Driving from the self-built dashboard: the wheels turn soon after the press and stop soon after the release."""

from __future__ import annotations

import statistics

import pytest

from tests.browser.stage import CARD, Driver, Stage
from tests.browser.wheels import in_words, some_time

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("quiet"),
]  # fmt: skip
MEDIAN_S, LONGEST_S = 0.15, 0.5


async def measured(driver: Driver, how: str, times: int) -> tuple[list[float], list[float]]:
    """Press and release so often; give how long the wheels took to turn, and to stand (s)."""
    began, ceased = [], []
    for _ in range(times):
        began.append(await driver.drive(how))
        await some_time(0.2, 0.6)
        ceased.append(await driver.wheels.ceased(await driver.release(how)))
        await some_time(0.1, 0.6)
    return began, ceased


@pytest.mark.parametrize("how", ["mouse", "touch", "KeyW", "ArrowUp"])
async def test_the_wheels_follow_the_hand(scene: Stage, times: int, how: str) -> None:
    driver = await scene.driver(mobile=how == "touch", **({"width": 390, "height": 844} if how == "touch" else {}))
    began, ceased = await measured(driver, how, times)
    said = {"turn after the press": in_words(began), "stand after the release": in_words(ceased)}
    print(how, said)  # noqa: T201 - the figures are the result
    assert max(began) < LONGEST_S, said
    assert max(ceased) < LONGEST_S, said
    assert statistics.median(began) <= MEDIAN_S, said
    assert statistics.median(ceased) <= MEDIAN_S, said
    await driver.page.says("Free", CARD)
    assert driver.page.errors() == []
    await driver.page.close()
