"""The figures of a soak as a document."""

from __future__ import annotations

from typing import Any

_HEAD = """# The soak: a day in 20 minutes

`python -m benchmarks.soak --write` lives through it again and writes this page; it takes 20 minutes. `--minutes 0.5`
is the short form that the tests run. A house's day is compressed {factor} times: real processes, a real Mosquitto, a
camera, two nodes. The calm one runs through; the troubled one is reloaded and loses its processes. The clock of real
processes can't be sped up, so what counts time also goes through a whole day by an injected clock.

{date}, commit {commit}, {minutes:g} minutes on {cores} cores of {cpu}, Python {python}, Mosquitto {mosquitto}.
"""

_MEDIANS = """Medians, from the second quarter of the run (the first warms up) to the last; memory is what a process has
for itself.
"""
_CORE = (
    "The core by an injected clock: {commands:,} commands, {ticks:,} deadlines, {actions:,} actions;\n{left_bytes:,} "
    "bytes more were held at the end than after a tenth of it."
)


def table(content: dict[str, Any]) -> str:
    """Write it all but the raw rows."""
    machine, versions, core = content["machine"], content["versions"], content["core"]
    lines = [
        _HEAD.format(
            factor=72, date=content["date"][:16].replace("T", " "), commit=content["commit"],
            minutes=content["minutes"], cores=machine["cores"], cpu=machine["cpu"], python=versions["python"],
            mosquitto=versions["mosquitto"],
        ),
        _MEDIANS,
        "| process | memory (KiB) | descriptors | threads |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for row in content["growth"]:
        before, after = row["before"], row["after"]
        cells = [f"{before[key]:g} -> {after[key]:g}" for key in ("private_kib", "descriptors", "threads")]
        lines.append(f"| {row['process']} | {' | '.join(cells)} |")
    lines += ["", "| what happened (to both nodes where none is named) | times |", "|---|---|"]
    lines += [f"| {name} | {count:,} |" for name, count in content["done"].items()]
    lines += [
        "",
        _CORE.format(**core),
        "",
        f"What grew: {'; '.join(content['problems']) or 'nothing'}.",
        "",
    ]
    return "\n".join(lines)
