"""What else is pressed on the dashboard: a pin of the header that is set for a while, and the search of the fleet."""

from __future__ import annotations

import time

import pytest

from tests.broker.steps import SLOW_S, ran
from tests.browser.stage import Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
#: The pump's line, and its place on the header.
LINE, PLACE = 17, 11
#: The place of a line that nobody uses.
FREE = 13
TTL_S = 8


async def test_a_pin_is_seen_and_set_for_a_while(scene: Stage) -> None:
    page = await scene.page("/pimqtt/pi-car1")
    await page.show()
    await page.click(f"#pin-{PLACE} .number")
    for words in ("GPIO17", "Pump switch", "output, low", "Seconds"):
        await page.says(words, ".detail")
    await page.fill(".detail input", str(TTL_S))
    before = scene.pi.marks()[LINE]
    sent_ns = time.monotonic_ns()
    await page.click(".detail button.strong")
    await scene.pi.changed({LINE: before}, {LINE: [1.0]}, 10)
    await page.says("output, high", ".detail", TTL_S)
    assert "high" in await page.js(f"rig.one('#pin-{PLACE}').getAttribute('aria-label')")

    await scene.pi.changed({LINE: before}, {LINE: [1.0, 0.0]}, TTL_S + 10)
    on, off = [row["t_ns"] for row in scene.pi.rows() if row["pin"] == LINE][before:]
    ran(TTL_S, sent_ns, on, off, SLOW_S)
    await page.says("output, low", ".detail")

    await page.click(f"#pin-{FREE} .number")
    for words in ("GPIO27", "No device uses it."):
        await page.says(words, ".detail")
    assert await page.js(f"rig.one('#pin-{FREE}').getAttribute('aria-label')") == "Pin 13, GPIO27, free"
    assert page.errors() == []
    await page.close()


async def test_what_a_pin_is_asked_beyond_its_limits_is_refused_in_words(scene: Stage) -> None:
    page = await scene.page("/pimqtt/pi-car1")
    await page.show()
    await page.click(f"#pin-{PLACE} .number")
    await page.says("Seconds", ".detail")
    before = scene.pi.marks()[LINE]
    await page.fill(".detail input", "61")
    await page.click(".detail button.strong")
    await page.says("That time is not allowed.", ".detail .bad")
    assert scene.pi.marks()[LINE] == before
    assert page.errors() == []
    await page.close()


async def test_the_fleet_is_searched_for_five_seconds(scene: Stage) -> None:
    page = await scene.page("/pimqtt/fleet")
    await page.show()
    await page.click(".search button")
    start_s = time.monotonic()
    await page.says("Searching", "pimqtt-fleet-card")
    seen = [await page.until("rig.one('.search progress')?.value")]
    while "Searching" in await page.text("pimqtt-fleet-card"):
        assert time.monotonic() < start_s + 20, "it searches for ever"
        seen.append(await page.js("rig.one('.search progress')?.value") or seen[-1])
    assert 4.5 < time.monotonic() - start_s < 10
    assert seen == sorted(seen)
    assert len(set(seen)) >= 5, "it goes on"
    await page.says("1 found, 0 new", "pimqtt-fleet-card")
    await page.until("!rig.one('.search button').disabled")
    assert page.errors() == []
    await page.close()
