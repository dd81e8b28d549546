"""The table of a run, printed and in ``docs/fuzzing.md``."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from tests.fuzz.libfuzzer import ROOT, Row

PAGE = ROOT / "docs" / "fuzzing.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def table(rows: list[Row]) -> str:
    """Write a line a target."""
    lines = ["| target | inputs | inputs/s | slowest | memory | branches |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row['target']} | {row['inputs']:,} | {row['inputs'] / max(row['seconds'], 0.1):,.0f} | "
        f"{1000 * row.get('slowest_s', 0):.0f} ms | {_grown(row)} | {row.get('branches', '')} |"
        for row in rows
    ]
    return "\n".join(lines)


def summary(rows: list[Row], seed: int, took_s: float) -> str:
    """Say what was run, where, and how it ended."""
    whole = sum(row["inputs"] for row in rows)
    found = sum(bool(row["found"]) for row in rows)
    where = f"{os.cpu_count()} x {_processor()}, CPython {platform.python_version()}, atheris {version('atheris')}"
    ended = f"something was found in {found} targets" if found else "nothing was found"
    return f"\n{whole:,} inputs (seed {seed}) in {took_s / 60:.0f} minutes on {where}: {ended}."


def write(parts: list[str]) -> None:
    """Put them into the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{PAGE} has no {BEGIN} ... {END}"
    PAGE.write_text("\n".join([before + BEGIN, *parts, END + after]), encoding="utf-8")


def _grown(row: Row) -> str:
    early_kb, late_kb = row.get("rss_kb", (0, 0))
    return f"{(late_kb - early_kb) / 1024:+.1f} MB" if early_kb else "?"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*:\s*(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if path.exists() else None
    )
    return found[1] if found else platform.machine()
