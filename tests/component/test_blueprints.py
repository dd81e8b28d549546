"""The blueprints: installed without taking anything from the user, and doing what they say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from custom_components.pimqtt import blueprint_files
from homeassistant.components.automation import helpers
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed, async_mock_service
from rig import Pi, set_up

NAMES = {"motion_light.yaml", "pump_with_maximum.yaml", "silent_node.yaml", "doorbell.yaml"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blueprints" / "automation" / "pimqtt"


async def start(hass: HomeAssistant, *, automation: bool = False) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    if automation:
        assert await async_setup_component(hass, "automation", {})
    await set_up(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def automate(hass: HomeAssistant, blueprint: str, **inputs: Any) -> None:
    blueprint_files.install(blueprint_files.SOURCE, Path(hass.config.path("blueprints", "automation", "pimqtt")), {})
    use = {"use_blueprint": {"path": f"pimqtt/{blueprint}.yaml", "input": inputs}, "id": "one", "alias": "one"}
    assert await async_setup_component(hass, "automation", {"automation": [use]})
    await hass.async_block_till_done()
    assert hass.states.get("automation.one") is not None


async def settle() -> None:
    """Let an automation run to where it waits."""
    for _ in range(500):  # a frozen clock stops every other sleep
        await asyncio.sleep(0)


async def test_they_are_installed_beside_home_assistants_own(hass: HomeAssistant, pi: Pi, folder: Path) -> None:
    await start(hass, automation=True)
    assert {path.name for path in folder.iterdir()} == NAMES
    assert (folder.parent / "homeassistant").is_dir()
    found = await helpers.async_get_blueprints(hass).async_get_blueprints()
    ours = {path: one for path, one in found.items() if path.startswith("pimqtt/")}
    assert {path.removeprefix("pimqtt/") for path in ours} == NAMES
    for one in ours.values():
        assert one.name.startswith("pimqtt: ")  # type: ignore[union-attr]
        assert one.validate() is None  # type: ignore[union-attr]


def test_what_the_user_changed_or_deleted_stays(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name in ("a", "b", "c"):
        (source / f"{name}.yaml").write_text(f"{name} 1")
    written = blueprint_files.install(source, target, {})
    assert {path.name: path.read_text() for path in target.iterdir()} == {
        "a.yaml": "a 1", "b.yaml": "b 1", "c.yaml": "c 1",
    }  # fmt: skip
    (target / "a.yaml").write_text("mine")
    (target / "b.yaml").unlink()
    for name in ("a", "b", "c"):
        (source / f"{name}.yaml").write_text(f"{name} 2")
    again = blueprint_files.install(source, target, written)
    assert {path.name: path.read_text() for path in target.iterdir()} == {"a.yaml": "mine", "c.yaml": "c 2"}
    assert blueprint_files.install(source, target, again) == again


async def test_a_folder_that_cant_be_written_is_told(
    hass: HomeAssistant, pi: Pi, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    await start(hass, automation=True)
    assert "could not be copied" in caplog.text


async def test_without_automations_nothing_is_installed(hass: HomeAssistant, pi: Pi, folder: Path) -> None:
    await set_up(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not folder.exists()


async def test_motion_switches_on_for_a_time_that_the_node_keeps(hass: HomeAssistant, pi: Pi) -> None:
    await start(hass)
    await pi.announce()
    hass.states.async_set("binary_sensor.hall", "off")
    await automate(hass, "motion_light", motion="binary_sensor.hall", light="switch.car1_pump", minutes=0.5)
    hass.states.async_set("binary_sensor.hall", "on")
    await settle()
    hass.states.async_set("binary_sensor.hall", "off")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=40))
    await settle()
    assert [(one["value"], one["ttl"], one["owner"]) for one in pi.commands("pump")] == [("ON", 30.0, "Motion")]


@pytest.mark.parametrize("dead", ["unavailable", "unknown", None])
async def test_a_motion_sensor_that_dies_leaves_no_light_on(
    hass: HomeAssistant, pi: Pi, monkeypatch: pytest.MonkeyPatch, dead: str | None
) -> None:
    await start(hass)
    await pi.announce()
    hass.states.async_set("binary_sensor.hall", "off")
    await automate(hass, "motion_light", motion="binary_sensor.hall", light="switch.car1_pump", minutes=0.5)
    hass.states.async_set("binary_sensor.hall", "on")
    await settle()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=20))
    await settle()
    assert len(pi.commands("pump")) == 2, "motion that goes on renews it"
    if dead is None:
        hass.states.async_remove("binary_sensor.hall")
    else:
        hass.states.async_set("binary_sensor.hall", dead)
    for seconds in (40, 60, 80):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
        await settle()
    assert len(pi.commands("pump")) == 2
    running = hass.states.get("automation.one")
    assert running is not None
    assert running.attributes["current"] == 0


async def test_a_pump_runs_no_longer_than_told_and_a_refusal_is_acted_on(
    hass: HomeAssistant, pi: Pi, freezer: Any
) -> None:
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to("2026-06-01 06:59:50+00:00")
    await start(hass)
    await pi.announce()
    calls = async_mock_service(hass, "test", "tell")
    told = [{"action": "test.tell", "data": {"why": "{{ answer.reason }}"}}]
    await automate(hass, "pump_with_maximum", pump="switch.car1_pump", at="07:00:00", seconds=40, refused=told)
    pi.refuse["pump"] = {"code": "min_off", "reason": "off for 3 s only"}
    freezer.move_to("2026-06-01 07:00:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [(one["value"], one["ttl"], one["owner"]) for one in pi.commands("pump")] == [("ON", 40.0, "Watering")]
    assert [call.data["why"] for call in calls] == ["off for 3 s only"]


async def test_a_silent_node_is_told_and_its_return(hass: HomeAssistant, pi: Pi) -> None:
    await start(hass)
    lost, back = (async_mock_service(hass, "test", name) for name in ("lost", "back"))
    hass.states.async_set("binary_sensor.car", "on")
    await automate(
        hass, "silent_node", connection="binary_sensor.car", minutes=5,
        lost=[{"action": "test.lost"}], back=[{"action": "test.back"}],
    )  # fmt: skip
    hass.states.async_set("binary_sensor.car", "off")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=240))
    await settle()
    assert lost == []
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=301))
    await settle()
    assert (len(lost), len(back)) == (1, 0)
    hass.states.async_set("binary_sensor.car", "on")
    await settle()
    assert (len(lost), len(back)) == (1, 1)


async def test_a_press_takes_a_picture_before_it_rings(hass: HomeAssistant, pi: Pi) -> None:
    await start(hass)
    await pi.announce()
    shots = async_mock_service(hass, "camera", "snapshot")
    rings: list[ServiceCall] = async_mock_service(hass, "test", "ring")
    await automate(
        hass, "doorbell", bell="event.bell", camera="camera.car1_eye", taken="sensor.taken",
        ring=[{"action": "test.ring", "data": {"picture": "{{ picture }}"}}],
    )  # fmt: skip
    hass.states.async_set("sensor.taken", "1")
    hass.states.async_set("event.bell", "unknown")
    hass.states.async_set("event.bell", "2026-01-01T00:00:00")
    for _ in range(20):
        await hass.async_block_till_done(wait_background_tasks=False)
        if pi.commands("eye/snapshot"):
            break
    hass.states.async_set("sensor.taken", "2")
    await hass.async_block_till_done()
    assert [one["value"] for one in pi.commands("eye/snapshot")] == ["PRESS"]
    assert len(shots) == 1
    assert [call.data["picture"] for call in rings] == [shots[0].data["filename"]]
