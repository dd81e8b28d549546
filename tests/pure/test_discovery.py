"""What Home Assistant is told: every kind's payload, and the rules that its parser is strict about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import yaml
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from pimqtt_agent.devices import KINDS, Device
from pimqtt_agent.devices.system import SystemDevice
from pimqtt_agent.discovery import Node, device_payload, node_payload, removal
from pimqtt_agent.topics import Topics

NODE = Node(topics=Topics("pimqtt", "car-1"), identity="0000abcd", title="The red car", model="Raspberry Pi 5")
IN_A_ROOM = Node(topics=NODE.topics, identity="0000abcd", title="The red car", model="Raspberry Pi 5", area="Hall")

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


#: What a device trigger has; nothing else means anything to Home Assistant, which gives it no entity.
TRIGGER = {"platform", "automation_type", "type", "subtype", "topic", "payload", "value_template"}


def components(announced: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what becomes an entity, by key."""
    every = announced["components"]
    return {key: component for key, component in every.items() if component["platform"] != "device_automation"}


def example(kind: str, **more: Any) -> Device:
    found = yaml.safe_load(KINDS[kind].example) if KINDS[kind].example else {"id": kind, "kind": kind}
    return KINDS[kind].model_validate({**found, **more})


class Everything(frozenset[str]):
    """A set that has every key."""

    def __and__(self, other: object) -> Everything:
        return self

    def __or__(self, other: object) -> Everything:
        return self

    def __contains__(self, key: object) -> bool:
        return True


def board() -> Device:
    """The node's own readings and buttons, all of them."""
    return SystemDevice.model_construct(found=Everything(), allow=Everything())


def every() -> Iterator[Any]:
    for kind in sorted(KINDS):
        yield pytest.param(device_payload(NODE, example(kind)), id=kind)
    yield pytest.param(node_payload(NODE, board()), id="node")
    yield pytest.param(node_payload(IN_A_ROOM, None), id="bare_node")


EVERY = list(every())


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


class TestUniqueIds:
    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_they_have_one_form(self, kind: str) -> None:
        device = example(kind)
        announced = device_payload(NODE, device)
        base = f"pimqtt.0000abcd.{device.id}"
        for key, component in components(announced).items():
            assert component["unique_id"] == (base if key == "main" else f"{base}.{key}")
        assert announced["device"]["identifiers"] == [base]
        assert announced["device"]["via_device"] == "pimqtt.0000abcd"

    def test_the_node_is_a_device_itself(self) -> None:
        announced = node_payload(NODE, board())
        assert announced["device"]["identifiers"] == ["pimqtt.0000abcd"]
        for key, component in announced["components"].items():
            assert component["unique_id"] == (
                "pimqtt.0000abcd.stop" if key == "stop" else f"pimqtt.0000abcd.system.{key}"
            )

    def test_no_two_of_a_node_are_the_same(self) -> None:
        announced = [node_payload(NODE, board()), *(device_payload(NODE, example(kind)) for kind in KINDS)]
        found = [component["unique_id"] for one in announced for component in components(one).values()]
        assert len(found) == len(set(found))
        identifiers = [one["device"]["identifiers"][0] for one in announced]
        assert len(identifiers) == len(set(identifiers))


class TestAvailability:
    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_a_device_needs_the_node_and_its_own_health(self, kind: str) -> None:
        device = example(kind)
        announced = device_payload(NODE, device)
        assert announced["availability_mode"] == "all"
        assert [item["topic"] for item in announced["availability"]] == [
            "pimqtt/car-1/availability",
            f"pimqtt/car-1/{device.id}/availability",
        ]
        for component in announced["components"].values():
            assert not any(key.startswith("availability") for key in component)

    def test_the_nodes_connection_is_told_also_while_it_is_offline(self) -> None:
        components = node_payload(NODE, board())["components"]
        assert not any(key.startswith("availability") for key in components["connection"])
        assert "availability" not in node_payload(NODE, None)
        for key in set(components) - {"connection"}:
            assert components[key]["availability"] == [{"topic": "pimqtt/car-1/availability"}]
            assert components[key]["availability_mode"] == "all"


