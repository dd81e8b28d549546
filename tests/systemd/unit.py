"""Reads a systemd unit file: what it says, and the commands it runs, for tests that run those very commands."""

from __future__ import annotations

import shlex
from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "pimqtt.service"


def directives(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Return section -> directive -> its values in the file's order."""
    sections: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in unit.read_text().replace("\\\n", " ").splitlines():
        said = line.strip()
        if said.startswith("["):
            current = sections.setdefault(said.strip("[]"), {})
        elif said and said[0] not in "#;":
            name, _, value = said.partition("=")
            current.setdefault(name.strip(), []).append(value.strip())
    return sections


def commands(unit: Path = UNIT) -> dict[str, list[str]]:
    """Return each Exec directive with its command as a list of words; variables such as $MAINPID stay as they are."""
    service = directives(unit)["Service"]
    return {name: shlex.split(values[-1]) for name, values in service.items() if name.startswith("Exec")}
