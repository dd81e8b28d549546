"""A still of 640x480: what pimqtt's encoding costs beside plain simplejpeg on the same planes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.candidates import Candidate
from benchmarks.plan import Plan, Row

WIDTH, HEIGHT, QUALITY, MAX_BYTES = 640, 480, 85, 900_000
#: So many pictures are encoded between two readings of the clock.
SCENES = 10


def still(plan: Plan, kinds: Sequence[type[Candidate]], python: Path) -> list[Row]:  # noqa: ARG001
    """Encode the same moving scenes both ways, in turns."""
    from simplejpeg import encode_jpeg_yuv_planes  # noqa: PLC0415 - only this benchmark needs the camera's libraries

    from pimqtt_agent.media import sources  # noqa: PLC0415
    from pimqtt_agent.media.still import Encoder  # noqa: PLC0415

    source = sources.make("synthetic", True, WIDTH, HEIGHT)
    source.open()
    frames = [source.read(float(second)) for second in range(SCENES)]
    encoder = Encoder(MAX_BYTES, QUALITY)

    def plain(frame: sources.Frame) -> Any:
        return encode_jpeg_yuv_planes(frame.y, frame.u, frame.v, QUALITY)

    ways: dict[str, Callable[[sources.Frame], Any]] = {"pimqtt": encoder.encode, "simplejpeg": plain}
    return [
        {"benchmark": "still", "candidate": name, "outputs": 0, "round": number, "cpu_ms": round(cost, 4)}
        for number in range(plan.rounds)
        for name, cost in _costs_ms(ways, frames, plan.frames).items()
    ]


def _costs_ms(ways: dict[str, Callable[[Any], Any]], frames: Sequence[Any], pictures: int) -> dict[str, float]:
    """Return the CPU of one picture for each way, over at least ``pictures`` pictures."""
    spent = dict.fromkeys(ways, 0.0)
    turns = max(1, pictures // len(frames))
    for _ in range(turns):
        for name, encode in ways.items():
            begin_s = time.process_time()
            for frame in frames:
                encode(frame)
            spent[name] += time.process_time() - begin_s
    return {name: 1e3 * cpu_s / (turns * len(frames)) for name, cpu_s in spent.items()}
