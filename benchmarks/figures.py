"""From rows to figures: medians of rounds, and what was wanted of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from benchmarks.plan import Plan, Row

PIMQTT, MQTT_IO, PLAIN = "pimqtt", "mqtt-io", "simplejpeg"


@dataclass(frozen=True)
class Figure:
    """Something that was wanted. ``measured`` is None where its benchmark was not run."""

    name: str
    bound: Literal["<=", ">="]
    goal: float
    measured: float | None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it was reached."""
        if self.measured is None:
            return None
        return self.measured <= self.goal if self.bound == "<=" else self.measured >= self.goal


class Rows:
    """What was measured, to ask for medians."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)

    def values(self, key: str, **where: object) -> list[float]:
        """Return one figure of each fitting row, in the order of the rounds."""
        fitting = [row for row in self._rows if all(row.get(name) == wanted for name, wanted in where.items())]
        return [float(row[key]) for row in sorted(fitting, key=lambda row: int(row["round"]))]

    def median(self, key: str, **where: object) -> float | None:
        """Return the median of the rounds."""
        found = self.values(key, **where)
        return median(found) if found else None

    def ratio(self, key: str, over: Row, under: Row) -> float | None:
        """Return the median of the rounds' ratios: the two of one round were measured one after the other."""
        pairs = zip(self.values(key, **over), self.values(key, **under), strict=False)
        ratios = [a / b for a, b in pairs if b]
        return median(ratios) if ratios else None

    def total(self, keys: Sequence[str], **where: object) -> float | None:
        """Return the sum of figures over all rounds."""
        found = [self.values(key, **where) for key in keys]
        return sum(map(sum, found)) if any(found) else None


def figures(rows: Iterable[Row], plan: Plan) -> list[Figure]:
    """Compare with what was wanted."""
    of, (few, many) = Rows(rows), plan.outputs
    ours, theirs = {"candidate": PIMQTT}, {"candidate": MQTT_IO}
    qos = [{"benchmark": "latency", "outputs": few, "qos": level} for level in (0, 1)]
    large = {"benchmark": "latency", "outputs": many, "qos": 0}
    burst = {"benchmark": "pipelined", **ours}
    begin = {"benchmark": "start", **ours}
    still = {"benchmark": "still"}
    command = "command to state p50"
    return [
        Figure(f"{command}, QoS 0, {few} outputs, of mqtt-io's", "<=", 0.65,
               of.ratio("p50_us", {**qos[0], **ours}, {**qos[0], **theirs}), "x"),
        Figure(f"{command}, QoS 0, {many} outputs, of mqtt-io's", "<=", 0.65,
               of.ratio("p50_us", {**large, **ours}, {**large, **theirs}), "x"),
        Figure(f"{command}, QoS 1, of our QoS 0", "<=", 1.5,
               of.ratio("p50_us", {**qos[1], **ours}, {**qos[0], **ours}), "x"),
        Figure("command to state p99, QoS 1 (no 40 ms tail)", "<=", 20,
               _scaled(of.median("p99_us", **qos[1], **ours), 1e-3), "ms"),
        Figure(f"pipelined, window {plan.window}", ">=", 10_000, of.median("per_s", **burst), "commands/s"),
        Figure("pipelined: states missing or out of order, last states wrong", "<=", 0,
               of.total(("missing", "disorder", "last_wrong"), **burst)),
        Figure(f"exec to everything announced, {few} outputs", "<=", 0.5,
               of.median("seconds", **begin, outputs=few), "s"),
        Figure(f"the same with {many} outputs", "<=", 1.3,
               of.ratio("seconds", {**begin, "outputs": many}, {**begin, "outputs": few}), "x"),
        Figure(f"memory of all processes at rest, {few} outputs (PSS)", "<=", 45,
               of.median("pss_mib", benchmark="memory", outputs=few, **ours), "MiB"),
        Figure(f"CPU at rest, {few} outputs", "<=", 0.06, of.median("cpu_pct", benchmark="idle", **ours), "%"),
        Figure("still of 640x480, CPU, of simplejpeg's on planes", "<=", 1.15,
               of.ratio("cpu_ms", {**still, **ours}, {**still, "candidate": PLAIN}), "x"),
    ]  # fmt: skip


#: A column of the comparison: its title, the figure, the rows; the numbers of outputs are filled in.
Column = tuple[str, Callable[[Rows, str], float | None]]


def columns(plan: Plan) -> list[Column]:
    """What is told of every candidate."""

    def of(key: str, **where: object) -> Callable[[Rows, str], float | None]:
        return lambda rows, name: rows.median(key, candidate=name, **where)

    few = plan.outputs[0]
    return [
        *((f"{key[:3]} us, QoS {qos}, {outputs}", of(key, benchmark="latency", qos=qos, outputs=outputs))
          for outputs in plan.outputs for qos in (0, 1) for key in ("p50_us", "p99_us")),
        ("CPU us/command", of("cpu_us", benchmark="latency", qos=0, outputs=few)),
        ("commands/s pipelined", of("per_s", benchmark="pipelined")),
        ("CPU us/command pipelined", of("cpu_us", benchmark="pipelined")),
        ("out of order", lambda rows, name: rows.total(("disorder",), benchmark="pipelined", candidate=name)),
        *((f"start {title}, {outputs}", of(key, benchmark="start", outputs=outputs))
          for title, key in (("s", "seconds"), ("CPU s", "cpu_s")) for outputs in plan.outputs),
        (f"PSS MiB, {few}", of("pss_mib", benchmark="memory", outputs=few)),
        (f"MiB if alone, {few}", of("alone_mib", benchmark="memory", outputs=few)),
        ("threads", of("threads", benchmark="memory", outputs=few)),
        ("CPU % at rest", of("cpu_pct", benchmark="idle")),
        ("wake-ups/s at rest", of("wakeups_per_s", benchmark="idle")),
        ("still CPU ms", of("cpu_ms", benchmark="still")),
    ]  # fmt: skip


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
