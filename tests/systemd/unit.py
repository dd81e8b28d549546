"""Reads a systemd unit file: what it says, and the commands it runs, for tests that run those very commands."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from functools import cache
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


def tool(name: str, *arguments: str | Path, said: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of systemd's tools; a machine without it fails the test."""
    found = shutil.which(name)
    assert found, f"{name} is missing: apt install systemd"
    words = [found, *map(str, arguments)]
    return subprocess.run(words, input=said, capture_output=True, text=True, timeout=60, check=False)


@cache
def members(group: str) -> frozenset[str]:
    """Return the system calls of one of systemd's groups, groups within it included."""
    listed = tool("systemd-analyze", "syscall-filter", "--no-pager", group)
    assert listed.returncode == 0, listed.stderr
    names = [line.strip() for line in listed.stdout.splitlines()[1:] if line.strip() and line.strip()[0] != "#"]
    return frozenset[str]().union(*(members(name) if name[0] == "@" else {name} for name in names))


def allowed_calls() -> set[str]:
    """Return the system calls that the unit's filter lets through, line after line as systemd does it."""
    allowed = set(members("@default"))
    for line in directives(UNIT)["Service"]["SystemCallFilter"]:
        calls = set().union(*(members(name) if name[0] == "@" else {name} for name in line.lstrip("~").split()))
        allowed = allowed - calls if line[0] == "~" else allowed | calls
    return allowed
