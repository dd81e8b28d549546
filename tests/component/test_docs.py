"""What the documents say is true: every example is carried out or checked, every rule's heading is there."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from custom_components.pimqtt import blueprint_files, dashboard
from custom_components.pimqtt.answers import Answer
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import script, selector
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_mock_service
from rig import COMPONENT, ROOT, Pi

README = ROOT / "homeassistant_component/README.md"
DISCOVERY = ROOT / "docs/home-assistant.md"
SERVICES: dict[str, Any] = yaml.safe_load((COMPONENT / "services.yaml").read_text())
#: the heading that keeps what each rule of the quality scale claims
HEADINGS = {
    "docs-actions": "Actions",
    "docs-configuration-parameters": "Options",
    "docs-data-update": "How data is updated",
    "docs-examples": "Examples",
    "docs-high-level-description": "What it adds",
    "docs-installation-instructions": "Installation",
    "docs-installation-parameters": "Set-up parameters",
    "docs-known-limitations": "Known limitations",
    "docs-removal-instructions": "Removal",
    "docs-supported-devices": "Supported devices",
    "docs-supported-functions": "Supported functions",
    "docs-troubleshooting": "Troubleshooting",
    "docs-use-cases": "Use cases",
}


def blocks(language: str) -> list[str]:
    """Return the code blocks of both documents."""
    text = README.read_text() + DISCOVERY.read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def examples(fits: str) -> list[Any]:
    """Return what is in the YAML blocks that begin like this."""
    return [yaml.safe_load(block) for block in blocks("yaml") if re.match(fits, block)]


STEPS = examples("- action: ")
AUTOMATIONS = examples("- alias: ")


def calls(content: Any) -> list[dict[str, Any]]:
    """Return every step that uses an action of ours, however deep."""
    inside = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    here = [content] if isinstance(content, dict) and str(content.get("action", "")).startswith("pimqtt.") else []
    return here + [one for each in inside for one in calls(each)]


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of its rank."""
    below = rf"^(##+) {re.escape(heading)}\n(.*?)(?=^\1 |^## |\Z)"
    found = re.search(below, README.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[2].strip()


def test_every_rule_about_documents_has_its_heading() -> None:
    rules = yaml.safe_load((COMPONENT / "quality_scale.yaml").read_text())["rules"]
    claimed = {
        rule for rule, told in rules.items()
        if rule.startswith("docs-") and (told if isinstance(told, str) else told["status"]) == "done"
    }  # fmt: skip
    assert claimed == set(HEADINGS)
    for heading in HEADINGS.values():
        assert len(section(heading)) > 50, heading


def test_every_block_is_looked_at() -> None:
    cards = examples("type: custom:")  # those the frontend's test looks at
    assert len(cards) >= 3
    assert len(STEPS) + len(AUTOMATIONS) + len(cards) + 1 == len(blocks("yaml"))
    assert examples("strategy:") == [dashboard.CONFIG]


def test_every_action_and_field_is_described_and_has_an_example() -> None:
    shown = calls([STEPS, AUTOMATIONS])
    assert {one["action"] for one in shown} == {f"pimqtt.{name}" for name in SERVICES}
    for name, service in SERVICES.items():
        given = {key for one in shown if one["action"] == f"pimqtt.{name}" for key in one.get("data", {})}
        assert given >= set(service.get("fields", {})) - {"priority", "owner", "everything"}, name
        text = section("Actions")
        for field in service.get("fields", {}):
            assert f"`{field}`" in text or f"{field}:" in text, f"{name}: {field}"


def complaints(call: dict[str, Any]) -> list[str]:
    """Say what services.yaml does not allow in a step."""
    name = call["action"].removeprefix("pimqtt.")
    if name not in SERVICES:
        return [f"there is no action {name}"]
    service, data = SERVICES[name], call.get("data", {})
    declared = service.get("fields", {})
    wrong = [f"{key} is no field" for key in data if key not in declared]
    wrong += [f"{key} is missing" for key, one in declared.items() if one.get("required") and key not in data]
    if "target" in call and "target" not in service:
        wrong.append("it has no target")
    for key in set(data) & set(declared):
        try:
            check: Any = selector.selector(declared[key]["selector"])
            check(data[key])
        except Exception as error:  # noqa: BLE001 - Invalid of voluptuous or of probatio, by version
            wrong.append(f"{key}: {error}")
    return wrong


@pytest.mark.parametrize("call", calls([STEPS, AUTOMATIONS]), ids=lambda one: one["action"])
def test_every_step_is_what_services_yaml_says(call: dict[str, Any]) -> None:
    assert complaints(call) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"action": "pimqtt.dance"},
        {"action": "pimqtt.command", "data": {"ttl": 5}},
        {"action": "pimqtt.command", "data": {"value": "ON", "seconds": 5}},
        {"action": "pimqtt.drive", "data": {"x": 2}},
        {"action": "pimqtt.call", "data": {"node": "car1", "action": "token"}, "target": {}},
    ],
)
def test_a_mistake_in_an_example_would_be_found(broken: dict[str, Any]) -> None:
    assert complaints(broken)


