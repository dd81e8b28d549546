"""A tab: what it shows, what its user does, what it complains of."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

from tests.browser.chromium import CdpError, Chromium

#: Home Assistant is made of shadow roots: find through all of them, and read the text that is shown.
_FINDER = """
window.rig = {
  all(selector, root = document) {
    const found = [...root.querySelectorAll(selector)];
    for (const element of root.querySelectorAll("*"))
      if (element.shadowRoot) found.push(...this.all(selector, element.shadowRoot));
    return found;
  },
  one(selector) {
    const shown = this.all(selector).filter((element) => element.getClientRects().length > 0);
    return shown[0];
  },
  box(selector) {
    const element = this.one(selector);
    // while Home Assistant's launch screen fades it lies above everything, and takes what is clicked
    if (!element || document.getElementById("ha-launch-screen")) return null;
    element.scrollIntoView({ block: "center" });
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  },
  text(root = document.body) {
    if (root.nodeType === Node.TEXT_NODE) return root.data.trim();
    if (root.nodeType !== Node.ELEMENT_NODE && root.nodeType !== Node.DOCUMENT_FRAGMENT_NODE) return "";
    if (root instanceof Element) {
      if (["SCRIPT", "STYLE"].includes(root.tagName)) return "";
      const style = getComputedStyle(root);
      if (style.display === "none" || style.visibility === "hidden") return "";
    }
    const inside = root instanceof HTMLSlotElement && root.assignedNodes().length > 0
      ? root.assignedNodes() : [...(root.shadowRoot ?? root).childNodes];
    return inside.map((node) => this.text(node)).filter(Boolean).join(" ");
  },
};
"""
#: Home Assistant's page tries to connect again, while nobody listens: for tests that provoke it.
REFUSED = (
    r"WebSocket connection to 'ws://127\.0\.0\.1:\d+/api/websocket' failed: "
    r"Error in connection establishment: net::ERR_CONNECTION_REFUSED http://127\.0\.0\.1:\d+/frontend_latest/core\.\w+\.js"
)
#: The words of the page, of the dialogs, and of a card by its selector.
_TEXT = "window.rig ? rig.all({}).map((element) => rig.text(element)).join(' ') : ''"


@dataclass
class Page:
    """A tab of a browser that is logged in to Home Assistant."""

    browser: Chromium
    target: str
    session: str
    look: dict[str, Any] = field(default_factory=dict)
    #: what it complained of: errors of the console, of the network, and what nobody caught
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, browser: Chromium, url: str, token: str, *, width: int = 1280, height: int = 900,
                   mobile: bool = False, dark: bool = False, window: bool = False,
                   script: str = "") -> Self:  # fmt: skip
        """Open a page of Home Assistant as the user whose token this is; without one as a stranger.

        With ``window`` in a window and a profile of its own: others stay in view, and their logins apart. ``script``
        runs before anything of the page does.
        """
        where: dict[str, Any] = {}
        if window:
            where["browserContextId"] = (await browser.call("Target.createBrowserContext"))["browserContextId"]
            where["newWindow"] = True
        target = (await browser.call("Target.createTarget", url="about:blank", **where))["targetId"]
        session = (await browser.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = cls(browser, target, session)
        browser.listeners[session] = page._heard
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.call(f"{domain}.enable")
        await page.looks(width, height, mobile=mobile, dark=dark)
        root = "/".join(url.split("/")[:3])
        login = json.dumps({
            "hassUrl": root, "clientId": f"{root}/", "access_token": token, "refresh_token": "", "expires_in": 10**8,
            "expires": int(time.time() + 10**8) * 1000, "token_type": "Bearer",
        })  # fmt: skip
        enter = f"if (location.origin === {json.dumps(root)}) localStorage.hassTokens = {json.dumps(login)};"
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=_FINDER + (enter if token else "") + script)
        await page.goto(url)
        return page

    async def looks(self, width: int, height: int, *, mobile: bool, dark: bool) -> None:
        """Make the window so large, a phone's or not, of somebody who likes it dark or light."""
        self.look = {"width": width, "height": height, "mobile": mobile, "deviceScaleFactor": 2 if mobile else 1}
        await self.call("Emulation.setDeviceMetricsOverride", **self.look)
        await self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Do a command in this tab."""
        return await self.browser.call(method, self.session, **parameters)

    async def goto(self, url: str) -> None:
        """Load an address."""
        await self.call("Page.navigate", url=url)

    async def walk(self, path: str) -> None:
        """Go to another page without loading anything, as Home Assistant's links do."""
        to = f"history.pushState(null, '', {json.dumps(path)})"
        await self.js(f"{to}; dispatchEvent(new CustomEvent('location-changed', {{ detail: {{ replace: false }} }}))")

    async def show(self) -> None:
        """Bring it to the front: only there it gets keys, and is not hidden."""
        await self.browser.call("Target.activateTarget", targetId=self.target)

    async def close(self) -> None:
        """Close the tab."""
        await self.browser.call("Target.closeTarget", targetId=self.target)

    async def js(self, expression: str) -> Any:
        """Evaluate in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, timeout_s: float = 20, what: str = "") -> Any:
        """Wait until an expression is true; gives what it is."""
        end = time.monotonic() + timeout_s
        found = None
        while not found:
            with contextlib.suppress(CdpError):  # a page that is left answers no more
                found = await self.js(expression)
            if not found and time.monotonic() > end:
                said = await self.text()
                raise AssertionError(f"{what or expression}: not within {timeout_s} s; the page says: {said}")
            await asyncio.sleep(0.02)
        return found

    async def text(self, selector: str = "body") -> str:
        """Give the text that is shown in all elements of a selector."""
        return str(await self.js(_TEXT.format(json.dumps(selector))))

    async def says(self, text: str, selector: str = "body", timeout_s: float = 20) -> None:
        """Wait until an element shows a text."""
        inside = f"({_TEXT.format(json.dumps(selector))}).includes({json.dumps(text)})"
        await self.until(inside, timeout_s, f"{text!r} in {selector}")

    async def middle(self, selector: str) -> tuple[float, float]:
        """Give the middle of the first shown element, scrolled into view."""
        box = await self.until(f"window.rig && rig.box({json.dumps(selector)})", what=f"{selector} shown")
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def still(self, selector: str) -> tuple[float, float]:
        """Give the middle of an element that has come to rest: one that moves is missed."""
        before = None
        for _ in range(60):
            if before == (before := await self.middle(selector)):
                return before
            await asyncio.sleep(0.15)
        raise AssertionError(f"{selector} does not come to rest; the page says: {await self.text()}")

    async def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        x, y = await self.still(selector)
        await self.mouse("mouseMoved", x, y)
        await self.mouse("mousePressed", x, y)
        await self.mouse("mouseReleased", x, y)

    @contextlib.asynccontextmanager
    async def held(self, selector: str) -> AsyncIterator[None]:
        """Press the mouse on the middle of an element meanwhile."""
        x, y = await self.still(selector)
        await self.mouse("mouseMoved", x, y)
        await self.mouse("mousePressed", x, y)
        try:
            yield
        finally:
            await self.mouse("mouseReleased", x, y)

    async def fill(self, selector: str, text: str) -> None:
        """Type into a field, until it has taken it: a page that is still being built loses what was typed."""
        field = f"rig.one({json.dumps(selector)})"
        end_s = time.monotonic() + 30
        while await self.js(f"{field}?.value") != text:
            assert time.monotonic() < end_s, f"{selector} does not take {text!r}; the page says: {await self.text()}"
            await self.js(f"{field}?.focus(), {field}?.select()")
            await self.call("Input.insertText", text=text)
            await asyncio.sleep(0.2)

    async def mouse(self, kind: str, x: float, y: float) -> None:
        """Move, press or release the mouse."""
        button = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {"button": "none"}
        buttons = 1 if kind == "mousePressed" else 0
        await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=buttons, **button)

    async def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """Put fingers down, move or lift them."""
        await self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y} for x, y in points])

    async def press(self, key: str) -> None:
        """Press and release a key that is no letter: Enter, Tab, Escape."""
        number, text = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, "")}[key]
        about = {"key": key, "code": key, "windowsVirtualKeyCode": number}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **about, **({"text": text} if text else {}))
        await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def key(self, kind: str, code: str, *, repeats: bool = False, letter: str = "") -> None:
        """Press (``keyDown``) or release (``keyUp``) a key such as ``KeyW``; one that is held ``repeats``.

        On a keyboard of another language the key writes another ``letter``.
        """
        latin = code.removeprefix("Key").lower() if code.startswith("Key") else code
        number = ord(latin.upper()) if len(latin) == 1 else {"ArrowUp": 38, "ArrowDown": 40, "Tab": 9}.get(code, 0)
        await self.call("Input.dispatchKeyEvent", type=kind, code=code, key=letter or latin,
                        windowsVirtualKeyCode=number, autoRepeat=repeats)  # fmt: skip

    async def stretch(self, most: int) -> None:
        """Make the window as high as what it shows, but not higher than that many pixels."""
        height = await self.js("rig.all('hui-view-container, hui-panel-view').map((e) => e.scrollHeight).sort().at(-1)")
        if height and height > self.look["height"]:
            self.look["height"] = min(height + 60, most)
            await self.call("Emulation.setDeviceMetricsOverride", **self.look)

    async def picture(self) -> bytes:
        """Give what is to be seen, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

    def errors(self, *provoked: str) -> list[str]:
        """Give the complaints, without those that the test provoked: patterns of whole lines."""
        return [line for line in self.complaints if not any(re.fullmatch(each, line) for each in provoked)]

    def _heard(self, method: str, event: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "assert"):
            words = [str(each.get("value", each.get("description", each))) for each in event["args"]]
            self.complaints.append(" ".join(words))
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")