class TestTriggers:
    """What a button tells is a device trigger as well, in the words that Home Assistant's frontend translates."""

    WORDS: ClassVar[dict[str, str]] = {
        "press": "button_short_press", "double": "button_double_press", "long": "button_long_press",
    }  # fmt: skip

    def triggers(self, **options: Any) -> dict[str, dict[str, Any]]:
        announced = device_payload(NODE, example("button", **options))
        entities = components(announced)
        return {key: found for key, found in announced["components"].items() if key not in entities}

    def test_there_is_one_for_each_type_of_event(self) -> None:
        found = self.triggers()
        assert {key: trigger["type"] for key, trigger in found.items()} == {
            f"trigger_{event}": word for event, word in self.WORDS.items()
        }
        for key, trigger in found.items():
            assert set(trigger) == TRIGGER
            assert trigger["automation_type"] == "trigger"
            assert trigger["subtype"] == "button_1"
            assert trigger["topic"] == "pimqtt/car-1/bell/event"
            assert (trigger["payload"], trigger["value_template"]) == (key[8:], "{{ value_json.event_type }}")

    def test_there_is_none_for_what_is_never_told(self) -> None:
        assert set(self.triggers(double=0)) == {"trigger_press", "trigger_long"}
        assert set(self.triggers(double=0, long=0)) == {"trigger_press"}

    def test_one_that_left_is_taken_away(self) -> None:
        before, after = (device_payload(NODE, example("button", **more)) for more in ({}, {"double": 0}))
        found = removal(before, after)
        assert found
        assert found["components"]["trigger_double"] == {"platform": "device_automation"}


class TestStopSwitch:
    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_every_device_with_an_output_has_one_shown_where_it_moves(self, kind: str) -> None:
        device = example(kind)
        rules = [entity.rules for entity in device.entities() if entity.rules]
        stop = device_payload(NODE, device)["components"].get("stop")
        assert (stop is not None) == bool(rules)
        if stop:
            assert stop["command_topic"] == f"pimqtt/car-1/{device.id}/stop/set"
            assert stop["state_topic"] == f"pimqtt/car-1/{device.id}/stop/state"
            assert stop.get("enabled_by_default", True) is any(rule.motion != "level" for rule in rules)

    def test_so_has_the_node(self) -> None:
        stop = node_payload(NODE, None)["components"]["stop"]
        assert stop["command_topic"] == "pimqtt/car-1/stop/set"


class TestArea:
    def test_a_devices_own_comes_before_the_nodes(self) -> None:
        kind = min(KINDS)
        assert "suggested_area" not in device_payload(NODE, example(kind))["device"]
        assert device_payload(IN_A_ROOM, example(kind))["device"]["suggested_area"] == "Hall"
        assert device_payload(IN_A_ROOM, example(kind, area="Yard"))["device"]["suggested_area"] == "Yard"


class TestRemoval:
    """What left a device is sent once with its platform alone; leaving it out removes nothing."""

    BEFORE: ClassVar[dict[str, Any]] = {
        "components": {
            "main": {"platform": "switch", "unique_id": "a"},
            "limit": {"platform": "number", "unique_id": "b"},
        }
    }

    def wanted(self, **components: dict[str, Any]) -> dict[str, Any]:
        return {"device": {"identifiers": ["x"]}, "components": components}

    def test_nothing_where_nothing_left(self) -> None:
        wanted = self.wanted(main={"platform": "switch"}, limit={"platform": "number"}, more={"platform": "sensor"})
        assert removal(self.BEFORE, wanted) is None

    def test_what_left_is_a_tombstone_beside_what_stays(self) -> None:
        wanted = self.wanted(main={"platform": "switch", "unique_id": "a"})
        assert removal(self.BEFORE, wanted) == {
            **wanted,
            "components": {"main": {"platform": "switch", "unique_id": "a"}, "limit": {"platform": "number"}},
        }

    def test_another_platform_under_the_same_key_takes_the_old_one_away_first(self) -> None:
        wanted = self.wanted(main={"platform": "light", "unique_id": "a"}, limit={"platform": "number"})
        found = removal(self.BEFORE, wanted)
        assert found
        assert found["components"] == {"main": {"platform": "switch"}, "limit": {"platform": "number"}}

    def test_a_tombstone_is_not_buried_again(self) -> None:
        wanted = self.wanted(main={"platform": "switch", "unique_id": "a"})
        assert removal(removal(self.BEFORE, wanted) or {}, wanted) is None

    @pytest.mark.parametrize(
        "strange",
        [{}, {"components": None}, {"components": []}, {"components": {"a": None, "b": 5, "c": {"x": 1, "y": 2}}}],
    )
    def test_what_is_not_ours_to_understand_is_left_alone(self, strange: dict[str, Any]) -> None:
        assert removal(strange, self.wanted(main={"platform": "switch"})) is None
