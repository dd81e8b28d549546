"""What several modules need stands in one: the quality scale's common-modules, for a component without entities."""

from __future__ import annotations

import ast
from collections import defaultdict

from rig import COMPONENT

TREES = {path.stem: ast.parse(path.read_text()) for path in COMPONENT.glob("*.py")}
#: Shorter bodies say one thing, and may say the same.
SHORT = 80


def imported(module: str) -> set[str]:
    """Return what a module imports, with the dots of a relative import."""
    found = [one for one in ast.walk(TREES[module]) if isinstance(one, ast.ImportFrom)]
    return {f"{'.' * one.level}{one.module or ''}:{name.name}" for one in found for name in one.names}


def test_actions_and_websocket_commands_share_what_they_do() -> None:
    for module in ("actions", "websocket", "websocket_drive"):
        assert ".:operations" in imported(module), module
        assert not imported(module) & {".publishing:publish", ".commanding:Commands"}, module
        assert "homeassistant.components:mqtt" not in imported(module), f"{module}: operations publishes for it"
    schemas = {name for name in imported("actions") if name.startswith(".schemas:")}
    assert schemas & imported("websocket") >= {".schemas:ID", ".schemas:SECONDS", ".schemas:WHO"}


def test_nothing_is_written_twice() -> None:
    found = defaultdict(list)
    for module, tree in TREES.items():
        for one in ast.walk(tree):
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                body = "\n".join(ast.unparse(line) for line in one.body if not _docstring(line))
                found[body].append(f"{module}.{one.name}")
    assert len(found) > 200
    assert [names for body, names in found.items() if len(names) > 1 and len(body) > SHORT] == []


def _docstring(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
