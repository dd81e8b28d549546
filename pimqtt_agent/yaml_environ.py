"""``${NAME}`` and ``${NAME:-default}``: values of the environment in texts of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pimqtt_agent.mistakes import Mistakes, Path
from pimqtt_agent.yaml_scalars import typed
from pimqtt_agent.yaml_source import Node

_REFERENCE = re.compile(r"(\$?)\$\{([^}]*)(\}?)")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?", re.DOTALL)


def substituted(node: Node, path: Path, environ: Mapping[str, str], mistakes: Mistakes) -> Node:
    """Put the values in; what is one reference and nothing else, or not quoted, is read as a plain scalar again."""
    written = node.text or ""
    problems: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        name = _NAME.fullmatch(match[2]) if match[3] else None
        if name is None:
            problems.append(f"{match[0]!r} is no reference; write ${{NAME}} or ${{NAME:-default}}, $${{ for a ${{")
            return ""
        found = environ.get(name[1])
        if found is None and name[2] is None:
            problems.append(f"environment variable {name[1]!r} is not set; ${{{name[1]}:-...}} gives a default")
        return found or name[3] or ""

    text = _REFERENCE.sub(value, written)
    for problem in problems:
        mistakes.add(node, path, problem)
    whole = node.style is None or _REFERENCE.fullmatch(written) is not None
    data = typed(text) if whole and node.tag is None else text
    source = "broken" if problems else "env"
    return Node(node.file, node.line, text=text, style=node.style, data=data, source=source, written=written)
