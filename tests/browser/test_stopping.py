"""Whatever takes the driver away stops the car: within its dead-man, and where a stop can still be sent at once."""

from __future__ import annotations

import time

import pytest

from tests.browser import ring
from tests.browser.line import Line
from tests.browser.page import REFUSED
from tests.browser.stage import Driver, Stage
from tests.browser.wheels import DEADMAN_S, in_words, some_time

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(1800),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
LIMIT_S = DEADMAN_S + 0.05
#: While Home Assistant starts it has no dashboards of integrations yet. Its page then looks for the open view on a
#: dashboard of its own, which has one view only, and for the sources of its own lines where that failed.
STARTING = (
    REFUSED,
    REFUSED.replace("in connection establishment", "during WebSocket handshake").replace("REFUSED", "RESET"),
    r"TypeError: Cannot use 'in' operator to search for 'strategy' in undefined(\n +at .*/frontend_latest/.*)+",
    r"Failed to load resource: net::ERR_NAME_NOT_RESOLVED https://raw\.githubusercontent\.com/home-assistant/frontend/.*",
    r"Failed to load resource: .* 404 \(Not Found\) http://127\.0\.0\.1:\d+/unknown/node_modules/.*",
)


def judge(what: str, ceased: list[float], limit_s: float = LIMIT_S) -> None:
    print(what, in_words(ceased))  # noqa: T201 - the figures are the result
    assert max(ceased) <= limit_s, in_words(ceased)


async def driving(driver: Driver) -> int:
    """Drive for a while; gives the time when something happens (ns)."""
    await driver.ready()
    await driver.drive()
    await some_time(0.3, 1)
    assert driver.wheels.turning
    return time.monotonic_ns()


async def test_the_tab_is_hidden(scene: Stage, times: int) -> None:
    driver = await scene.driver()
    ceased = []
    for _ in range(times):
        since_ns = await driving(driver)
        other = (await scene.browser.call("Target.createTarget", url="about:blank"))["targetId"]
        await scene.browser.call("Target.activateTarget", targetId=other)
        ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
        assert await driver.page.js("document.visibilityState") == "hidden"
        await scene.browser.call("Target.closeTarget", targetId=other)
        await driver.release()
    judge("tab hidden:", ceased)
    assert driver.page.errors() == []
    await driver.page.close()


async def test_the_page_is_closed(scene: Stage, times: int) -> None:
    ceased = []
    for _ in range(times):
        driver = await scene.driver()
        since_ns = await driving(driver)
        await driver.page.close()
        ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
        assert driver.page.errors() == []
    judge("page closed:", ceased)


async def test_the_page_goes_elsewhere(scene: Stage, times: int) -> None:
    """Another page of the dashboard: the card leaves the page, Home Assistant stays."""
    driver = await scene.driver()
    ceased = []
    for _ in range(times):
        since_ns = await driving(driver)
        await driver.page.walk("/pimqtt/overview")
        ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
        await driver.release()
        await driver.page.walk(scene.car)
    judge("another page:", ceased)
    assert driver.page.errors() == []
    await driver.page.close()


async def test_the_browser_is_killed(scene: Stage, times: int) -> None:
    ceased = []
    for _ in range(times):
        driver = await scene.driver()
        since_ns = await driving(driver)
        scene.browser.kill()
        ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
        await scene.browser.stop()
        await scene.browser.start()
    judge("browser killed:", ceased)


async def test_the_websocket_is_cut(scene: Stage, times: int) -> None:
    async with Line(int(scene.ha.url.rpartition(":")[2])) as line:
        driver = await scene.driver(url=f"http://127.0.0.1:{line.port}")
        ceased = []
        for _ in range(times):
            since_ns = await driving(driver)
            line.cut()
            ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
            await driver.release()
        assert driver.page.errors() == []
        await driver.page.close()
    judge("websocket cut:", ceased)


async def test_what_a_stalled_line_delivers_late_moves_nothing(scene: Stage, times: int) -> None:
    """The driver goes on pressing; all that waited comes in one burst, each command with the token that it had."""
    async with Line(int(scene.ha.url.rpartition(":")[2])) as line:
        driver = await scene.driver(url=f"http://127.0.0.1:{line.port}")
        ceased = []
        for _ in range(times):
            since_ns = await driving(driver)
            line.stall()
            await some_time(0.1, 0.2)  # an answer that is under way still counts
            shares = await ring.shares(driver.page, 0.7)
            assert shares == sorted(shares, reverse=True), "the ring of the dead-man empties"
            assert shares[0] > 0 == shares[-1], shares
            await driver.wheels.wait(turning=False, timeout_s=2)
            await some_time(0.2, 0.6)
            await driver.release()
            line.flow()
            ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
        assert driver.page.errors() == []
        await driver.page.close()
    judge("line stalled, then all at once:", ceased)


async def test_home_assistant_is_killed(scene: Stage, times: int) -> None:
    driver = await scene.driver()
    ceased = []
    for _ in range(times):
        since_ns = await driving(driver)
        scene.ha.kill()
        ceased.append(await driver.wheels.ceased(since_ns, watch_s=0.8))
        await driver.release()
        await scene.ha.start()
        await driver.page.goto(scene.ha.url + scene.car)
    judge("Home Assistant killed:", ceased)
    assert driver.page.errors(*STARTING) == []
    await driver.page.close()
