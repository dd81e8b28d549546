"""What an earlier run measured, for the faults that are not tried now."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.plan import Row

#: What a result must have to go on from it.
_WANTED = ("date", "commit", "machine", "seed", "took_s", "real_time", "broken", "earlier", "tried", "rows")
#: What the first results had not.
_LATER = ("earlier", "tried")


@dataclass(frozen=True)
class Earlier:
    """A result as it was written, and its trials of what is not tried now."""

    about: dict[str, Any]
    rows: list[Row]

    @property
    def granted(self) -> bool:
        """Whether the kernel granted real-time priority."""
        return bool(self.about["real_time"])

    @property
    def head(self) -> str:
        """Say when it was measured, of what, and what had not held then."""
        about, when = self.about, datetime.fromisoformat(self.about["date"])
        took = f"{about['took_s'] / 60:.0f} minutes; seed {about['seed']}"
        head = f"{when:%Y-%m-%d %H:%M} UTC; commit {about['commit']}; {took}"
        broken = dict.fromkeys(what.partition(":")[0] for what in about["broken"])
        head += f"; not held then: {', '.join(broken)}" if broken else ""
        past = about.get("earlier")
        return f"{head} ({', '.join(about['tried'])}), all others {Earlier(past, []).head}" if past else head


def read(path: Path, tried: Collection[str], machine: Mapping[str, Any]) -> Earlier:
    """Read a result, without the trials of the faults that are tried again; one head stands for ``machine`` alone."""
    try:
        content = json.loads(path.read_text())
        about = {key: content.get(key) if key in _LATER else content[key] for key in _WANTED}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path} is no result of this benchmark: {type(error).__name__} {error}") from None
    if any(about["machine"].get(key) != machine[key] for key in ("cpu", "cores", "system")):
        raise BenchmarkError(f"{path} was measured on another machine: {about['machine']}")
    rows = about.pop("rows")
    return Earlier(about, [row for row in rows if row["fault"] not in tried])
