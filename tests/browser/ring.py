"""The ring of the dead-man on the drive card, as it is drawn."""

from __future__ import annotations

from tests.browser.page import Page

#: The share that is drawn of the circle, in each frame of some time; 0 where nothing is to be seen.
_LOOK = """
new Promise((end) => {
  const seen = [], until_ms = performance.now() + SECONDS * 1000;
  const look = () => {
    const ring = rig.all(".pad .ring circle")[1], style = getComputedStyle(ring);
    const whole = ring.pathLength.baseVal || ring.getTotalLength();
    const drawn = style.visibility === "visible" && style.stroke !== "none" && ring.getBoundingClientRect().width > 100;
    seen.push(drawn ? Math.min(1, parseFloat(style.strokeDasharray) / whole) : 0);
    if (performance.now() < until_ms) requestAnimationFrame(look); else end(seen);
  };
  look();
})
"""


async def shares(page: Page, seconds: float = 0) -> list[float]:
    """Watch it for so long; gives what was left of the dead-man in each frame (0 to 1)."""
    return [float(share) for share in await page.js(_LOOK.replace("SECONDS", str(seconds)))]


async def runs(page: Page, seconds: float) -> None:
    """Watch it for so long, and check that it is to be seen all the while, and moves."""
    # the wheels turn before the page hears that its command was accepted
    await page.until("getComputedStyle(rig.all('.pad .ring circle')[1]).visibility === 'visible'", 2, "the ring")
    seen = await shares(page, seconds)
    assert min(seen) > 0, seen
    assert len(set(seen)) > 3, seen
