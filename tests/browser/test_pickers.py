"""What Home Assistant offers of ours where somebody builds a dashboard: strategy, side bar, cards, their editors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.page import Page
from tests.browser.stage import Stage

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
DASHBOARD = "rig-pickers"
LAMP = "light.car1_lamp"
#: What stands in the list of cards, the card that is shown there, and what its description says.
CARDS = {
    "pimqtt drive": ("pimqtt-drive-card", "joystick"),
    "pimqtt lease": ("pimqtt-lease-card", "while"),
    "pimqtt header": ("pimqtt-header-card", "40-pin"),
    "pimqtt cameras": ("pimqtt-camera-card", "picture"),
    "pimqtt emergency stop": ("pimqtt-stop-card", "stop"),
    "pimqtt fleet": ("pimqtt-fleet-card", "Pi"),
    "pimqtt Pi": ("pimqtt-node-card", "glance"),
    "pimqtt attention": ("pimqtt-attention-card", "attention"),
}
#: Pictures of Home Assistant's own examples, which are in the internet.
EXAMPLES = (
    r"Failed to load resource: net::ERR_NAME_NOT_RESOLVED https://demo\.home-assistant\.io/stub_config/[\w-]+\.png"
)
#: The columns and rows that each card of ours on the page has, and by how much it is too small for its content.
GRID = """
rig.all("hui-card").map((each) => [each.parentElement.parentElement, each.firstElementChild])
  .filter(([, card]) => card?.localName.startsWith("pimqtt-") && card.getClientRects().length > 0)
  .map(([grid, card]) => {
    const { gridTemplateColumns, columnGap, rowGap } = getComputedStyle(grid);
    const widths = gridTemplateColumns.split(" ").map(parseFloat), gap = parseFloat(columnGap);
    const { width, height } = card.getBoundingClientRect();
    const inner = card.shadowRoot.querySelector("ha-card");
    return [card.localName, {
      of: widths.length, columns: (width + gap) / (widths[0] + gap),
      rows: (height + parseFloat(rowGap)) / (56 + parseFloat(rowGap)),
      over: [inner.scrollWidth - inner.clientWidth, inner.scrollHeight - inner.clientHeight],
    }];
  })
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dashboard(scene: Stage) -> AsyncIterator[str]:
    """Make an empty dashboard; gives its page."""
    about = {"url_path": DASHBOARD, "title": "Pickers", "mode": "storage", "require_admin": False}
    made = await scene.ha.ask("lovelace/dashboards/create", **about)
    yield f"/{DASHBOARD}/cards"
    await scene.ha.ask("lovelace/dashboards/delete", dashboard_id=made["id"])


async def filled(scene: Stage, *cards: dict[str, Any]) -> None:
    """Put cards on the dashboard, in one section."""
    section = {"type": "grid", "cards": list(cards)}
    view = {"title": "Cards", "path": "cards", "type": "sections", "max_columns": 2, "sections": [section]}
    await scene.ha.ask("lovelace/config/save", url_path=DASHBOARD, config={"views": [view]})


async def kept(scene: Stage) -> list[dict[str, Any]]:
    """Give the cards that Home Assistant has stored."""
    config = await scene.ha.ask("lovelace/config", url_path=DASHBOARD, force=True)
    cards: list[dict[str, Any]] = config["views"][0]["sections"][0]["cards"]
    return cards


async def press(page: Page, selector: str, words: str = "") -> None:
    """Click the element of that text or label, as soon as it stands still: dialogs move while they open."""
    mark = f"""(() => {{
      const named = (each) => !{json.dumps(words)} || [rig.text(each), each.label].includes({json.dumps(words)});
      const found = rig.all({json.dumps(selector)}).filter((each) => each.getClientRects().length > 0).find(named);
      for (const each of rig.all("[data-rig]")) delete each.dataset.rig;
      if (found) found.dataset.rig = "";
      return !!found;
    }})()"""
    await page.until(mark, what=f"{words or 'an element'} ({selector}) shown")
    await page.click("[data-rig]")


async def closed(page: Page) -> None:
    """Wait until no dialog is open any more."""
    await page.until("!rig.one('ha-dialog[open], ha-dialog:not(:empty)')", what="the dialog closed")


async def opened(scene: Stage, path: str, **look: Any) -> Page:
    """Open a page in front."""
    page = await scene.page(path, **look)
    await page.show()
    return page


async def add_by_card(page: Page, name: str) -> None:
    """Open the picker, and find a card of it by what it is called."""
    await press(page, "button[title='Add card']")
    await press(page, "ha-tab-group-tab", "By card")
    await page.fill("input[placeholder='Search cards']", name)


