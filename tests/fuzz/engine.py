"""Judging inputs one after the other: what atheris calls, and a plain loop of our own where there is no atheris."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections import deque

from tests.fuzz.target import Finding, Target

#: Memory is looked at after so many inputs, then ever so many more.
FIRST_PROBE, PROBE = 1_000, 25_000
#: A probe takes so many of the last inputs and runs each so often, first to fill what is bounded, then to be measured.
SAMPLE, WARM, MEASURED = 16, 60, 40
#: More than this an input (bytes) is suspicious; it is a leak where it goes on after so many more, each time others: a
#: dictionary that is bounded also grows in one step, always at the same number of entries.
LEAK_BYTES, SURE = 100, (300, 700, 1500)
#: An input that takes longer than this is a finding: somebody could hang us by it (s).
SLOW_S = 5.0


class Judge:
    """Feeds a target; counts; looks at its memory now and then."""

    def __init__(self, target: Target, every: int = PROBE, sample: int = SAMPLE) -> None:
        self.target = target
        self.inputs = 0
        self.slowest_s = 0.0
        self.growth = 0.0
        self._runs = 0
        self._last: deque[bytes] = deque(maxlen=20 * SAMPLE)
        self._sample = sample
        self._next, self._every = FIRST_PROBE, every

    def __call__(self, data: bytes) -> None:
        """Try one input; raises what is wrong."""
        self.inputs += 1
        begun = time.perf_counter()
        self.target.live(data)
        took_s = time.perf_counter() - begun
        self.slowest_s = max(self.slowest_s, took_s)
        if took_s > SLOW_S:
            raise Finding(f"it took {took_s:.1f} s")
        self._last.append(data)
        if self.inputs >= self._next:
            self._next += self._every
            self.probe()

    def probe(self) -> None:
        """Run some of the last inputs again and again: what they leave behind must come to an end."""
        for data in list(self._last)[:: max(1, len(self._last) // self._sample)]:
            growth = self._growth(data, WARM)
            for warm in SURE:
                if growth > LEAK_BYTES:
                    growth = self._growth(data, warm)
            if growth > LEAK_BYTES:
                raise Finding(f"memory grows by {growth:.0f} bytes an input: {data[:300]!r}")
            self.growth = max(self.growth, growth)

    def _growth(self, data: bytes, warm: int) -> float:
        tracemalloc.start()
        self.target.renew()
        self._again(data, warm)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        self._again(data, MEASURED)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return (after - before) / MEASURED

    def _again(self, data: bytes, times: int) -> None:
        """Run an input so often, each time another one than ever before: a cache of inputs must show."""
        for _ in range(times):
            self._runs += 1
            self.target.live(data + format(self._runs, "020b").translate({48: " ", 49: "\t"}).encode())


def hunt(target: Target, inputs: int, seed: int, every: int = PROBE, sample: int = SAMPLE) -> Judge:
    """Try so many inputs, mutations of the target's seeds; raises the first finding, with its input."""
    rng, judge = random.Random(seed), Judge(target, every, sample)
    pool = list(target.seeds())
    for number in range(inputs):
        data = pool[number] if number < len(pool) else target.mutated(rng.choice(pool), rng)
        try:
            judge(data)
        except Exception as error:
            raise Finding(f"input {judge.inputs}: {error} [{data[:300]!r}]") from error
        if rng.random() < 0.02:
            pool.append(data[:4000])
    return judge
