"""A broker, a simulated car, a Home Assistant with the component and its dashboard, and drivers at their browsers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.browser.chromium import Chromium
from tests.browser.page import Page
from tests.browser.wheels import CAR, Wheels
from tests.ha.api import Api, ApiError, until
from tests.ha.pi import Pi
from tests.ha.rig import HomeAssistant
from tests.rig import ROOT, Mosquitto

COMPONENT = ROOT / "homeassistant_component/custom_components/pimqtt"
PAD, CARD = ".pad", "pimqtt-drive-card"
#: The lines of the car that take it there.
FORWARD, BACKWARD = (5, 13), (6, 19)
READY = "window.rig?.one('.pad')?.ariaDisabled === 'false'"
DEVICES = (CAR, "{id: lamp, kind: light, pin: 18}", "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}")


@dataclass
class Stage:
    """All of it, running."""

    ha: HomeAssistant
    pi: Pi
    wheels: Wheels
    browser: Chromium
    #: how much of Home Assistant's log was looked at
    _heard: int = 0

    @property
    def car(self) -> str:
        """The path of the car's page."""
        return f"/pimqtt/drive-{self.pi.name}-car"

    async def heard(self) -> bool:
        """Tell whether the component heard what the Pi says of itself."""
        with contextlib.suppress(ApiError):
            return bool(await self.ha.ask("pimqtt/pins", node=self.pi.name))
        return False

    def grumbles(self) -> list[str]:
        """Give what Home Assistant's log has of pimqtt, as WARNING or worse, since the last look at it."""
        since, self._heard = self._heard, len(self.ha.log())
        return of_pimqtt(self.ha.warnings(since), self.ha.config)

    def hear(self) -> None:
        """Fail where Home Assistant's log names pimqtt since the last look at it."""
        said = self.grumbles()
        assert not said, "Home Assistant's log names pimqtt:\n" + "\n".join(said)

    @contextlib.asynccontextmanager
    async def goes_on(self, lines: tuple[int, ...]) -> AsyncIterator[None]:
        """Check that just these of the car's lines have power all the while, and that it does not pause."""
        before, since_ns = len(self.wheels.changes), time.monotonic_ns()
        yield
        await self.wheels.wait(turning=True, timeout_s=3)
        ended = [turns for _, turns in self.wheels.changes[before:] if not turns]
        assert not ended, "the car paused"
        others = {*FORWARD, *BACKWARD} - set(lines)
        assert [line for line in others if any(self.pi.levels(line)[-1:])] == []
        moved = [row for row in self.pi.rows() if row["pin"] in others and row["value"] and row["t_ns"] >= since_ns]
        assert not moved, "a pin moved"

    async def page(self, path: str = "", *, token: str = "", url: str = "", **look: Any) -> Page:
        """Open a page of the dashboard: by default the car's, as the owner of the house."""
        return await Page.open(self.browser, (url or self.ha.url) + (path or self.car), token or self.ha.token, **look)

    async def driver(self, **how: Any) -> Driver:
        """Open the car's page and wait until it may be driven."""
        driver = Driver(await self.page(**how), self.wheels)
        await driver.ready()
        return driver

    async def resident(self, name: str, group: str) -> str:
        """Move a user of a group (``system-users``, ``system-read-only``) in; return this user's token."""
        return await _resident(self.ha, name, group)


