"""The figures as a table: for the terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from benchmarks.safety.figures import UNCHECKED, Figure, Line
from benchmarks.safety.pins import PinClass

COLUMNS: tuple[PinClass, ...] = ("motion", "pump", "heater", "lamp")
HEAD = ("what fails", "trials", *COLUMNS, "moved", "promise")


def cells(line: Line) -> list[str]:
    """Write a fault's row: of each class p50, p99 (none of too few trials) and maximum, in ms after the deadline."""
    by_class = {figure.of: _cell(figure, line.trials) for figure in line.figures}
    rule = ", released lines fall" if line.rule == "pull" else ""
    verdict = {"held": "held", "broken": "**broken**", "not checked": UNCHECKED}[line.verdict]
    again = " at the second try, too" if line.broken else " at the second try"
    return [
        f"{line.fault.says}{rule}{_notes(line)}", f"{line.trials}", *(by_class.get(name, "") for name in COLUMNS),
        f"{len(line.moved)}", f"{verdict}{again if line.again else ''}",
    ]  # fmt: skip


def markdown(lines: Sequence[Line]) -> str:
    """Write a Markdown table."""
    rows = [HEAD, ("---",) * len(HEAD), *map(cells, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def plain(lines: Sequence[Line]) -> str:
    """Write a table for the terminal."""
    names = [line.fault.name + (" (pull)" if line.rule == "pull" else "") for line in lines]
    body = [[name, *cells(line)[1:], _notes(line)] for name, line in zip(names, lines, strict=True)]
    rows = [[cell.replace("**", "") for cell in row] for row in [[*HEAD, ""], *body]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) + 1)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _cell(figure: Figure, trials: int) -> str:
    p99 = "-" if figure.p99_s is None else _ms(figure.p99_s)
    some = f" ({len(figure.late_s)} of {trials})" if len(figure.late_s) < trials else ""
    return f"{_ms(figure.p50_s)} / {p99} / {_ms(figure.max_s)}{some}"


def _ms(seconds: float) -> str:
    if isinf(seconds):
        return "never"
    ms = 1000 * seconds
    return f"{ms:.1f}" if abs(ms) < 100 else f"{ms:.0f}"


def _notes(line: Line) -> str:
    said = {
        "load_share": "the others had {:.0%} of the cores", "flood_hz": "in the slowest round {:,}/s were sent",
        "done_hz": "{:,}/s done", "replaced": "keepers replaced: {}",
        "put_back": "lapsed after an earlier round: {}",
    }  # fmt: skip
    told = [text.format(line.notes[key]) for key, text in said.items() if key in line.notes]
    return f" ({', '.join(told)})" if told else ""
