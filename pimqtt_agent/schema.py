"""The JSON schema of a configuration file, for editors; made from the same models that check it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pimqtt_agent import attribute_docs
from pimqtt_agent.devices import KINDS
from pimqtt_agent.settings import Settings

#: What an editor must be told besides (VS Code: ``yaml.customTags``).
TAGS = ["!secret scalar", "!secret mapping", "!include scalar"]
_NOTE = f"Tags to allow in the editor: {', '.join(TAGS)}. On and off are truth values here: YAML 1.1."
_REFERENCE = {"type": "string", "pattern": r"\$\{", "description": "From the environment: ${NAME} or ${NAME:-default}."}
_FREE = ("$ref", "oneOf", "const", "properties", "items", "additionalProperties")


def schema() -> dict[str, Any]:
    """Return the schema of a whole file."""
    models: list[type[BaseModel]] = [Settings, *KINDS.values()]
    _, found = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = found["$defs"]
    classes = attribute_docs.models()
    for name, definition in definitions.items():
        properties = definition.get("properties", {})
        texts = attribute_docs.texts(classes[name]) if name in classes else {}
        for key, text in texts.items():
            if key in properties:
                properties[key] = {**properties[key], "description": text}
        for value in properties.values():
            if "patternProperties" in value:
                value["additionalProperties"] = False
        properties |= {key: _or_reference(value) for key, value in properties.items()}
    root = definitions.pop(Settings.__name__)
    definitions |= {"Reference": _REFERENCE}
    definitions.pop("Device", None)
    properties = root["properties"]
    properties.pop("file")
    properties["node"] = _or(properties["node"], definitions["NodeOptions"]["properties"]["id"])
    mqtt = definitions["MqttOptions"]["properties"]
    mqtt["tls"] = _or(mqtt["tls"], {"type": "boolean"})
    mqtt["protocol"] = _or(mqtt["protocol"], {"const": 5})
    properties["devices"] |= {"type": ["array", "null"], "items": _kinds()}
    properties["profiles"] = _profiles(sorted(properties))
    about = {"title": "pimqtt configuration", "description": "One file for one Pi.", "$comment": _NOTE}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, **about, "$defs": definitions}


def _kinds() -> dict[str, Any]:
    mapping = {word: f"#/$defs/{kind.__name__}" for word, kind in sorted(KINDS.items())}
    choices = [{"$ref": reference} for reference in mapping.values()]
    return {"discriminator": {"propertyName": "kind", "mapping": mapping}, "oneOf": choices}


def _profiles(keys: list[str]) -> dict[str, Any]:
    part = {"type": "object", "propertyNames": {"enum": keys}}
    about = "Parts that are laid over the file when they are chosen by --profile or PIMQTT_PROFILE."
    return {"type": "object", "description": about, "additionalProperties": part}


def _or(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {key: one[key] for key in ("description", "default") if key in one}
    return {"anyOf": [{key: value for key, value in one.items() if key not in about}, other], **about}


def _or_reference(value: dict[str, Any]) -> dict[str, Any]:
    free = not ({"type", "anyOf", "enum"} & value.keys()) or any(key in value for key in _FREE)
    plain = value.get("type") == "string" and not {"pattern", "enum"} & value.keys()
    return value if free or plain else _or(value, {"$ref": "#/$defs/Reference"})