@dataclass
class Driver:
    """Somebody at a car's page."""

    page: Page
    wheels: Wheels

    async def ready(self) -> None:
        """Wait until the car may be driven (again), and the page has come to rest: a pad that moves is missed."""
        await self.page.show()
        await self.page.until(READY, 40, "a pad that may be used")
        before = None
        while before != (before := await self.page.middle(PAD)):
            await asyncio.sleep(0.5)

    async def press(self, how: str = "mouse") -> int:
        """Push the stick forward; gives when (ns)."""
        x, y = await self.page.middle(PAD)
        match how:
            case "mouse":
                await self.page.mouse("mouseMoved", x, y - 60)
                pressed_ns = time.monotonic_ns()
                await self.page.mouse("mousePressed", x, y - 60)
            case "touch":
                pressed_ns = time.monotonic_ns()
                await self.page.touch("touchStart", (x, y - 60))
            case _:
                await self.page.js(f"rig.one({json.dumps(PAD)}).focus()")
                pressed_ns = time.monotonic_ns()
                await self.page.key("keyDown", how)
        return pressed_ns

    async def release(self, how: str = "mouse") -> int:
        """Let the stick go; gives when (ns)."""
        ended_ns = time.monotonic_ns()
        match how:
            case "mouse":
                await self.page.mouse("mouseReleased", 1, 1)
            case "touch":
                await self.page.touch("touchEnd")
            case _:
                await self.page.key("keyUp", how)
        return ended_ns

    async def drive(self, how: str = "mouse") -> float:
        """Drive forward until something ends it; gives how long the wheels took to turn (s)."""
        pressed_ns = await self.press(how)
        try:
            return await self.wheels.began(pressed_ns)
        except AssertionError as error:
            error.add_note(f"the card says: {await self.page.text(CARD)}; complaints: {self.page.complaints}")
            raise


@contextlib.asynccontextmanager
async def stage(python: str, folder: Path, *devices: str, title: str = "") -> AsyncIterator[Stage]:
    """Build it; the Pi is `car1`, whatever its title."""
    with Mosquitto(folder) as broker:
        ha = HomeAssistant(python, broker.port)
        ha.install(COMPONENT)
        ha.configure("recorder:\nconfig:\n")
        pi = Pi(folder / "node", broker.port, "car1", devices or DEVICES, title=title)
        with pi:
            async with ha, Chromium() as browser:
                await _accept(ha, title or "Car1")
                entry = await ha.entry("pimqtt")
                flow = "/api/config/config_entries/options/flow"
                step = await ha.rest("POST", flow, {"handler": entry["entry_id"]})
                await ha.rest("POST", f"{flow}/{step['flow_id']}", {"sidebar": True})
                built = Stage(ha, pi, Wheels(pi.trace), browser)
                await until(built.heard, 60, "the Pi, heard by the component that its options loaded anew")
                yield built
                await ha.stop()
                built.hear()


async def _accept(ha: HomeAssistant, name: str) -> None:
    """Set the component up as Home Assistant offers it, which heard what the Pi says of itself."""

    async def offered() -> dict[str, Any] | None:
        flows = await ha.ask("config_entries/flow/progress")
        found = (flow for flow in flows if (flow["handler"], flow["context"]["source"]) == ("pimqtt", "mqtt"))
        return next(found, None)

    flow = await until(offered, 60, "pimqtt, found by the info of its Pi")
    assert flow["context"]["title_placeholders"] == {"name": name}
    done = await ha.rest("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", {})
    assert done["type"] == "create_entry", done


def of_pimqtt(warnings: Iterable[str], config: Path) -> list[str]:
    """Choose those that name pimqtt, other than by the name of the folder that Home Assistant runs in."""
    return [line for line in (line.replace(str(config), "") for line in warnings) if "pimqtt" in line]


async def _resident(ha: HomeAssistant, name: str, group: str) -> str:
    user = (await ha.ask("config/auth/create", name=name, group_ids=[group]))["user"]["id"]
    login = {"username": f"{name.lower()}-{user[:8]}", "password": "not so secret"}  # a test may be tried once more
    await ha.ask("config/auth_provider/homeassistant/create", user_id=user, **login)
    theirs = Api(ha.url)
    client = {"client_id": f"{ha.url}/"}
    about = {**client, "handler": ["homeassistant", None], "redirect_uri": f"{ha.url}/"}
    flow = await theirs.rest("POST", "/auth/login_flow", about)
    code = (await theirs.rest("POST", f"/auth/login_flow/{flow['flow_id']}", {**client, **login}))["result"]
    form = urlencode({"grant_type": "authorization_code", "code": code, **client}).encode()
    answer = await theirs.fetch("POST", "/auth/token", form, "application/x-www-form-urlencoded")
    theirs.token = json.loads(answer)["access_token"]
    return str(await theirs.ask("auth/long_lived_access_token", client_name="rig", lifespan=30))