async def test_a_dashboard_is_made_by_the_strategy(scene: Stage) -> None:
    page = await opened(scene, "/config/lovelace/dashboards")
    await press(page, "ha-button", "Add dashboard")
    await page.says("Community dashboards", "ha-dialog-new-dashboard")
    await press(page, ".card[aria-label=pimqtt]")
    await press(page, "ha-button", "Create")
    made: list[dict[str, Any]] = []
    while not made:
        boards = await scene.ha.ask("lovelace/dashboards/list")
        made = [each for each in boards if each["url_path"] == "dashboard-pimqtt"]
    try:
        assert (made[0]["title"], made[0]["icon"]) == ("pimqtt", "mdi:raspberry-pi")
        await press(page, "[href='/dashboard-pimqtt']")
        await page.says("Car1", "pimqtt-node-card")
        await page.says("Ready: all Pis", "pimqtt-stop-card")
        await press(page, "h2 a", "Car1")
        await page.says("GPIO17", "pimqtt-header-card")
        assert await page.js("location.pathname") == "/dashboard-pimqtt/pi-car1"
    finally:
        await scene.ha.ask("lovelace/dashboards/delete", dashboard_id=made[0]["id"])
    assert page.errors() == []
    await page.close()


async def test_it_is_put_into_the_side_bar_and_taken_away_by_one_click(scene: Stage) -> None:
    """Away first: the stage has it there."""
    page = await opened(scene, "/config/integrations/integration/pimqtt")
    entry = "!!rig.one(\"[href='/pimqtt']\")"
    await page.until(entry)
    for after in (f"!{entry[2:]}", entry):
        await press(page, "ha-icon-button", "Configure")
        await press(page, "ha-checkbox")
        await press(page, "ha-button", "Submit")
        await press(page, "ha-button", "Finish")
        await page.until(after)
        await closed(page)
    assert page.errors() == []
    await page.close()


async def test_every_card_is_offered_edited_and_kept(scene: Stage, dashboard: str) -> None:
    await filled(scene)
    page = await opened(scene, f"{dashboard}?edit=1")
    for name, (tag, about) in CARDS.items():
        await add_by_card(page, name)
        called = "rig.text(each.querySelector('.card-header') ?? each)"
        offered = f"rig.all('.card').find((each) => {called} === {json.dumps(name)})"
        await page.until(f"{offered}?.querySelector('.preview > {tag}')?.preview", what=f"a preview of {tag}")
        assert await page.js(f"{offered}.querySelector('hui-error-card')") is None
        described = f"window.customCards.find((each) => each.type === '{tag}').description"
        assert about in await page.js(described)
        await press(page, f".card:has({tag}) .overlay")
        await page.until("!!rig.one('hui-form-editor') && !rig.one('hui-error-card')", what=f"the editor of {tag}")
        if tag == "pimqtt-camera-card":  # there is none yet: one that comes later is named
            later = {"type": f"custom:{tag}", "entities": ["camera.car1_eye"]}
            changed = f"new CustomEvent('config-changed', {{ detail: {{ config: {json.dumps(later)} }} }})"
            await page.js(f"rig.one('hui-form-editor').dispatchEvent({changed}), 0")
            await page.says("camera.car1_eye", tag)
        await page.fill("input[name=name]", f"My {about}")
        await page.says(f"My {about}", tag)
        await press(page, "ha-button", "Save")
        await closed(page)
    cards = await kept(scene)
    assert [card["type"].removeprefix("custom:") for card in cards] == [tag for tag, _ in CARDS.values()]
    assert [card["name"] for card in cards] == [f"My {about}" for _, about in CARDS.values()]
    assert cards[0]["entity"] == "sensor.car1_car"
    assert {card["node"] for card in cards if "node" in card} == {"car1"}

    await page.goto(scene.ha.url + dashboard)
    for tag, about in CARDS.values():
        await page.says(f"My {about}", tag)
    before = scene.pi.marks()[17]
    await press(page, "button[aria-label='On for 1 min']")
    await page.until("!!rig.one(\"button[aria-label='End now']\")", what="the pump's lease")
    await press(page, "button[aria-label='End now']")
    await page.until("!!rig.one(\"button[aria-label='On for 1 min']\")", what="the pump at rest")
    assert [row["value"] for row in scene.pi.rows() if row["pin"] == 17][before:] == [1, 0]
    assert page.errors(EXAMPLES) == []
    await page.close()


async def test_an_entity_suggests_its_cards_where_none_of_ours_is_shown_yet(scene: Stage, dashboard: str) -> None:
    await filled(scene)
    page = await opened(scene, f"{dashboard}?edit=1")
    await press(page, "button[title='Add card']")
    for entity, words, own in (("sensor.car1_car", "car", {"pimqtt drive"}), ("switch.car1_pump", "pump", set())):
        wanted = {"pimqtt lease", "pimqtt header", "pimqtt emergency stop"} | own
        await page.fill("input[placeholder='Search entities']", words)
        await press(page, f"[data-entity-id='{entity}']")
        said = "rig.all('.card-header').map((each) => rig.text(each))"
        ours = f"{said}.filter((each) => each.startsWith('pimqtt')).sort().join()"
        await page.until(f"{ours} === {json.dumps(','.join(sorted(wanted)))}", what=f"{wanted} suggested")
        assert not await page.js("!!rig.one('hui-error-card')")
    await press(page, ".card[aria-label='pimqtt emergency stop'] .overlay")
    await page.says("Ready: Car1: Pump", "pimqtt-stop-card")
    await closed(page)
    assert await kept(scene) == [{"type": "custom:pimqtt-stop-card", "node": "car1", "device": "pump"}]
    assert page.errors() == []
    await page.close()


