"""What CONTRIBUTING says of the websocket commands is what the code does."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from custom_components.pimqtt.answers import Answer
from homeassistant.core import HomeAssistant
from rig import COMPONENT, ROOT, Pi, Socket

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
WORDS: dict[str, Any] = json.loads((COMPONENT / "translations/en.json").read_text())


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of a table by their row, which is named by its first cell."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert table is not None, heading
    cells = [[one.strip() for one in line.strip("|").split("|")] for line in table[1].splitlines()]
    return {first.strip("`"): rest for first, *rest in cells}


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def keys(what: str) -> list[str]:
    """Return the keys of what comes; what stands in brackets is inside one of them."""
    (text,) = rows("what comes")[what]
    return quoted(re.sub(r"\([^)]*\)", "", text))


def trees(*modules: str) -> Iterator[ast.AST]:
    for module in modules:
        yield from ast.walk(ast.parse((COMPONENT / f"{module}.py").read_text()))


def told(module: str) -> set[str]:
    """Return the keys of every event that a module tells."""
    calls = [one for one in trees(module) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    events = [one for call in calls if call.func.attr == "_tell" for one in call.args]  # type: ignore[attr-defined]
    return {str(key.value) for one in events if isinstance(one, ast.Dict) for key in one.keys
            if isinstance(key, ast.Constant)}  # fmt: skip


async def test_every_command_is_there_with_its_fields(hass: HomeAssistant, entry: Any) -> None:
    registered = {name: schema for name, (_, schema) in hass.data["websocket_api"].items() if name[:7] == "pimqtt/"}

    def named(key: Any) -> str:
        return f"{key}?" if type(key).__name__ != "Required" else str(key)

    fields_of = {
        name: {named(key) for key in schema.schema if str(key) not in ("id", "type")} if schema else set()
        for name, schema in registered.items()
    }
    assert {name: set(quoted(cells[0])) for name, cells in rows("command").items()} == fields_of
    assert "pimqtt/drive/send" in fields_of


async def test_what_is_answered_has_these_keys(socket: Socket, pi: Pi) -> None:
    answer = [one.name for one in fields(Answer)]
    assert keys("an answer") == answer
    pump = (await socket.ask("pimqtt/command", entity_id="switch.car1_pump", value="ON"))["result"]
    assert list(pump) == answer
    for type_ in ("pimqtt/stop", "pimqtt/reset"):
        (told_,) = (await socket.ask(type_, node="car1"))["result"]
        assert set(told_) == {"node", "device", *answer}
    called = (await socket.ask("pimqtt/call", node="car1", action="get_version"))["result"]
    assert set(called) == set(keys("the answer to a call"))
    pi.calls["list_pins"] = {"pins": [{"line": 17}]}
    lines = (await socket.ask("pimqtt/pins", node="car1"))["result"]
    assert set(lines) == set(keys("the lines of a node"))
    (text,) = rows("what comes")["the lines of a node"]
    assert {"pins", "model", *lines["pins"][0]} == set(quoted(text))


def test_every_outcome_is_named() -> None:
    (text,) = rows("what comes")["an answer"]
    inside = re.search(r"\(([^)]*)\)", text)
    assert inside is not None
    assert quoted(inside[1]) == ["accepted", "rejected", "reverted", "unanswered"]


def test_every_event_is_named() -> None:
    assert set(keys("events of the fleet")) == told("fleet_watch")
    assert set(keys("events of a search")) == told("search")
    # the keys of an answer are its own; `seq` comes with it
    session = set(keys("events of a session"))
    assert session - {"seq"} == told("driving")


def test_a_found_node_has_these_keys() -> None:
    (text,) = rows("what comes")["events of a search"]
    found = [one for one in trees("search") if isinstance(one, ast.Dict)]
    made = {str(key.value) for one in found for key in one.keys if isinstance(key, ast.Constant)} - told("search")
    assert made == set(quoted(text)) - set(keys("events of a search")) == {"node", "name", "address", "by", "new"}


def listed(before: str) -> set[str]:
    found = re.search(rf"{re.escape(before)}((?:[\s,]|or|`\w+`)+)\.", TEXT)
    assert found is not None, before
    return set(quoted(found[1]))


def test_every_reason_why_a_session_ended_is_named() -> None:
    reasons = {
        str(one.args[0].args[1].value)  # type: ignore[attr-defined]
        for one in trees("__init__")
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "close_all"
    }
    assert listed("A session is `ended` as ") == reasons
    assert reasons <= set(WORDS["exceptions"])


def test_every_problem_is_named() -> None:
    (health,) = [one for one in trees("issues") if isinstance(one, ast.FunctionDef) and one.name == "health_of"]
    problems = {
        str(one.args[0].value)  # type: ignore[attr-defined]
        for one in ast.walk(health)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "Issue"
    }
    assert listed("among the `issues` there:\n") == problems
    assert problems <= set(WORDS["issues"])


def test_every_error_is_named() -> None:
    codes = {
        str(one.value.value)
        for one in trees("errors")
        if isinstance(one, ast.AnnAssign) and isinstance(one.value, ast.Constant)
    }
    assert listed("an error is only what can't be asked at all: ") == codes


def test_every_refusal_has_its_words() -> None:
    used = {
        str(one.args[1].value)
        for path in COMPONENT.glob("*.py")
        for one in trees(path.stem)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "RefusedError"
        and isinstance(one.args[1], ast.Constant)
    }  # fmt: skip
    assert used <= set(WORDS["exceptions"])
    assert len(used) > 20
