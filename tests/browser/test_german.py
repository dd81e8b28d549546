"""Whoever has Home Assistant in German reads German on every page, and of our own words the English nowhere."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.page import Page
from tests.browser.stage import Stage, stage
from tests.ha.api import Api, ApiError, until
from tests.rig import ROOT

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
#: Named so that no word of ours is theirs too.
DEVICES = (
    "{id: wagen, name: Wagen, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}}",
    "{id: pumpe, name: Pumpe, kind: switch, pin: 17, ttl: {default: 5, max: 60}}",
    "{id: haustuer, name: Haustür, kind: binary_sensor, pin: 22}",
    "{id: auge, name: Auge, kind: camera, source: synthetic}",
)
PAGES = {
    "overview": ("Übersicht", "Not-Halt", "Bereit: alle Pis", "Nichts braucht Aufmerksamkeit", "auf Zeit an"),
    "pi-car1": ("Ausgänge", "Bewegung", "Eingänge", "Der Pi selbst", "Stiftleiste", "links vorwärts", "1 hoch"),
    "drive-car1-wagen": ("Frei", "Fahren mit W A S D oder den Pfeiltasten", "Tempolimit", "Anhalten", "Not-Halt"),
    "cameras": ("Auge", " alt"),
    "fleet": ("1 von 1 online", "5 s lang suchen", "Einen Pi hinzufügen", "Kopieren", "Er erscheint hier von selbst"),
}  # fmt: skip
#: What is to be copied into a Pi's configuration is no text.
CODE = re.compile(r"kind: \w+")
STRINGS = ROOT / "homeassistant_component/frontend/src/strings"
#: Text and labels of what is ours on the page; tiles are Home Assistant's, with names that the Pi announces.
OURS = """
[...new Set(rig.all("*").filter((one) => one.localName.startsWith("pimqtt-") || one.localName === "hui-heading-card"
    || one.localName === "hui-markdown-card" || one.getAttribute("role") === "tab"))].flatMap((one) => [
  rig.text(one),
  ...rig.all("*", one.shadowRoot ?? one).flatMap((each) =>
    ["aria-label", "title", "placeholder", "alt"].map((name) => each.getAttribute(name) ?? "")),
]).filter(Boolean).join("\\n")
"""


def strings(language: str) -> dict[str, str]:
    """Read our texts in a language, by their keys."""
    rows = (STRINGS / f"{language}.ts").read_text() + (STRINGS / f"{language}-pages.ts").read_text()
    return dict(re.findall(r'^  "([\w.]+)": "(.*)",$', rows, re.MULTILINE))


def english_in(text: str) -> list[str]:
    """List the English texts, other than in German, that stand in a text as whole words."""
    german, text = strings("de"), CODE.sub("", text)
    found = []
    for key, english in strings("en").items():
        words = r".+?".join(map(re.escape, re.split(r"\{\w+\}", english)))
        if english != german[key] and re.search(rf"(?<![\w-]){words}(?![\w-])", text):
            found.append(f"{key}: {english}")
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(ha_python: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Give a stage with a device of most kinds, and a picture of the camera."""
    async with stage(ha_python, tmp_path_factory.mktemp("german"), *DEVICES) as built:
        eye = await built.ha.entity_id(built.pi.unique_id("auge"))

        async def pictured() -> bytes | None:
            with contextlib.suppress(ApiError):
                return await built.ha.camera_image(eye)
            return None

        await until(pictured, 20, "a picture of the camera")
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def greta(house: Stage) -> str:
    """Move somebody in who speaks German; gives her token."""
    hers = Api(house.ha.url)
    hers.token = await house.resident("Greta", "system-users")
    language = {"language": "de", "number_format": "language", "time_format": "language"}
    await hers.ask("frontend/set_user_data", key="language", value=language)
    return hers.token


async def read(house: Stage, token: str, path: str, *words: str) -> tuple[Page, str]:
    """Open a page in a profile of its own, as a browser keeps the language, and wait for words; gives what is ours."""
    page = await house.page(f"/pimqtt/{path}", token=token, window=True)
    await page.show()
    for word in words:
        await page.says(word, timeout_s=40)
    return page, str(await page.js(OURS))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_german(house: Stage, greta: str, path: str) -> None:
    page, text = await read(house, greta, path, *PAGES[path])
    assert english_in(text) == [], text
    assert page.errors() == []
    await page.close()


async def test_a_picture_is_named_after_its_camera_once(house: Stage, greta: str) -> None:
    page, text = await read(house, greta, "cameras", *PAGES["cameras"])
    assert "Bild von Auge" in text.splitlines()
    assert page.errors() == []
    await page.close()


async def test_the_details_of_a_pin_are_german(house: Stage, greta: str) -> None:
    page, _ = await read(house, greta, "pi-car1", *PAGES["pi-car1"])
    for pin, words in ((11, ("Pumpe Schalter", "Sekunden")), (29, ("Wagen links vorwärts Fahrzeug", "Anhalten"))):
        await page.click(f"#pin-{pin} .number")
        for word in words:
            await page.says(word, ".detail")
        assert english_in(str(await page.js(OURS))) == []
    assert page.errors() == []
    await page.close()


async def test_driving_and_its_refusals_are_german(house: Stage, greta: str) -> None:
    page, _ = await read(house, greta, "drive-car1-wagen", "Frei")
    await house.ha.ask("pimqtt/stop", node="car1", device="wagen")
    try:
        for word in ("Der Not-Halt ist gesetzt. Nichts bewegt sich, bis er aufgehoben wird.", "Halten zum Aufheben"):
            await page.says(word)
        assert english_in(str(await page.js(OURS))) == []
    finally:
        await house.ha.ask("pimqtt/reset", node="car1", device="wagen")
    await page.says("Frei")
    assert page.errors() == []
    await page.close()


async def test_the_same_pages_in_english_have_english(house: Stage) -> None:
    """What looks for English finds it where it is."""
    found = []
    for path, word in zip(PAGES, ("Ready", "Outputs", "Speed limit", " old", "Search"), strict=True):
        page, text = await read(house, "", path, word)
        found += english_in(text)
        assert english_in(text), path
        assert page.errors() == []
        await page.close()
    for key in ("stop.ready", "page.outputs", "drive.hint_keys", "camera.refresh", "fleet.search"):
        assert any(line.startswith(f"{key}: ") for line in found), key
