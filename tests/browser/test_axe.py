"""Every page by axe-core's rules of WCAG 2, A and AA: wide and on a phone, light and dark, also where it opens up."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.page import Page
from tests.browser.showroom import LOOKS, PAGES, settled
from tests.browser.stage import Stage
from tests.rig import ROOT

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
AXE = ROOT / "homeassistant_component/frontend/node_modules/axe-core/axe.min.js"
#: What is ours on a page, by these rules; how much was looked at tells that something was.
_RUN = """
(async () => {
  const ours = rig.all("*").filter((each) => each.tagName.startsWith("PIMQTT-") && each.getClientRects().length > 0);
  const { passes, violations } = await axe.run({ include: ours }, { runOnly: ["wcag2a", "wcag2aa"] });
  return { passed: passes.length, violations: violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => [id, target.flat().at(-1), failureSummary])) };
})()
"""


@pytest.fixture(scope="module")
def axe() -> str:
    """Give axe-core's source, installing the cards' packages where that was not yet done."""
    made = subprocess.run([ROOT / "scripts/frontend", "install"], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(made.stderr)
    return AXE.read_text()


@pytest_asyncio.fixture(loop_scope="session")
async def latched(demo: Stage) -> AsyncIterator[None]:
    """Let a test run while an emergency stop holds the Pi."""
    await demo.ha.ask("pimqtt/stop", node="car1")
    yield
    await demo.ha.ask("pimqtt/reset", node="car1")


async def judged(page: Page, axe: str) -> None:
    """Check the page in every look; nothing of it complained."""
    await page.js(f"{axe}; 0")
    found = {}
    for name, look in LOOKS.items():
        await page.looks(**vars(look))
        await settled(page)
        result = await page.js(_RUN)
        assert result["passed"] > 5, result
        found[name] = result["violations"]
    assert not any(found.values()), json.dumps(found, indent=1)
    assert page.errors() == []


async def opened(demo: Stage, name: str, *words: str) -> Page:
    """Open a page and wait for its words."""
    page = await demo.page(PAGES[name][0])
    await page.show()
    for word in words or PAGES[name][1]:
        await page.says(word, timeout_s=40)
    return page


@pytest.mark.parametrize("name", PAGES)
async def test_a_page(demo: Stage, axe: str, name: str) -> None:
    page = await opened(demo, name)
    await judged(page, axe)
    await page.close()


async def test_a_pin_that_can_be_set(demo: Stage, axe: str) -> None:
    page = await opened(demo, "node")
    await page.click("#pin-11 .number")
    await page.says("Seconds", "pimqtt-header-card")
    await judged(page, axe)
    await page.close()


@pytest.mark.usefixtures("latched")
@pytest.mark.parametrize("name", ["overview", "drive"])
async def test_an_emergency_stop(demo: Stage, axe: str, name: str) -> None:
    page = await opened(demo, name, "Emergency stop", "Hold to reset")
    await judged(page, axe)
    await page.close()
