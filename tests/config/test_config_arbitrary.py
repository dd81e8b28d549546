"""Whatever stands in a file, the answer is settings or lines, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pimqtt_agent.config import load, schema
from pimqtt_agent.devices import KINDS
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.settings import Settings
from tests.config.texts import HEAD

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["on", "off", "last", "keep", "${X}", "${X:-1}", "nan", "017", "1:30", "x:3", "-", "<<", "", "stop"]
    ),
    st.dates(),
)
KEYS = st.one_of(st.sampled_from(["value", "on", "id", "kind", "owner", "x", "y", "default", "max"]), SCALARS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
EASY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
PLACES = sorted((kind, name) for kind, model in KINDS.items() for name in model.model_fields)
SECTIONS = [*sorted(Settings.model_fields), "profiles", "zzz"]


NAMES = sorted({name for model in schema()["$defs"].values() for name in model.get("properties", {})})


def check(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    found: Settings | ConfigError
    try:
        found = load(path, environ={})
    except ConfigError as error:
        found = error
    if isinstance(found, ConfigError):
        assert found.lines
        assert found.status in (1, 2)
        assert all(line.isprintable() and line.startswith(str(path)) for line in found.lines)


def dumped(value: object) -> str:
    try:
        return yaml.safe_dump(value, allow_unicode=True)
    except (yaml.YAMLError, UnicodeError):
        assume(False)
        raise


@settings(EASY, max_examples=500)
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_any_value_of_any_option(tmp_path: Path, place: tuple[str, str], value: Any) -> None:
    kind, key = place
    entry = yaml.safe_load(KINDS[kind].example) | {key: value}
    other = {"id": "other", "kind": "switch", "pin": 27, "interlock": {"group": "a"}, "initial": True}
    check(tmp_path / "c.yaml", HEAD + dumped({"devices": [entry, other]}))


@settings(EASY, max_examples=200)
@given(key=st.sampled_from(SECTIONS), value=VALUES)
def test_any_value_of_any_section(tmp_path: Path, key: str, value: Any) -> None:
    root = {
        "node": "a",
        "hardware": {"backend": "kernel", "chip": "x"},
        "devices": [{"id": "a", "kind": "switch", "pin": 1}],
    }
    check(tmp_path / "c.yaml", dumped(root | {key: value}))


@EASY
@given(
    key=st.sampled_from(["mqtt", "hardware", "system", "node"]),
    start=st.sampled_from([{}, {"backend": "simulated"}, {"backend": "kernel"}, {"id": "a"}]),
    more=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
)
def test_any_value_inside_a_section(tmp_path: Path, key: str, start: dict[str, Any], more: dict[str, Any]) -> None:
    inner = start | more
    check(tmp_path / "c.yaml", dumped({"node": "a", "hardware": {"backend": "pi"}, "devices": []} | {key: inner}))


@EASY
@given(text=st.text(alphabet="abk:-{}[]&*!<|>'\"#%@ \n\t$~?,01.\\", max_size=60))
def test_any_text(tmp_path: Path, text: str) -> None:
    check(tmp_path / "c.yaml", text)
    check(tmp_path / "c.yaml", HEAD + "devices:\n" + text)


@EASY
@given(data=st.binary(max_size=60))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "c.yaml").write_bytes(data)
    with pytest.raises(ConfigError):
        load(tmp_path / "c.yaml", environ={})


@EASY
@given(value=VALUES, text=st.text(max_size=30))
def test_json_is_yaml(tmp_path: Path, value: Any, text: str) -> None:
    try:
        check(tmp_path / "c.yaml", HEAD + "devices: " + json.dumps([value, text], ensure_ascii=True))
    except (UnicodeEncodeError, TypeError):
        assume(False)


def test_a_backend_that_is_a_list_is_a_mistake_like_any_other(tmp_path: Path) -> None:
    check(tmp_path / "c.yaml", "node: a\nhardware: {backend: [], pulls: {value: up}}\ndevices: []\n")


def test_chips_that_are_lists_are_mistakes_like_any_other(tmp_path: Path) -> None:
    text = "node: a\nhardware: {backend: kernel, chip: [], chips: {x: []}}\ndevices:\n"
    for pin in ("1", "1", "x:1", "x:1"):
        text += f"  - {{id: d, kind: switch, pin: {pin!r}}}\n".replace("'1'", "1")
    check(tmp_path / "c.yaml", text)
