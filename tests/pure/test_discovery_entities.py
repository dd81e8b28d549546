"""What becomes of an announcement: ids, availability, triggers, the stop switch, the area."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from pimqtt_agent.devices import KINDS
from pimqtt_agent.discovery import device_payload, node_payload, removal
from tests.pure.announced import IN_A_ROOM, NODE, board, components, example

#: What a device trigger has; nothing else means anything to Home Assistant, which gives it no entity.
TRIGGER = {"platform", "automation_type", "type", "subtype", "topic", "payload", "value_template"}


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
