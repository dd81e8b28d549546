"""The pure core through a whole day by an injected clock: as many seconds as a day has, in some seconds of ours."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass

from pimqtt_agent.broker import Incoming
from pimqtt_agent.lease import Output
from pimqtt_agent.repeats import Repeats
from pimqtt_agent.rules import Command, Motion, Rules, Ttl

DAY_S = 86_400.0
#: Commands a second of that day, and what a day may leave behind (bytes).
RATE, LEFT_BYTES = 0.5, 65_536
MOTOR = Rules(
    motion=Motion.CONTINUOUS, safe=0.0, off=0.0, initial=0.0, on_stop=0.0, ttl=Ttl(default=0.5, max=0.5), deadman_s=0.5
)


@dataclass(frozen=True)
class CoreDay:
    """How it went."""

    commands: int
    actions: int
    ticks: int
    left_bytes: int


def core_day(hours: float = 24) -> CoreDay:
    """Drive a switch and a motor through that many hours; what is left is measured after the first tenth of them."""
    outputs = [Output("pump", Rules()), Output("fan", MOTOR)]
    for output in outputs:
        output.start(0.0)
    repeats, end_s = Repeats(), hours * 3600
    counts = [0, 0, 0]
    tracemalloc.start()
    _through(outputs, repeats, 0.0, end_s / 10, counts)
    before = _held(repeats, end_s / 10)
    _through(outputs, repeats, end_s / 10, end_s, counts)
    left = _held(repeats, end_s) - before
    tracemalloc.stop()
    return CoreDay(counts[0], counts[1], counts[2], left)


def _through(outputs: list[Output], repeats: Repeats, now: float, end_s: float, counts: list[int]) -> None:
    number = int(now * RATE)  # goes on where the part before ended
    while now < end_s:
        then = now + 1 / RATE
        for output in outputs:
            while output.deadline_s <= then:
                counts[1] += len(output.tick(max(now, output.deadline_s)))
                counts[2] += 1
        now, number = then, number + 1
        output = outputs[number % 2]
        text, owner = str(number), f"owner{number % 7}"
        repeat = repeats.add(now, Incoming("t", text.encode(), 1, retain=False, at_s=now))
        repeats.earlier(now, Incoming("t", b"", 1, retain=False, at_s=now))
        value = bool(number % 4) if output.name == "pump" else float(number % 90)
        ttl_s = (number % 50 + 1) / 10 if output.name == "pump" else 0.5
        actions = output.command(now, Command(value=value, ttl_s=ttl_s, owner=owner, id=text, at_s=now))
        repeats.answered(repeat, {"id": text, "outcome": type(actions[-1]).__name__ if actions else ""})
        counts[0] += 1
        counts[1] += len(actions)


def _held(repeats: Repeats, now: float) -> int:
    """Count the bytes that are held once the last minute is forgotten."""
    repeats.earlier(now + 3600, Incoming("t", b"", 1, retain=False, at_s=now))
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
