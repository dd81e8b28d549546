"""Which branches of each target's parsers the inputs reach: replayed under coverage.py, all targets together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from tests.fuzz.libfuzzer import ROOT, Row
from tests.fuzz.registry import TARGETS
from tests.fuzz.unreachable import UNREACHABLE

#: What has to be reached of every target (%).
LEAST_PCT = 95
Part = tuple[str, dict[str, Any]]


def measure(rows: list[Row], place: Path, pool: Executor) -> None:
    """Replay every folder; note ``98.1 % of 210`` in each row, and print what is missing."""

    def replayed(row: Row) -> None:
        _coverage(place, *_RUN, "-m", "tests.fuzz.replay", row["target"], str(place / row["target"]))

    list(pool.map(replayed, rows))
    report = place / "coverage.json"
    _coverage(place, "combine", "-q")
    _coverage(place, "json", "-q", "-o", str(report))
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    for row in rows:
        row["reached_pct"], row["branches"] = _of(row["target"], files)


def too_few(rows: list[Row]) -> bool:
    """Whether a target's parsers were not read as far as they should be."""
    return any(row["reached_pct"] < LEAST_PCT for row in rows)


_RUN = ("run", "--branch", "--parallel-mode", f"--source={ROOT / 'pimqtt_agent'}")


def _coverage(place: Path, *words: str) -> None:
    environ = {**os.environ, "COVERAGE_FILE": str(place / "coverage"), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, env=environ, check=True)


def _of(name: str, files: dict[str, Any]) -> tuple[float, str]:
    reached, missing = 0, []
    for module in TARGETS[name].modules:
        path, _, only = module.partition(":")
        for where, part in _parts(files[f"pimqtt_agent/{path}.py"], only.split(",") if only else []):
            reached += len(part["executed_branches"])
            missing += _missing(path, where, part)
    for line in missing:
        print(f"not reached by {name}: {line}")  # noqa: T201
    whole = reached + len(missing)
    pct = 100 * reached / max(whole, 1)
    return pct, f"{pct:.1f} % of {whole}"


def _missing(path: str, where: str, part: dict[str, Any]) -> list[str]:
    """Name the branches that are not reached and could be."""
    lines = (ROOT / "pimqtt_agent" / f"{path}.py").read_text(encoding="utf-8").splitlines()
    unreachable = [words for module, words in UNREACHABLE if module == path]
    return [
        f"{path}.py:{start}->{end} {where}: {lines[start - 1].strip()}"
        for start, end in part["missing_branches"]
        if not any(words in lines[start - 1] for words in unreachable)
    ]


def _parts(file: dict[str, Any], only: list[str]) -> list[Part]:
    """Return the whole file, or the functions and classes that are meant."""
    if not only:
        return [("", file)]
    return [
        (name, part)
        for name, part in file["functions"].items()
        if name and any(word in (name, name.rpartition(".")[2], name.partition(".")[0]) for word in only)
    ]
