"""The JSON schema that editors use."""

from __future__ import annotations

from typing import Any

from pimqtt_agent.config import schema
from pimqtt_agent.devices import KINDS
from pimqtt_agent.settings import Settings


def test_every_kind_is_chosen_by_its_word() -> None:
    items = schema()["properties"]["devices"]["items"]
    assert set(items["discriminator"]["mapping"]) == set(KINDS)
    assert {choice["$ref"] for choice in items["oneOf"]} == set(items["discriminator"]["mapping"].values())
    for word, reference in items["discriminator"]["mapping"].items():
        kind = schema()["$defs"][reference.rpartition("/")[2]]
        assert kind["properties"]["kind"]["const"] == word
        assert {"id", "name", "area"} <= set(kind["properties"])


def test_every_section_and_profiles() -> None:
    found = schema()
    assert set(found["properties"]) == set(Settings.model_fields) - {"file"} | {"profiles"}
    assert found["additionalProperties"] is False
    assert "!secret" in found["$comment"]


def test_short_forms_are_allowed() -> None:
    found = schema()
    assert "anyOf" in found["properties"]["node"]
    assert {"type": "boolean"} in found["$defs"]["MqttOptions"]["properties"]["tls"]["anyOf"]
    assert {"$ref": "#/$defs/Reference"} in found["$defs"]["MqttOptions"]["properties"]["port"]["anyOf"]


def test_every_reference_leads_somewhere() -> None:
    found = schema()

    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(value) for value in part.values()))
        return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()

    assert {name.removeprefix("#/$defs/") for name in references(found)} <= set(found["$defs"])


def test_every_option_has_its_text() -> None:
    made = schema()
    for name, definition in {"Settings": made, **made["$defs"]}.items():
        for key, option in definition.get("properties", {}).items():
            if key not in {"kind", "profiles"}:
                assert "description" in option, f"{name}.{key}"
