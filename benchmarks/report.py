"""What a run leaves: JSON with every row, and a table to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Rows, columns, figures
from benchmarks.plan import Plan, Row


@dataclass(frozen=True)
class Report:
    """Everything about one run."""

    plan: Plan
    rows: Sequence[Row]
    machine: dict[str, Any]
    versions: dict[str, str]
    commit: str
    date: datetime

    def as_json(self) -> str:
        """Write all of it."""
        content = {
            "date": self.date.astimezone(UTC).isoformat(timespec="seconds"),
            "commit": self.commit,
            "machine": self.machine,
            "versions": self.versions,
            "plan": asdict(self.plan),
            "figures": [{**asdict(figure), "met": figure.met} for figure in figures(self.rows, self.plan)],
            "rows": list(self.rows),
        }
        return json.dumps(content, indent=1) + "\n"

    def as_table(self) -> str:
        """Write what was wanted beside what was measured, then every candidate."""
        wanted, machine = figures(self.rows, self.plan), self.machine
        stood_on = f"{machine['cores']} cores, {machine['cpu']}; {machine['system']}"
        load = f"load before {machine['load_before']:.2f}, after {machine['load_after']:.2f}"
        lines = [
            f"# Benchmarks, {self.date.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "",
            f"Commit {self.commit}; {stood_on}; {load}; {self._rounds()}.",
            "",
            *_table(("figure", "goal", "measured", "met"), [_row(figure) for figure in wanted]),
            "",
            *self._comparison(),
            "",
            ", ".join(f"{name} {number}" for name, number in self.versions.items()),
        ]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both below a name that tells the date."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.date.astimezone(UTC):%Y-%m-%dT%H%MZ}"
        paths = folder / f"{name}.json", folder / f"{name}.md"
        for path, text in zip(paths, (self.as_json(), self.as_table()), strict=True):
            path.write_text(text)
        return paths

    def _rounds(self) -> str:
        """Say how often each benchmark was measured: some take too long to be repeated."""
        names = list(dict.fromkeys(str(row["benchmark"]) for row in self.rows))
        again = {str(row["benchmark"]) for row in self.rows if row["round"]}
        once = [name for name in names if name not in again]
        medians = [f"medians of {self.plan.rounds} rounds"] if again else []
        return "; ".join(medians + [f"{', '.join(once)}: one round"] * bool(once))

    def _comparison(self) -> list[str]:
        names = list(dict.fromkeys(str(row["candidate"]) for row in self.rows))
        rows = Rows(self.rows)
        found = [(title, [ask(rows, name) for name in names]) for title, ask in columns(self.plan)]
        body = [[title, *map(_number, values)] for title, values in found if any(v is not None for v in values)]
        return _table(("", *names), body)


def _row(figure: Figure) -> list[str]:
    unit = f" {figure.unit}" if figure.unit else ""
    if figure.measured is None:
        return [figure.name, f"{figure.bound} {figure.goal:g}{unit}", "not measured", ""]
    met = "yes" if figure.met else "**no**"
    return [figure.name, f"{figure.bound} {figure.goal:g}{unit}", f"{_number(figure.measured)}{unit}", met]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rows = [head, ["---"] * len(head), *body]
    return [f"| {' | '.join(row)} |" for row in rows]
