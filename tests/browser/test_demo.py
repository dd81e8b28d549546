"""`scripts/demo --home-assistant`: the whole product by one command, as its user meets it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
import pytest_asyncio

from tests.browser.chromium import Chromium
from tests.browser.page import Page
from tests.browser.stage import of_pimqtt
from tests.console.demo_process import Demo, gone
from tests.ha.rig import warnings_in
from tests.rig import wait_for

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
READY = re.compile(r"READY url=(http://127\.0\.0\.1:\d+) user=(\w+) password=(\w+)")


def said(demo: Demo) -> list[str]:
    """Give the whole lines of its output that speak of READY."""
    return [line for line in demo.text.splitlines(keepends=True) if "READY" in line and line.endswith("\n")]


def ready(demo: Demo) -> tuple[str, str, str]:
    """Wait for the line; give address, user and password."""
    wait_for(lambda: said(demo) or demo.process.poll() is not None, 300, "READY")
    assert said(demo), demo.complaints
    found = READY.fullmatch(said(demo)[0].removesuffix("\n"))
    assert found, said(demo)
    return found[1], found[2], found[3]


@contextlib.contextmanager
def heard(demo: Demo) -> Iterator[None]:
    """Check what it said up to its end: one line READY, and in Home Assistant's log nothing of pimqtt."""
    (log,) = (demo.folder / "tmp").rglob("home-assistant.log")
    with log.open(errors="replace") as file:  # which the demo removes at its end
        yield
        assert len(said(demo)) == 1, demo.text
        assert of_pimqtt(warnings_in(file.read()), log.parent) == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"), "--home-assistant")
    try:
        ready(running)
        with heard(running):
            yield running
            assert running.end(timeout_s=30) == 0
    finally:
        running.process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def page(demo: Demo) -> AsyncIterator[Page]:
    """Open the address as a stranger, and log in by hand."""
    url, user, password = ready(demo)
    async with Chromium() as browser:
        page = await Page.open(browser, url, "")
        await page.show()
        await page.says("Keep me logged in")
        await page.fill("input[name=username]", user)
        await page.fill("input[name=password]", password)
        await page.press("Enter")
        yield page


async def test_the_dashboard_is_what_its_user_sees_first(page: Page, demo: Demo) -> None:
    await page.says("Demo Pi", timeout_s=60)
    await page.says("Emergency stop")
    assert await page.js("location.pathname") in ("/pimqtt", "/pimqtt/overview")
    await page.walk("/pimqtt/drive-demo-car")
    await page.until("rig.one('.pad')?.ariaDisabled === 'false'", 30)
    x, y = await page.still(".pad")
    since = len(demo.text)
    await page.mouse("mousePressed", x, y - 60)
    await asyncio.to_thread(wait_for, lambda: re.search(r"pin 5 +level +(0\.\d|1)", demo.text[since:]), 15, "it turns")
    await page.mouse("mouseReleased", x, y - 60)
    await asyncio.to_thread(wait_for, lambda: re.search(r"pin 5 +level +0\n", demo.text[since:]), 15, "wheels stand")
    assert page.errors() == []


async def test_it_listens_on_loopback_only_and_leaves_nothing(tmp_path: Path) -> None:
    shown = Demo(tmp_path, "--home-assistant", "--seconds", "15")
    url, *_ = await asyncio.to_thread(ready, shown)
    children = shown.children()
    assert any("homeassistant" in line for line in children.values())
    assert any("mosquitto" in line for line in children.values())
    assert set(listening(children, "tcp")) == {"127.0.0.1"}
    assert set(listening(children, "udp")) <= {"127.0.0.1", "*"}, "mDNS of Home Assistant, on loopback's interface only"
    with heard(shown):
        assert await asyncio.to_thread(shown.process.wait, 40) == 0
    assert "Traceback" not in shown.complaints
    assert gone(children)
    assert shown.left() == []
    with pytest.raises(URLError):
        build_opener(ProxyHandler({})).open(url, timeout=2)


def listening(pids: Iterable[int], protocol: str) -> Iterator[str]:
    """Name the addresses that these processes listen at."""
    told = subprocess.run(["ss", "-lnpH", f"--{protocol}"], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        if any(f"pid={pid}," in line for pid in pids):
            yield line.split()[3].rpartition(":")[0]
