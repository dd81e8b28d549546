"""One target in a process of its own: what libFuzzer is told, and what it says."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: libFuzzer's own bound (MB), and the longest input: the largest command that is read, and a little more.
RSS_MB, LONGEST = 1024, 70_000
#: Nothing takes so long (s): slow inputs are told by ``engine``, and a probe of the memory is none.
NEVER_S = 900
#: What came of a target: ``inputs``, ``seconds``, ``found`` and more.
Row = dict[str, Any]


def fuzz(name: str, place: Path, inputs: int, seconds: float, options: argparse.Namespace) -> Row:
    """Fuzz it, beginning with the corpus in ``place / name``; ``seconds`` 0: as long as it takes."""
    results, found = place / f"{name}.json", place / f"{name}.found"
    found.mkdir()
    words = [
        f"-runs={inputs}",
        f"-seed={options.seed}",
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={RSS_MB}",
        f"-artifact_prefix={found}/",
        f"-report_slow_units={NEVER_S}",
        f"-timeout={NEVER_S}",
        "-print_final_stats=0",
        "-verbosity=0",
        *([f"-max_total_time={max(1, int(seconds))}"] if seconds else []),
    ]
    plant = f"--plant={options.plant}"
    done = python(place, "-m", "tests.fuzz.one", name, str(results), plant, *words, str(place / name))
    row: Row = {"target": name, "inputs": 0, "seconds": 0.0, "found": ""}
    if results.exists():
        row |= json.loads(results.read_text(encoding="utf-8"))
    if done.returncode:
        row["found"] = _finding(done.stdout + done.stderr) + _taken(name, found, options.found)
    return row


def python(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of ours; what it leaves behind (libFuzzer ends a process where it stands) goes with ``place``."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(place)}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, errors="replace"
    )


def _finding(text: str) -> str:
    """Cut the finding out of what libFuzzer printed."""
    lines = [line for line in text.splitlines() if not line.startswith(("INFO:", "WARNING:"))]
    start = next(
        (index for index, line in enumerate(lines) if "Uncaught Python exception" in line), max(0, len(lines) - 15)
    )
    return "FOUND:\n" + "\n".join(lines[start : start + 60])


def _taken(name: str, found: Path, folder: Path) -> str:
    """Take the inputs to where they stay; return a line that names them."""
    told = ""
    for file in sorted(found.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        told += f"\nits input: {shutil.copy(file, folder / f'{name}-{file.name}')}"
    return told