@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: steps[0]["action"])
async def test_every_step_is_carried_out(hass: HomeAssistant, entry: Any, pi: Pi, steps: list[Any]) -> None:
    checked = await script.async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(steps))
    await script.Script(hass, checked, "an example", "pimqtt").async_run(context=Context())
    await hass.async_block_till_done()
    assert pi.published


async def automate(hass: HomeAssistant, one: dict[str, Any]) -> None:
    blueprint_files.install(blueprint_files.SOURCE, Path(hass.config.path("blueprints", "automation", "pimqtt")), {})
    assert await async_setup_component(hass, "automation", {"automation": [one]})
    await hass.async_block_till_done()


def automation(alias: str) -> dict[str, Any]:
    return next(one for each in AUTOMATIONS for one in each if one["alias"] == alias)


def test_the_automations_are_those_that_are_tried_below() -> None:
    aliases = {one["alias"] for each in AUTOMATIONS for one in each}
    assert aliases == {"Watering", "Smoke stops everything", "Light in the hall", "A long press"}


async def test_watering_tells_why_not(hass: HomeAssistant, entry: Any, pi: Pi) -> None:
    told = async_mock_service(hass, "persistent_notification", "create")
    await automate(hass, automation("Watering"))
    pi.refuse["pump"] = {"code": "min_off", "reason": "off for 3 s only"}
    await hass.services.async_call("automation", "trigger", {"entity_id": "automation.watering"}, blocking=True)
    await hass.async_block_till_done()
    assert [(one["value"], one["ttl"], one["owner"]) for one in pi.commands("pump")] == [("ON", 40.0, "Watering")]
    assert [one.data["message"] for one in told] == ["No water today: off for 3 s only"]


async def test_smoke_stops_everything(hass: HomeAssistant, entry: Any, pi: Pi) -> None:
    hass.states.async_set("binary_sensor.smoke", "off")
    await automate(hass, automation("Smoke stops everything"))
    hass.states.async_set("binary_sensor.smoke", "on")
    await hass.async_block_till_done()
    assert [(one.topic, one.payload) for one in pi.published] == [("pimqtt/stop/set", "ON")]


async def test_the_blueprint_of_the_hall_switches_the_lamp_on(hass: HomeAssistant, entry: Any, pi: Pi) -> None:
    hass.states.async_set("binary_sensor.hall", "off")
    await automate(hass, automation("Light in the hall"))
    hass.states.async_set("binary_sensor.hall", "on")
    for _ in range(50):  # not until all is done: it waits for the motion to end
        await asyncio.sleep(0)
    assert [(one["value"], one["ttl"]) for one in pi.commands("lamp")] == [("ON", 120.0)]
    hall = {"entity_id": "automation.light_in_the_hall"}
    await hass.services.async_call("automation", "turn_off", hall, blocking=True)


async def test_only_a_long_press_is_one(hass: HomeAssistant, entry: Any, pi: Pi) -> None:
    done = async_mock_service(hass, "switch", "turn_on")
    await automate(hass, automation("A long press"))
    await pi.announce()  # so that it is available also where Home Assistant listens a moment after it made the entity
    for kind in ("press", "long"):
        await pi.say("bell/event", {"event_type": kind})
        await asyncio.sleep(0.005)  # an event's state is its time in ms
    await hass.async_block_till_done()
    assert [one.data["entity_id"] for one in done] == [["switch.car1_pump"]]


def test_the_answer_that_is_shown_has_the_keys_of_one() -> None:
    (shown,) = [json.loads(block) for block in blocks("json")]
    (answer,) = shown.values()
    assert list(answer) == [one.name for one in fields(Answer)]


def test_every_blueprint_is_named_as_it_names_itself() -> None:
    text = section("Blueprints")
    files = sorted((COMPONENT / "blueprints").glob("*.yaml"))
    assert len(files) == text.count("\n| ") - 1
    for path in files:
        name = re.search(r'name: "pimqtt: (.*)"', path.read_text())
        assert name is not None
        assert f"| {name[1]} |" in text


def test_every_card_of_the_bundle_is_documented() -> None:
    bundle = (COMPONENT / "frontend/pimqtt.js").read_text()
    made = set(re.findall(r"pimqtt-[a-z]+(?:-[a-z]+)*-(?:card|feature)\b", bundle)) - {"pimqtt-first-steps-card"}
    named = set(re.findall(r"pimqtt-[a-z]+-(?:card|feature)\b", section("Cards")))
    assert named == made


def test_words_of_the_forms_are_quoted_as_they_are() -> None:
    english = json.loads((COMPONENT / "translations/en.json").read_text())
    form = english["options"]["step"]["init"]["data"]
    assert form["sidebar"] in section("Options")
    assert english["config"]["step"]["user"]["data"]["base_topic"] in section("Set-up parameters")
    for issue in ("two_agents", "same_board", "bundle_missing"):
        title = re.sub(r"\{\w+\}", "...", english["issues"][issue]["title"])
        assert f"*{title.replace('... and ...', '...')}*" in section("Troubleshooting"), title


@pytest.mark.parametrize("document", [README, DISCOVERY, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=str)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}, link
