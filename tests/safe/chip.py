"""A keeper that took two lines and is gone, or not; and what its chip shows."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pimqtt_agent import safe

ROOT = Path(__file__).parents[2]
#: plays the keeper: takes both lines high and leaves the list; `argv`: runtime folder, rule, seconds to live, owner
KEEPER = """
import sys, time
from pathlib import Path
from pimqtt_agent import safe_list
from pimqtt_agent.hardware.levels import Levels, Release
from pimqtt_agent.hardware.simulated import SimulatedBoard
folder, rule, life, owner = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
board = SimulatedBoard(Levels(folder / "levels", Release(rule, [27]), folder.parent / "trace"))
lines = board.output(17, 1), board.output(27, 0)
rows = [{**row, "device": "pump", "level": row["pull"]} for row in board.release_list()]
safe_list.write(folder, "car1", rows, owner)
print("held", flush=True)
time.sleep(life)
"""

Keep = Callable[..., Any]


def level(runtime: Path, line: int) -> float:
    return float(struct.unpack_from("d", (runtime / "levels").read_bytes(), 8 * line)[0])


def sequence(runtime: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (runtime.parent / "trace").read_text().splitlines()]
    return [(row["pin"], row["value"]) for row in rows]


def run(runtime: Path, *options: str) -> int:
    return safe.main(["-c", str(runtime.parent / "config.yaml"), *options])
