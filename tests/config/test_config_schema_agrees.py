"""The editor's schema and `check` say the same of one value, as far as a schema can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimqtt_agent.config import load, schema
from pimqtt_agent.devices import KINDS
from pimqtt_agent.errors import ConfigError
from tests.config.json_schema import fits

SCHEMA = schema()
ROOT = Path(__file__).parents[2]
BASE: dict[str, Any] = {"node": "car1", "hardware": {"backend": "simulated"}, "devices": []}
#: What is wrong with a value by itself; the rest is told of combinations.
BY_ITSELF = re.compile(
    r"is not (a|an|on|true|allowed here|finite)\b|out of range|unknown (key|value)|is missing|too (long|short)|no place"
)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 0.5, 2, 5, 64, 90, -90, 101, 4096, 1e9, "x", "a b", "", "mdi:x", "y" * 300),
        *("on", "off", "last", "keep", "stop", "config", "up", "shared", "required", "brake", "door", "switch", "pi"),
        *("synthetic", "auto", "3.1.1", "websockets", "/ws", "~/x", [], [1], ["restart"], ["x"], {}, {"a": 1}),
        *({"default": 5}, {"min": 1, "max": 9}, {"required": 7}, {"group": "g"}, {"group": "G g"}, {"heartbeat_s": 1}),
        *({"after": 5}, {"after": 5, "controller": {"owner": "me"}}, {"after": 0}, {"brightness": 5}, "\x00"),
        *({"on": False}, {"brightness": 0}, {"pi": 1}, {"pi": 9}, {"synthetic": True}, {"pin": 50}),
        *({"forward": 40, "backward": 41}, {"phase": 40, "enable": 41}, {"forward": 40, "phase": 41}),
        *({"red": 40, "green": 41, "blue": 42}, {"insecure": True}, {"max_priority": 10}, {"me": {"max_priority": 3}}),
        *({"": {}}, {"3": "up"}, {"a": "/dev/gpiochip0"}, {"a b": "x"}, {"backend": "pi"}, {"id": "x", "name": "X"}),
    ]
)


def options(name: str) -> list[tuple[str, str]]:
    return [(name, key) for key in SCHEMA["$defs"][name]["properties"] if key not in ("kind", "backend")]


MODELS = {kind.__name__: kind for kind in KINDS.values()}
SECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "MqttOptions": ("mqtt", {}), "SystemOptions": ("system", {}), "NodeOptions": ("node", {"id": "car1"}),
    "SimulatedOptions": ("hardware", {"backend": "simulated"}), "KernelOptions": ("hardware", {"backend": "kernel"}),
}  # fmt: skip
PLACES = [
    *(place for name in (*MODELS, *SECTIONS) for place in options(name)),
    *(("", key) for key in SCHEMA["properties"] if key != "profiles"),
]


def made(place: tuple[str, str], value: Any) -> dict[str, Any]:
    """Make a configuration with a value at a place."""
    name, key = place
    if name in MODELS:
        return {**BASE, "devices": [{**yaml.safe_load(MODELS[name].example), key: value}]}
    if name in SECTIONS:
        section, start = SECTIONS[name]
        return {**BASE, section: {**start, key: value}}
    return {**BASE, key: value}


def told(path: Path, data: dict[str, Any]) -> list[str]:
    path.write_text(yaml.safe_dump(data))
    try:
        load(path, environ={})
    except ConfigError as error:
        return error.lines
    return []


def lenient(place: tuple[str, str], value: Any) -> bool:
    """Whether `check` takes a value that editors do not: 1 and "on" for true, and numbers in quotes."""
    part = SCHEMA["$defs"].get(place[0], SCHEMA)["properties"][place[1]]
    return "'boolean'" in str(part) and isinstance(value, int | float | str)


@settings(
    deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_of_any_value(tmp_path: Path, place: tuple[str, str], value: Any) -> None:
    data = made(place, value)
    lines = told(tmp_path / "c.yaml", data)
    if fits(SCHEMA, data, SCHEMA):
        assert [line for line in lines if BY_ITSELF.search(line)] == []
    else:
        assert lines or lenient(place, value), f"an editor would refuse {place} {value!r}, and check takes it"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_of_the_example_of_each_kind(kind: str) -> None:
    assert fits(SCHEMA, {**BASE, "devices": [yaml.safe_load(KINDS[kind].example)]}, SCHEMA)


def test_of_the_example_configuration() -> None:
    assert fits(SCHEMA, yaml.safe_load((ROOT / "config.example.yaml").read_text()), SCHEMA)


@pytest.mark.parametrize(
    ("kind", "key", "right", "wrong"),
    [
        ("switch", "initial", [True, "off", "last"], ["keep", "perhaps", 1]),
        ("switch", "on_stop", [False, "ON", "keep"], ["last", 0]),
        ("light", "safe", ["on", {"brightness": 1}], [{"brightness": 0}, {"brightness": 1, "x": 2}, "last"]),
        ("motor", "initial", [0, "stop"], ["last", 50, True]),
        ("servo", "on_stop", [None, "stop"], ["keep", 0]),
    ],
)
def test_values_are_offered_that_the_kind_takes(kind: str, key: str, right: list[Any], wrong: list[Any]) -> None:
    for values, expected in ((right, True), (wrong, False)):
        for value in values:
            assert fits(SCHEMA, made((KINDS[kind].__name__, key), value), SCHEMA) is expected, value
