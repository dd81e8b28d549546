"""One target under atheris: ``python -m tests.fuzz.one TARGET RESULTS CORPUS --plant NAME [libFuzzer options]``.

Coverage guided: libFuzzer keeps what reaches new branches of the product, and our mutations take turns with its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-untyped]

with warnings.catch_warnings(), atheris.instrument_imports(include=["pimqtt_agent"]):
    warnings.simplefilter("ignore")
    from tests.fuzz.registry import TARGETS

from tests.fuzz.engine import Judge
from tests.fuzz.plants import PLANTS

#: How often the results so far are written (s), so that they are known of a run that was cut short.
WRITE_S = 5.0
#: The memory is compared with that after so many inputs (of a short run: a fifth of them).
EARLY = 2000


def main(name: str, results: Path, plant: str, arguments: list[str]) -> None:
    """Fuzz; libFuzzer ends the process."""
    kind = TARGETS[name]
    stack = contextlib.ExitStack()
    target = stack.enter_context(kind())
    if plant:
        stack.enter_context(PLANTS[plant][1]())
    judge = Judge(target)
    runs = next(int(word.removeprefix("-runs=")) for word in arguments if word.startswith("-runs="))
    early = min(EARLY, runs // 5)
    begun = written = time.perf_counter()
    early_kb = 0

    def one(data: bytes) -> None:
        nonlocal written, early_kb
        is_last = True
        try:
            judge(data)
            is_last = judge.inputs == runs
        finally:
            now = time.perf_counter()
            if judge.inputs == early:
                early_kb = _rss_kb()
            if is_last or now - written > WRITE_S:
                written = now
                _write(results, judge, now - begun, early_kb)

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        changed: bytes = atheris.Mutate(data, most) if rng.random() < 0.5 else kind.mutated(data, rng)
        return changed[:most]

    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=mutated)
    atheris.Fuzz()


def _rss_kb() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() // 1024


def _write(results: Path, judge: Judge, took_s: float, early_kb: int) -> None:
    content: dict[str, Any] = {
        "inputs": judge.inputs,
        "seconds": round(took_s, 1),
        "cpu_s": round(time.process_time(), 1),
        "slowest_s": round(judge.slowest_s, 3),
        "growth_bytes": round(judge.growth, 1),
        "rss_kb": [early_kb, _rss_kb()],
        "pid": os.getpid(),
    }
    beside = results.with_suffix(".new")
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(results)


if __name__ == "__main__":
    _, target_name, file, planted, *options = sys.argv
    main(target_name, Path(file), planted.removeprefix("--plant="), options)
