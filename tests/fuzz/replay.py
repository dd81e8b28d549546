"""Replay a folder of inputs, and choose those that reach something new: ``python -m tests.fuzz.replay TARGET FOLDER``.

With ``--keep`` those are written into the repository, the shortest first, beside the target's seeds.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.corpus import keep
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Target

#: Longer inputs are not kept, nor more than so many bytes of a target.
LONGEST, MOST = 1_500, 16_000
Arc = tuple[CodeType, int, int]


def replay(target: Target, inputs: list[bytes]) -> None:
    """Run them all; what is found has been told already."""
    for data in inputs:
        with contextlib.suppress(Exception):
            target.live(data)


def chosen(target: Target, inputs: list[bytes], seeds: list[bytes]) -> list[bytes]:
    """Return the inputs that reach lines in an order that the seeds and those before them do not."""
    known: set[Arc] = set()
    found: list[bytes] = []
    for data in seeds:
        known |= _arcs(target, data)
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        arcs = _arcs(target, data)
        if arcs - known and len(data) <= LONGEST and sum(map(len, found)) < MOST:
            known |= arcs
            found.append(data)
    return found


def _arcs(target: Target, data: bytes) -> set[Arc]:
    arcs: set[Arc] = set()

    def local(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            code = frame.f_code
            arcs.add((code, last.get(id(frame), 0), frame.f_lineno))
            last[id(frame)] = frame.f_lineno
        return local

    def called(frame: FrameType, _event: str, _argument: Any) -> Any:
        if "/pimqtt_agent/" not in frame.f_code.co_filename:
            return None
        last[id(frame)] = 0
        return local

    last: dict[int, int] = {}
    sys.settrace(called)
    try:
        with contextlib.suppress(Exception):
            target.live(data)
    finally:
        sys.settrace(None)
    return arcs


def main(name: str, folder: Path, *, keeping: bool) -> None:
    """Replay, or choose and keep."""
    kind = TARGETS[name]
    inputs = [file.read_bytes() for file in sorted(folder.iterdir())]
    with kind() as target:
        if keeping:
            keep(name, chosen(target, inputs, kind.seeds()))
        else:
            replay(target, inputs)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), keeping="--keep" in sys.argv)
