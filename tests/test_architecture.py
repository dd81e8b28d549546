"""The shape of the code: who may import what, one file a kind, one root of errors, no file that grows without end."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimqtt_agent import devices, errors

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pimqtt_agent"
FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = ROOT / "tests"
#: Pure modules: no clock, no I/O, no processes.
PURE = [
    "entities", "topics", "commands", "discovery", "lease", "access", "limits", "rules", "retained", "rights", "proofs",
    "repeats",
]  # fmt: skip
IMPURE = {"asyncio", "os", "pathlib", "random", "select", "signal", "socket", "subprocess", "threading", "time"}
WIRE = {"paho", "aiomqtt", "amqtt"}
HARDWARE = {"gpiozero", "lgpio", "gpiod", "picamera2", "av", "simplejpeg", "numpy"}
SLOW = {"pydantic", "yaml", "msgspec", "paho", "rich", "typer"}
NO_KINDS = {"__init__", "base", "options", "system"}


def imports(path: Path) -> Iterator[str]:
    """Name every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE).with_suffix(""))


def roots(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(path)}


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_have_no_clock_and_no_io(module: str) -> None:
    found = roots(PACKAGE / f"{module}.py") & (IMPURE | WIRE | HARDWARE)
    assert found == set()


def test_only_the_bridge_knows_paho_only_the_client_aiomqtt_only_the_demo_amqtt() -> None:
    users = {library: {name(path) for path in FILES if library in roots(path)} for library in WIRE}
    assert users["paho"] <= {"bridge", "mqtt_client"} | {n for n in users["paho"] if n.startswith("client")}
    assert "bridge" in users["paho"]
    assert all(user.startswith("client") for user in users["aiomqtt"])
    assert all(user.startswith("console/") for user in users["amqtt"])


def test_only_backends_and_media_know_hardware() -> None:
    for path in FILES:
        found = roots(path) & HARDWARE
        allowed = name(path).startswith(("hardware/", "media/"))
        assert not found or allowed, f"{name(path)} imports {found}"


def test_no_module_knows_both_the_wire_and_the_hardware() -> None:
    for path in FILES:
        modules = set(imports(path))
        wire = any(module.startswith("pimqtt_agent.bridge") for module in modules) or roots(path) & WIRE
        hardware = any(module.startswith("pimqtt_agent.hardware") for module in modules) or roots(path) & HARDWARE
        assert not (wire and hardware), name(path)


def test_the_supervisor_knows_neither_wire_nor_hardware_nor_event_loop() -> None:
    children = ("child", "child_agent", "child_keepers", "child_safe", "child_reload")
    for module in ("supervisor", *children, "lock", "notify"):
        found = set(imports(PACKAGE / f"{module}.py"))
        assert "asyncio" not in found
        strangers = ("pimqtt_agent.bridge", "pimqtt_agent.hardware", "pimqtt_agent.agent")
        assert not any(imported.startswith(strangers) for imported in found)


def test_safe_starts_with_the_standard_library_alone() -> None:
    seen: set[str] = set()
    todo = ["safe"]
    while todo:
        module = todo.pop()
        file = PACKAGE / f"{module}.py"
        path = file if file.exists() else PACKAGE / module / "__init__.py"
        if module in seen or not path.exists():
            continue
        seen.add(module)
        top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in top:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [str(node.module)]
            for imported in names:
                if imported.startswith("pimqtt_agent"):
                    todo.append(imported.removeprefix("pimqtt_agent").removeprefix(".").replace(".", "/"))
                else:
                    assert imported.split(".")[0] not in SLOW, module


def test_only_the_simulated_chip_writes_the_trace() -> None:
    """A row is made in the call that sets a level; nobody but the keeper's chip and `pimqtt safe` gives it a file."""
    makers = {name(path) for path in FILES if "t_ns" in path.read_text()}
    assert makers == {"hardware/levels", "hardware/simulated"}
    tracing = {
        name(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Levels"
        and (len(node.args) > 2 or "trace" in {word.arg for word in node.keywords})
    }
    assert tracing == {"hardware/simulated", "safe"}


def test_the_clock_of_the_leases_is_read_in_one_place() -> None:
    readers = {
        name(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "CLOCK_BOOTTIME"
    }
    assert readers == {"clock"}


def test_a_kind_is_one_file_and_its_test() -> None:
    kinds = {path.stem for path in (PACKAGE / "devices").glob("*.py")} - NO_KINDS
    assert kinds == {word for word, kind in devices.KINDS.items() if kind.__module__.startswith("pimqtt_agent.")}
    for kind in kinds:
        assert devices.KINDS[kind].__module__ == f"pimqtt_agent.devices.{kind}"
        assert devices.KINDS[kind].example, f"{kind} has no example"
        assert (ROOT / f"tests/devices/test_{kind}.py").exists()


def test_every_error_of_ours_is_under_one_root() -> None:
    signals = {"SessionEnded"}  # how a session ends: an outcome, never seen by a user
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name not in signals:
                bases = {ast.unparse(base) for base in node.bases}
                assert not bases & {"Exception", "BaseException", "ValueError", "RuntimeError", "OSError"} or (
                    node.name == "PimqttError"
                ), f"{name(path)}: {node.name}"
    for _, error in inspect.getmembers(errors, lambda thing: getattr(thing, "__module__", "") == errors.__name__):
        assert issubclass(error, errors.PimqttError)


def test_files_and_functions_stay_short() -> None:
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 300, name(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                assert node.end_lineno - node.lineno < 60, f"{name(path)}: {node.name}"


def test_files_of_tests_stay_short_too() -> None:
    lengths = {str(path.relative_to(TESTS)): len(path.read_text().splitlines()) for path in TESTS.rglob("test_*.py")}
    assert {path for path, lines in lengths.items() if lines > 300} == set()


def test_the_median_module_is_about_120_lines() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in FILES)
    assert lengths[len(lengths) // 2] <= 140