async def test_a_tile_is_given_the_feature_where_it_fits(scene: Stage, dashboard: str) -> None:
    await filled(scene, {"type": "tile", "entity": "switch.car1_pump"}, {"type": "tile", "entity": "switch.car1_stop"})
    page = await opened(scene, f"{dashboard}?edit=1")
    editors = "rig.all('hui-card-features-editor')"
    offered = f"{editors}.flatMap((one) => rig.all('ha-dropdown-item', one.shadowRoot)).map((one) => rig.text(one))"
    await press(page, "hui-card-edit-mode", "Car1 Emergency stop Off")
    await page.until(f"{offered}.length > 0")
    assert await page.js(offered) == ["Toggle"]
    await press(page, "ha-button", "Cancel")
    await closed(page)

    await press(page, "hui-card-edit-mode", "Pump Off")
    await press(page, "h3", "Features")
    await press(page, "ha-button", "Add feature")
    await press(page, "ha-dropdown-item", "pimqtt: on for a while")
    await page.says("1 min", "pimqtt-lease-feature")
    await press(page, "ha-icon-button", "Edit feature")
    chosen = {"type": "custom:pimqtt-lease-feature", "minutes": ["0.5"]}
    changed = f"new CustomEvent('config-changed', {{ detail: {{ config: {json.dumps(chosen)} }} }})"
    await page.says("Minutes to choose from", "hui-form-editor")
    await page.js(f"rig.one('hui-form-editor').dispatchEvent({changed}), 0")
    await page.says("0.5 min", "pimqtt-lease-feature")
    await press(page, "ha-button", "Save")
    await closed(page)
    assert (await kept(scene))[0]["features"] == [chosen]
    assert page.errors() == []
    await page.close()


async def test_cards_keep_to_the_grid(scene: Stage, dashboard: str) -> None:
    about: dict[str, dict[str, Any]] = {
        "attention": {}, "stop": {}, "lease": {"entity": LAMP}, "drive": {"entity": "sensor.car1_car"}, "fleet": {},
        "first-steps": {}, "camera": {"entities": ["camera.car1_eye"]}, "header": {"node": "car1"},
        "node": {"node": "car1"},
    }  # fmt: skip
    cards = [{"type": f"custom:pimqtt-{name}-card", **config} for name, config in about.items()]
    fixed = {"stop": 3, "lease": 5, "drive": 9}
    cards += [
        {"type": f"custom:pimqtt-{name}-card", **about[name], "grid_options": {"columns": 12, "rows": rows}}
        for name, rows in fixed.items()
    ]
    await filled(scene, *cards)
    page = await opened(scene, dashboard)
    for mobile in (False, True):
        await page.looks(*((390, 844) if mobile else (1280, 900)), mobile=mobile, dark=mobile)
        await page.until(f"({GRID}).length === {len(cards)}")
        await page.says("GPIO17", "pimqtt-header-card")
        await asyncio.sleep(1)
        found = await page.js(GRID)
        asked = [6, 6, 6, 12, 12, 12, 12, 12, 12, *[12] * len(fixed)]
        assert [round(box["columns"], 1) for _, box in found] == asked, found
        assert [round(box["rows"], 1) for _, box in found[len(about) :]] == list(fixed.values()), found
        assert [box["over"] for _, box in found] == [[0, 0]] * len(cards), found
        assert {box["of"] for _, box in found} == {12}
        assert not await page.js("document.documentElement.scrollWidth > innerWidth")
    assert page.errors() == []
    await page.close()


async def test_in_too_few_rows_a_card_can_be_scrolled_to_its_stop(scene: Stage, dashboard: str) -> None:
    room = {"columns": 12, "rows": 4}
    await filled(
        scene, {"type": "custom:pimqtt-drive-card", "entity": "sensor.car1_car", "grid_options": room}
    )  # fmt: skip
    page = await opened(scene, dashboard)
    await page.show()
    await page.says("Emergency stop", "pimqtt-drive-card")
    inside = """(() => {
      const card = rig.one("pimqtt-drive-card").shadowRoot.querySelector("ha-card");
      const stop = card.querySelector("button.danger").getBoundingClientRect(), room = card.getBoundingClientRect();
      return stop.top >= room.top && stop.bottom <= room.bottom;
    })()"""
    assert not await page.js(inside)
    x, y = await page.middle(".chip")
    await page.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=3000)
    await page.until(inside, 5, "the stop is in sight")
    assert page.errors() == []
    await page.close()
