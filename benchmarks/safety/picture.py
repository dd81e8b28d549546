"""The figures as a picture: a dot a trial, a strip a fault, against the line of the promise. SVG by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.safety.figures import Figure, Line
from benchmarks.safety.promises import KEEPER_S, LATE_S, STOP_S

LEFT, WIDTH, RIGHT, STRIP, HEAD = 520, 480, 60, 18, 54
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 } .page { fill: #fff }
  .title { font-weight: 600 } .quiet { fill: #59636e }
  .grid { stroke: #d1d9e0 } .promise { stroke: #cf222e; stroke-width: 1.5 }
  .dot { fill: #0969da; fill-opacity: .45 } .late { fill: #cf222e; fill-opacity: .8 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .page { fill: #0d1117 } .quiet { fill: #9198a1 } .grid { stroke: #3d444d }
    .promise { stroke: #ff7b72 } .dot { fill: #58a6ff } .late { fill: #ff7b72 }
  }
"""


@dataclass(frozen=True)
class Panel:
    """Strips on one axis. ``takes`` chooses figures, ``value`` makes of a lateness (s) what the axis shows."""

    title: str
    low: float
    high: float
    step: float
    unit: str
    promise: float
    takes: Callable[[Figure], bool]
    value: Callable[[Figure, float], float]


PANELS = (
    Panel(
        "After the deadline (ms): leases, and `on_disconnect` after the last sign of life", -5, 30, 5, "ms",
        1000 * LATE_S, lambda f: f.due.real_time and not f.due.early_s and f.due.limit_s == LATE_S,
        lambda _figure, late_s: 1000 * late_s,
    ),
    Panel(
        "After it was sent (ms): a stop", 0, 70, 10, "ms", 1000 * STOP_S, lambda f: f.due.limit_s == STOP_S,
        lambda _figure, late_s: 1000 * late_s,
    ),
    Panel(
        "After the fault (s): the pin keeper itself is the victim", 0, 1.2, 0.2, "s", KEEPER_S,
        lambda f: not f.due.real_time, lambda figure, late_s: late_s + figure.due.after_s,
    ),
)  # fmt: skip


def svg(lines: Sequence[Line]) -> str:
    """Draw the panels, one below the other."""
    body: list[str] = []
    y = 0
    for panel in PANELS:
        strips = [(line, [f for f in line.figures if panel.takes(f)]) for line in lines]
        strips = [strip for strip in strips if strip[1]]
        if strips:
            body += _panel(panel, strips, y)
            y += HEAD + STRIP * len(strips) + 24
    width = LEFT + WIDTH + RIGHT
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" role="img">'
    title = "<title>Time to safe of every trial that counted, against what is promised</title>"
    page = '<rect class="page" width="100%" height="100%"/>'  # whoever shows it may be light where the reader is dark
    return "\n".join([head, title, f"<style>{STYLE}</style>", page, *body, "</svg>\n"])


def _panel(panel: Panel, strips: list[tuple[Line, list[Figure]]], y: int) -> Iterator[str]:
    yield _text(8, y + 20, panel.title, "title")
    top, bottom = y + HEAD - 8, y + HEAD + STRIP * len(strips)
    for number in range(round((panel.high - panel.low) / panel.step) + 1):
        at = panel.low + number * panel.step
        yield _rule(_x(panel, at), top, bottom, "grid")
        yield _text(_x(panel, at), y + HEAD - 14, f"{at:g}", "quiet", "middle")
    yield _rule(_x(panel, panel.promise), top, bottom, "promise")
    yield _text(_x(panel, panel.promise), bottom + 14, f"promised: {panel.promise:g} {panel.unit}", "quiet", "middle")
    for number, (line, figures) in enumerate(strips):
        middle = y + HEAD + STRIP * number + STRIP // 2
        rule = ", released lines fall" if line.rule == "pull" else ""
        yield _text(LEFT - 16, middle + 4, line.fault.says + rule, "", "end")
        yield from _dots(panel, figures, middle)


def _dots(panel: Panel, figures: list[Figure], middle: int) -> Iterator[str]:
    for figure in figures:
        for number, late_s in enumerate(figure.late_s):
            value = min(max(panel.value(figure, late_s), panel.low), panel.high)
            kind = "late" if value > panel.promise else "dot"
            yield f'<circle class="{kind}" cx="{_x(panel, value):.1f}" cy="{middle + number % 7 - 3}" r="2.2"/>'


def _x(panel: Panel, value: float) -> float:
    return LEFT + WIDTH * (value - panel.low) / (panel.high - panel.low)


def _rule(x: float, top: int, bottom: int, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'


def _text(x: float, y: int, said: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(said)}</text>'
