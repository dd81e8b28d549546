"""What Home Assistant is told: every kind's payload, and the rules that its parser is strict about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from pimqtt_agent.devices import KINDS, Device
from pimqtt_agent.discovery import device_payload
from tests.pure.announced import EVERY, NODE, components, example

#: A root with any other key is dropped whole.
ROOT = {"device", "origin", "components"}
SHARED = {
    "availability", "availability_mode", "availability_template", "availability_topic", "payload_available",
    "payload_not_available", "command_topic", "state_topic", "encoding", "qos",
}  # fmt: skip
DEVICE = {
    "identifiers", "connections", "manufacturer", "model", "name", "hw_version", "sw_version", "serial_number",
    "suggested_area", "configuration_url", "via_device",
}  # fmt: skip
ORIGIN = {"name", "sw", "url"}
NEVER = {"retain", "optimistic", "message_expiry_interval", "msg_exp_int", "object_id", "~"}
#: What a platform can't do without, beyond a unique id.
REQUIRED = {
    "switch": {"command_topic", "state_topic"},
    "light": {"command_topic", "state_topic"},
    "number": {"command_topic", "state_topic", "min", "max"},
    "button": {"command_topic", "payload_press"},
    "binary_sensor": {"state_topic"},
    "sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
    "camera": {"topic"},
}


def keys(part: Any) -> Iterator[str]:
    """Name every key at any depth."""
    if isinstance(part, dict):
        for key, inner in part.items():
            yield key
            yield from keys(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from keys(inner)


@pytest.mark.parametrize("announced", EVERY)
def test_every_kind_is_announced_as_it_was(announced: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    text = json.dumps(announced)
    versions = {announced["origin"].get("sw"), announced["device"].get("sw_version")} - {None}
    for version in versions:
        text = text.replace(json.dumps(version), '"VERSION"')
    assert json.loads(text) == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize(
    ("kind", "icon"), [("motor", "mdi:engine"), ("servo", "mdi:angle-acute"), ("drive", "mdi:car"), ("camera", None)]
)
def test_an_icon_says_what_it_is_unless_the_configuration_says_otherwise(kind: str, icon: str | None) -> None:
    def shown(device: Device) -> Any:
        return device_payload(NODE, device)["components"]["main"].get("icon")

    assert shown(example(kind)) == icon
    assert shown(example(kind, icon="mdi:fan")) == "mdi:fan"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_takes_an_icon_as_home_assistant_wants_it(kind: str) -> None:
    assert device_payload(NODE, example(kind, icon="mdi:a-b"))["components"]["main"]["icon"] == "mdi:a-b"
    with pytest.raises(ValidationError):
        example(kind, icon="pump")


class TestStrictRoot:
    @pytest.mark.parametrize("announced", EVERY)
    def test_the_root_has_what_it_needs_and_no_unknown_key(self, announced: dict[str, Any]) -> None:
        assert set(announced) >= ROOT
        assert set(announced) <= ROOT | SHARED

    @pytest.mark.parametrize("announced", EVERY)
    def test_so_has_the_device(self, announced: dict[str, Any]) -> None:
        device = announced["device"]
        assert set(device) <= DEVICE
        assert device["identifiers"]
        assert device["name"]

    @pytest.mark.parametrize("announced", EVERY)
    def test_so_has_the_origin(self, announced: dict[str, Any]) -> None:
        assert announced["origin"]["name"] == "pimqtt"
        assert set(announced["origin"]) <= ORIGIN

    @pytest.mark.parametrize("announced", EVERY)
    def test_it_is_plain_json_of_bounded_size(self, announced: dict[str, Any]) -> None:
        assert len(json.dumps(announced, allow_nan=False)) < 60_000

    @pytest.mark.parametrize("announced", EVERY)
    def test_there_is_never_retain_optimistic_or_an_expiry_of_commands(self, announced: dict[str, Any]) -> None:
        assert NEVER.isdisjoint(keys(announced))


class TestComponents:
    @pytest.mark.parametrize("announced", EVERY)
    def test_each_has_its_platform_and_what_that_needs(self, announced: dict[str, Any]) -> None:
        assert components(announced)
        for component in components(announced).values():
            assert REQUIRED[component["platform"]] <= set(component)
            assert "unique_id" in component
            assert None not in [value for key, value in component.items() if key != "name"]

    @pytest.mark.parametrize("announced", EVERY)
    def test_sensors_are_never_of_category_config(self, announced: dict[str, Any]) -> None:
        for component in announced["components"].values():
            if component["platform"] in ("sensor", "binary_sensor", "event"):
                assert component.get("entity_category") in (None, "diagnostic")

    @pytest.mark.parametrize("announced", EVERY)
    def test_default_entity_ids_begin_with_the_platform_and_are_valid(self, announced: dict[str, Any]) -> None:
        found = [component["default_entity_id"] for component in components(announced).values()]
        assert len(set(found)) == len(found)
        for component in components(announced).values():
            assert re.fullmatch(rf"{component['platform']}\.[a-z0-9_]+", component["default_entity_id"])

    @pytest.mark.parametrize("announced", EVERY)
    def test_topics_are_below_our_own_node(self, announced: dict[str, Any]) -> None:
        for component in announced["components"].values():
            for key, value in component.items():
                if key == "topic" or key.endswith("_topic"):
                    assert value.startswith("pimqtt/car-1/")
                    assert not {"+", "#", " "} & set(value)
