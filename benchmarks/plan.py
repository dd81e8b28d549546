"""How much is measured, and the broker under it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig import Mosquitto

#: One measurement: benchmark, candidate, outputs, round, and its figures.
Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The counts of a run. ``outputs``: the small and the large number.

    ``calm_s`` is waited after a start: agents may still subscribe, or write files, when everything is announced.
    """

    rounds: int = 5
    outputs: tuple[int, int] = (20, 200)
    commands: int = 1500
    limit_s: float = 10.0
    calm_s: float = 1.5
    warm_up: int = 200
    pipelined: int = 10_000
    window: int = 100
    settle_s: float = 10.0
    idle_s: float = 120.0
    frames: int = 200


#: Shows that everything works; its figures mean little.
QUICK = Plan(rounds=1, commands=100, limit_s=2.0, warm_up=20, pipelined=500, settle_s=1.0, idle_s=3.0, frames=20)


@contextlib.contextmanager
def broker() -> Iterator[tuple[int, Path]]:
    """Start a Mosquitto of its own (no persistence, no queue limit, TCP_NODELAY); gives its port and a folder."""
    with tempfile.TemporaryDirectory(prefix="pimqtt-bench-") as name, Mosquitto(Path(name)) as mosquitto:
        yield mosquitto.port, Path(name)
