"""On for a while, pressed by hand: the lease card, and the feature at the foot of a tile; what the pin saw tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.broker.steps import SLOW_S, ran
from tests.browser.page import Page
from tests.browser.stage import Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
LAMP, PIN = "light.car1_lamp", 18
MINUTES, BRIEFLY_S = [1, 0.1], 6.0
CARDS: dict[str, dict[str, Any]] = {
    "pimqtt-lease-card": {"type": "custom:pimqtt-lease-card", "entity": LAMP, "minutes": MINUTES},
    "pimqtt-lease-feature": {
        "type": "tile", "entity": LAMP, "features": [{"type": "custom:pimqtt-lease-feature", "minutes": MINUTES}],
    },
}  # fmt: skip
DASHBOARD = "rig-leases"
#: What the countdown of a card shows (s).
LEFT_S = r"""(() => {{
    const timer = rig.all("{}").map((one) => one.shadowRoot.querySelector("[role=timer]")).find(Boolean);
    const said = /(?:(\d+):)?(\d+)/.exec(timer?.textContent ?? "");
    return said && 60 * (said[1] ?? 0) + Number(said[2]);
}})()"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dashboard(scene: Stage) -> str:
    """Make a dashboard by hand, with a page for each."""
    about = {"url_path": DASHBOARD, "title": "Leases", "mode": "storage", "require_admin": False}
    await scene.ha.ask("lovelace/dashboards/create", **about)
    views = [{"title": name, "path": name, "cards": [card]} for name, card in CARDS.items()]
    await scene.ha.ask("lovelace/config/save", url_path=DASHBOARD, config={"views": views})
    return f"/{DASHBOARD}"


@pytest_asyncio.fixture(params=CARDS, loop_scope="session")
async def shown(scene: Stage, dashboard: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Page, str]]:
    """Open the page of one of them; leave the lamp off."""
    page = await scene.page(f"{dashboard}/{request.param}")
    await page.show()
    yield page, request.param
    await scene.ha.ask("pimqtt/command", entity_id=LAMP, value="OFF")
    assert page.errors() == []
    await page.close()


async def press(page: Page, label: str) -> None:
    """Press the button of that label."""
    await page.click(f"button[aria-label='{label}']:not(:disabled)")


async def left_s(page: Page, card: str) -> int:
    """Wait for the countdown; gives what it shows."""
    return int(await page.until(LEFT_S.format(card)))


async def sees(scene: Stage, before: int, *levels: float, timeout_s: float = 20) -> list[dict[str, Any]]:
    """Wait until the lamp's pin saw these levels, and no other; gives the rows."""
    end = asyncio.get_running_loop().time() + timeout_s
    while len(rows := [row for row in scene.pi.rows() if row["pin"] == PIN][before:]) < len(levels):
        assert asyncio.get_running_loop().time() < end, rows
        await asyncio.sleep(0.02)
    assert [row["value"] for row in rows] == list(levels)
    return rows


async def test_on_for_a_while_counts_down_and_ends_by_itself(scene: Stage, shown: tuple[Page, str]) -> None:
    page, card = shown
    before = scene.pi.marks()[PIN]
    sent_ns = time.monotonic_ns()
    await press(page, "On for 0.1 min")
    await sees(scene, before, 1)
    seen = [await left_s(page, card)]
    while [row["value"] for row in scene.pi.rows() if row["pin"] == PIN][before:] == [1]:
        assert time.monotonic_ns() < sent_ns + 2e9 * BRIEFLY_S, "the lamp does not go off"
        if (now := await page.js(LEFT_S.format(card))) and now != seen[-1]:
            seen.append(now)
    assert len(seen) > 1, "it counts"
    assert seen == sorted(seen, reverse=True)
    assert seen[0] <= BRIEFLY_S
    on, off = await sees(scene, before, 1, 0)
    ran(BRIEFLY_S, sent_ns, on["t_ns"], off["t_ns"], SLOW_S)
    await page.until("!!rig.one(\"button[aria-label='On for 1 min']\")")


async def test_it_is_extended_and_ended(scene: Stage, shown: tuple[Page, str]) -> None:
    page, card = shown
    before = scene.pi.marks()[PIN]
    await press(page, "On for 1 min")
    assert 50 <= await left_s(page, card) <= 60
    await press(page, "1 min more")
    await page.until(f"rig.text(rig.one('{card}')).includes('1:5')")
    assert 110 <= await left_s(page, card) <= 120
    await sees(scene, before, 1)

    await press(page, "End now")
    await sees(scene, before, 1, 0)
    await page.until("!!rig.one(\"button[aria-label='On for 1 min']\")")
