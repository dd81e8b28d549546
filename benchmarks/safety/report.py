"""What a run leaves: JSON with every trial, a table, and the documentation's part."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isinf
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.plan import Row
from benchmarks.safety.earlier import Earlier
from benchmarks.safety.figures import UNCHECKED, Figure, Line
from benchmarks.safety.picture import svg
from benchmarks.safety.plan import Plan
from benchmarks.safety.table import markdown, plain
from tests.rig import ROOT

DOCUMENT, PICTURE = ROOT / "docs/safety.md", ROOT / "docs/safety.svg"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Report:
    """Everything about one run. ``granted``: the kernel granted real-time priority."""

    plan: Plan
    lines: Sequence[Line]
    rows: Sequence[Row]
    machine: dict[str, Any]
    versions: dict[str, str]
    commit: str
    date: datetime
    seed: int
    took_s: float
    granted: bool
    earlier: Earlier | None = None

    @property
    def broken(self) -> list[str]:
        """Tell each promise that did not hold."""
        return [what for line in self.lines for what in line.broken]

    @property
    def tried(self) -> list[str]:
        """Name the faults that were tried in this run."""
        past = {row["fault"] for row in self.earlier.rows} if self.earlier else set()
        return list(dict.fromkeys(line.fault.name for line in self.lines if line.fault.name not in past))

    def as_json(self) -> str:
        """Write all of it; each trial has a line."""
        content = {
            "date": self.date.astimezone(UTC).isoformat(timespec="seconds"),
            "commit": self.commit,
            "machine": self.machine,
            "versions": self.versions,
            "plan": asdict(self.plan),
            "seed": self.seed,
            "took_s": round(self.took_s),
            "real_time": self.granted,
            "earlier": self.earlier.about if self.earlier else None,
            "tried": self.tried,
            "broken": self.broken,
            "figures": [_figure(line, figure) for line in self.lines for figure in line.figures],
        }
        rows = ",\n".join(f"  {json.dumps(row)}" for row in self.rows)
        return f'{json.dumps(content, indent=1)[:-2]},\n "rows": [\n{rows}\n ]\n}}\n'

    def as_text(self) -> str:
        """Write the table and what became of the promises."""
        said = [
            f"Safety, {self.head()}",
            "",
            "ms after the deadline: p50 / p99 / maximum (p99 from 100 trials on); negative is before it",
            "",
            plain(self.lines),
            "",
        ]
        said.append(self.spoilt())
        if not self.granted:
            said.append(f"Deadlines {UNCHECKED} here (pimqtt doctor says how to have it).")
        kept = "every promise held" if self.granted else "nothing moved that should not have"
        said += [f"BROKEN {what}" for what in self.broken] or [kept]
        return "\n".join(said) + "\n"

    def spoilt(self) -> str:
        """Say how many trials show nothing, and why; what moved in them counts all the same."""
        reasons = Counter(re.sub(r"\d+ ms", "some ms", row["void"]) for row in self.rows if row["void"])
        if not reasons:
            return "Every trial counted."
        why = "; ".join(f"{count} times {reason}" for reason, count in reasons.most_common())
        return f"{reasons.total()} trials show nothing and were done again: {why}."

    def head(self) -> str:
        """Say what was measured when, where and for how long."""
        machine = self.machine
        stood_on = f"{machine['cores']} cores, {machine['cpu']}; {machine['system']}"
        load = f"load before {machine['load_before']:.2f}, after {machine['load_after']:.2f}"
        when = f"{self.date.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        head = f"{when}; commit {self.commit}; {stood_on}; {load}; {self.took_s / 60:.0f} minutes; seed {self.seed}"
        return f"{head} ({', '.join(self.tried)}), all others {self.earlier.head}" if self.earlier else head

    def write(self, folder: Path) -> Path:
        """Write the JSON below a name that tells the date."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"safety-{self.date.astimezone(UTC):%Y-%m-%dT%H%MZ}.json"
        path.write_text(self.as_json())
        return path

    def document(self, text: str) -> str:
        """Put the table where the documentation wants it."""
        if text.count(BEGIN) != 1 or text.count(END) != 1:
            raise BenchmarkError(f"{DOCUMENT.name} must have {BEGIN} and {END} once each")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        return f"{before}{BEGIN}\nMeasured {self.head()}.\n\n{markdown(self.lines)}\n\n{self.spoilt()}\n{END}{after}"

    def write_documents(self) -> None:
        """Renew the documentation's table and picture."""
        DOCUMENT.write_text(self.document(DOCUMENT.read_text()))
        PICTURE.write_text(svg(self.lines))


def _figure(line: Line, figure: Figure) -> Row:
    def told(seconds: float | None) -> float | str | None:
        return seconds if seconds is None else "never" if isinf(seconds) else round(seconds, 6)

    return {
        "fault": line.fault.name, "rule": line.rule, "pins": figure.of, "trials": line.trials, "void": line.void,
        "since": figure.due.since, "after_s": figure.due.after_s, "p50_s": told(figure.p50_s),
        "p99_s": told(figure.p99_s), "max_s": told(figure.max_s), "limit_s": figure.due.limit_s,
        "promise": figure.verdict, "moved": len(line.moved), "second_try": line.again, **line.notes,
    }  # fmt: skip
