"""The list that a pin keeper leaves for ``pimqtt safe``. Standard library only.

``safe.json`` in the node's runtime folder holds ``{"node", "owner", "started", "stopped", "rows"}``. ``owner`` is the
pid of ``pimqtt run``, ``started`` its start time (so that a number used again is no mistake); ``stopped`` is true when
it has ended in order. A row has ``backend``, ``chip`` (device path, or the file of the simulated levels), ``line``
(offset there), ``name`` (as configured), ``device``, ``level`` (physical; a duty between 0 and 1 for PWM) and, on the
simulated backend, ``trace``, ``on_release`` and ``pull``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from pimqtt_agent.hardware.levels import LINES, started

NAME = "safe.json"
_KEYS = {"backend", "chip", "line", "name", "device", "level"}


def write(folder: os.PathLike[str] | str, node: str, rows: Iterable[dict[str, object]], owner: int) -> None:
    """Write the list into the runtime folder, all or nothing."""
    _put(folder, {"node": node, "owner": owner, "started": started(owner), "stopped": False, "rows": list(rows)})


def mark_stopped(folder: os.PathLike[str] | str) -> None:
    """Note that the outputs were left on purpose as they are (``on_stop``)."""
    content = read(folder)
    if content:
        _put(folder, {**content, "stopped": True})


def read(folder: os.PathLike[str] | str) -> dict[str, Any] | None:
    """Read the list; None where there is none that can be used."""
    try:
        with open(os.path.join(folder, NAME), "rb") as file:  # noqa: PTH118, PTH123
            content = json.load(file)
        rows = content["rows"]
        usable = isinstance(content["node"], str) and isinstance(content["owner"], int)
        fit = isinstance(rows, list) and all(map(_fits, rows))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return content if usable and fit else None


def _fits(row: dict[str, Any]) -> bool:
    """Whether a row can be driven: one that can't would keep the others from it."""
    lines = LINES if row["backend"] == "simulated" else 1 << 32
    names = (row["chip"], row.get("trace") or "")
    return (
        row.keys() >= _KEYS
        and isinstance(row["line"], int)
        and 0 <= row["line"] < lines
        and all(isinstance(name, str) and "\0" not in name for name in names)
        and 0 <= row["level"] <= 1
    )


def owner_alive(content: dict[str, Any]) -> int:
    """Return the pid of ``pimqtt run`` if it still lives, else 0."""
    pid = content["owner"]
    return pid if started(pid) == content.get("started") != 0 else 0


def _put(folder: os.PathLike[str] | str, content: dict[str, Any]) -> None:
    path = os.path.join(folder, NAME)  # noqa: PTH118
    with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(content, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105
