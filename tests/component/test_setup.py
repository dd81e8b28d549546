"""Loading, unloading, the dashboard in the side bar, the bundle."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from custom_components.pimqtt import bundle as served
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_mqtt_message
from rig import COMPONENT, Pi, Socket, set_up


async def test_without_mqtt_the_entry_is_tried_again(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain="pimqtt", data={"base_topic": "pimqtt"}, unique_id="pimqtt")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "mqtt_missing"


async def test_what_it_listens_to_does_not_overlap(hass: HomeAssistant, pi: Pi, mqtt_mock: Any) -> None:
    mqtt_mock.async_subscribe.reset_mock()
    await set_up(hass)
    topics = [call.args[0].split("/") for call in mqtt_mock.async_subscribe.call_args_list]
    ours = [one for one in topics if one[0] == "pimqtt"]
    assert len(ours) == 12

    def meet(one: list[str], other: list[str]) -> bool:
        return len(one) == len(other) and all(a == b or "+" in (a, b) for a, b in zip(one, other, strict=True))

    assert [(one, other) for one in ours for other in ours if one is not other and meet(one, other)] == []
    assert not any("event" in one or "set" in one for one in ours)


async def test_unloaded_it_hears_and_shows_nothing(hass: HomeAssistant, pi: Pi) -> None:
    entry = await set_up(hass, sidebar=True)
    fleet = entry.runtime_data.fleet
    assert await hass.config_entries.async_unload(entry.entry_id)
    await pi.announce()
    assert fleet.nodes == {}
    assert "pimqtt" not in hass.data["frontend_panels"]


async def test_removed_it_leaves_no_file(hass: HomeAssistant, pi: Pi, hass_storage: dict[str, Any]) -> None:
    hass_storage["pimqtt.seen"] = {"version": 1, "minor_version": 1, "key": "pimqtt.seen", "data": {}}
    entry = await set_up(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert "pimqtt.seen" not in hass_storage


async def test_the_dashboard_is_the_strategy_and_cant_be_edited(
    hass: HomeAssistant, pi: Pi, hass_ws_client: Any
) -> None:
    await set_up(hass, sidebar=True)
    socket = Socket(await hass_ws_client(hass))
    panel = (await socket.ask("get_panels"))["result"]["pimqtt"]
    assert (panel["component_name"], panel["title"], panel["require_admin"]) == ("lovelace", "pimqtt", False)
    config = (await socket.ask("lovelace/config", url_path="pimqtt"))["result"]
    assert config == {"strategy": {"type": "custom:pimqtt"}}
    (listed,) = [one for one in (await socket.ask("lovelace/dashboards/list"))["result"] if one["url_path"] == "pimqtt"]
    assert listed["mode"] == "yaml"
    saved = await socket.ask("lovelace/config/save", url_path="pimqtt", config={})
    assert not saved["success"]


async def test_the_dashboard_itself_says_what_it_is(hass: HomeAssistant, pi: Pi) -> None:
    await set_up(hass, sidebar=True)
    dashboard = hass.data["lovelace"].dashboards["pimqtt"]
    assert await dashboard.async_get_info() == {"mode": "yaml", "views": 0}
    assert await dashboard.async_load(False) == {"strategy": {"type": "custom:pimqtt"}}


async def test_a_panel_of_somebody_else_stays(hass: HomeAssistant, pi: Pi, caplog: pytest.LogCaptureFixture) -> None:
    assert await async_setup_component(hass, "frontend", {})
    hass.data["frontend_panels"]["pimqtt"] = other = object()
    entry = await set_up(hass, sidebar=True)
    assert "There is a panel /pimqtt already" in caplog.text
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert hass.data["frontend_panels"].pop("pimqtt") is other


async def test_without_the_option_there_is_no_dashboard(hass: HomeAssistant, entry: Any) -> None:
    assert "pimqtt" not in hass.data["frontend_panels"]


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "frontend"
    folder.mkdir()
    (folder / "pimqtt.js").write_text("console.log(1)")
    monkeypatch.setattr(served.async_register, "__defaults__", (folder,))
    return folder / "pimqtt.js"


async def test_the_bundle_is_served_under_an_address_with_its_hash(
    hass: HomeAssistant, bundle: Path, pi: Pi, hass_client_no_auth: Any
) -> None:
    await set_up(hass)
    expected = hashlib.sha256(b"console.log(1)").hexdigest()[:16]
    urls = [str(one) for one in hass.data["frontend_extra_module_url"].urls]
    assert f"/pimqtt_static/pimqtt.js?v={expected}" in urls
    client = await hass_client_no_auth()
    answer = await client.get(f"/pimqtt_static/pimqtt.js?v={expected}")
    assert (answer.status, await answer.text()) == (200, "console.log(1)")
    assert "max-age" in answer.headers["Cache-Control"]
    assert ir.async_get(hass).async_get_issue("pimqtt", "bundle_missing") is None


async def test_a_missing_bundle_is_a_repair_and_no_stand_in(
    hass: HomeAssistant, bundle: Path, pi: Pi, caplog: pytest.LogCaptureFixture
) -> None:
    bundle.unlink()
    await set_up(hass)
    issue = ir.async_get(hass).async_get_issue("pimqtt", "bundle_missing")
    assert issue is not None
    assert issue.translation_placeholders == {"path": str(bundle)}
    assert f"{bundle} is missing" in caplog.text
    assert "pimqtt" not in str(hass.data["frontend_extra_module_url"].urls)


async def test_entities_stay_with_mqtt(hass: HomeAssistant, entry: Any) -> None:
    assert er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id) == []
    assert dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id) == []


async def test_a_node_below_another_base_topic_is_not_heard(hass: HomeAssistant, entry: Any, pi: Pi) -> None:
    async_fire_mqtt_message(hass, "garage/car9/info", "{}")
    await hass.async_block_till_done()
    assert list(entry.runtime_data.fleet.nodes) == ["car1"]


def test_it_brings_its_types_and_every_brand_image() -> None:
    assert (COMPONENT / "py.typed").is_file()
    for name, size in (("icon", (256, 256)), ("logo", (360, 128))):
        for prefix in ("", "dark_"):
            for suffix, factor in (("", 1), ("@2x", 2)):
                data = (COMPONENT / "brand" / f"{prefix}{name}{suffix}.png").read_bytes()
                assert data[:8] == b"\x89PNG\r\n\x1a\n"
                width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
                assert (width, height) == (size[0] * factor, size[1] * factor)
