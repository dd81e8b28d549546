"""Whoever reads from right to left: nothing lies over another or sticks out, and right is still the car's right."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio

from tests.browser.page import Page
from tests.browser.showroom import LOOKS, settled
from tests.browser.stage import CARD, PAD, READY, Driver, Stage
from tests.ha.api import Api

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
PAGES = {
    "overview": ("pimqtt-stop-card", "pimqtt-attention-card", "pimqtt-node-card"),
    "pi-car1": ("pimqtt-lease-card", "pimqtt-header-card"),
    "drive-car1-car": (CARD, "pimqtt-stop-card"),
}
#: What of our cards' texts, where it is drawn, lies over another, or sticks out of a card that does not cut it.
_FAULTS = """
(() => {
  const found = [];
  const ours = ({ localName }) => localName.startsWith("pimqtt-") && localName.endsWith("-card");
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const beyond = (box, left, right) => box.left < left - 1 || box.right > right + 1;
  const drawn = (node) => {
    const range = document.createRange();
    range.selectNode(node);
    const cut = getComputedStyle(node.parentElement).overflow !== "visible";
    return { text: node.data.trim(), cut, box: range.getBoundingClientRect() };
  };
  for (const card of rig.all("*").filter((one) => ours(one) && one.getClientRects().length > 0)) {
    const frame = card.getBoundingClientRect();
    if (beyond(frame, 0, innerWidth)) found.push(`${card.localName} sticks out`);
    const texts = rig.all("*", card.shadowRoot)
      .filter((one) => !one.closest("style, svg, .hidden, .age, .pad"))
      .flatMap((one) => [...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
      .map(drawn).filter(({ box }) => box.width > 0);
    for (const [index, { text, cut, box }] of texts.entries()) {
      if (!cut && beyond(box, frame.left, frame.right)) found.push(`${card.localName}: ${text} sticks out`);
      for (const other of texts.slice(index + 1))
        if (over(box, other.box)) found.push(`${card.localName}: ${text} lies over ${other.text}`);
    }
  }
  return found;
})()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader(scene: Stage) -> str:
    """Move somebody in who reads Hebrew; gives the token."""
    theirs = Api(scene.ha.url)
    theirs.token = await scene.resident("Noa", "system-users")
    language = {"language": "he", "number_format": "language", "time_format": "language"}
    await theirs.ask("frontend/set_user_data", key="language", value=language)
    return theirs.token


async def opened(scene: Stage, reader: str, path: str) -> Page:
    """Open a page in a profile of its own, as a browser keeps the language; wait until all of it is there."""
    page = await scene.page(f"/pimqtt/{path}", token=reader, window=True)
    await page.show()
    for card in PAGES[path]:
        await page.until(f"!!window.rig?.one('{card}')?.shadowRoot?.querySelector('ha-card')", 40, card)
        assert await page.js(f"getComputedStyle(rig.one('{card}')).direction") == "rtl", card
    return page


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_overlaps_or_sticks_out(scene: Stage, reader: str, path: str) -> None:
    page = await opened(scene, reader, path)
    faults = {}
    for name in ("wide-light", "phone-light"):
        await page.looks(**vars(LOOKS[name]))
        await settled(page)
        faults[name] = await page.js(_FAULTS)
    assert faults == {"wide-light": [], "phone-light": []}, json.dumps(faults, indent=1, ensure_ascii=False)
    assert page.errors() == []
    await page.close()


async def test_what_is_looked_for_is_found_where_it_is(scene: Stage, reader: str) -> None:
    page = await opened(scene, reader, "drive-car1-car")
    await page.until(READY, 40)
    say, label = (f"rig.one('{CARD}').shadowRoot.querySelector('{one}')" for one in (".say", ".controls label"))
    assert await page.js(_FAULTS) == []
    await page.js(f"{say}.style.transform = 'translate(-9999px)'")
    assert any("sticks out" in fault for fault in await page.js(_FAULTS))
    below = f"{label}.getBoundingClientRect().y - {say}.getBoundingClientRect().y"
    await page.js(f"{say}.style.transform = `translate(0, ${{{below}}}px)`")
    assert any("lies over" in fault for fault in await page.js(_FAULTS))
    await page.close()


@pytest.mark.parametrize(("to", "lines"), [(60, (5, 19)), (-60, (6, 13))])
async def test_the_right_of_the_joystick_is_the_right_of_the_car(
    scene: Stage, reader: str, to: int, lines: tuple[int, int]
) -> None:
    driver = Driver(await opened(scene, reader, "drive-car1-car"), scene.wheels)
    await driver.ready()
    x, y = await driver.page.middle(PAD)
    await driver.page.mouse("mouseMoved", x + to, y)
    await driver.page.mouse("mousePressed", x + to, y)
    await scene.wheels.wait(turning=True, timeout_s=3)
    knob = await driver.page.js("rig.one('.knob').getBoundingClientRect().toJSON()")
    assert (knob["x"] + knob["width"] / 2 - x) * to > 0, "the knob is under the finger"
    assert {line for line in (5, 6, 13, 19) if scene.pi.levels(line)[-1] > 0} == set(lines)
    await scene.wheels.ceased(await driver.release())
    await driver.page.close()
