"""The pulse of the machine."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from benchmarks.safety.promises import LEASES, STOPPED
from benchmarks.safety.world.pulse import Pulse, excused
from tests.rig import wait_for
from tests.rights import granted

pytestmark = pytest.mark.broker


def test_a_core_that_stands_still_is_noticed_and_only_then() -> None:
    with Pulse() as pulse:
        (beating, *_) = pulse._beating
        wait_for(lambda: not granted() or os.sched_getscheduler(beating.pid) == os.SCHED_FIFO, what="it beats")
        begin_ns = time.monotonic_ns()
        os.kill(beating.pid, signal.SIGSTOP)
        time.sleep(0.2)
        os.kill(beating.pid, signal.SIGCONT)
        end_ns = time.monotonic_ns()
        if granted():
            wait_for(lambda: pulse.stood_still_s(begin_ns, end_ns) >= 0.19, what="it was noticed")
        else:
            time.sleep(0.1)
            assert pulse.stood_still_s(begin_ns, end_ns) == 0, "without a priority nothing is excused"
        assert pulse.stood_still_s(begin_ns - 10**9, begin_ns - 9 * 10**8) < 0.1
        pids = [process.pid for process in pulse._beating]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


MS = 1_000_000


class Machine(Pulse):
    """One that stood still as a test says (ms)."""

    def __init__(self, *gaps_ms: tuple[int, int]) -> None:
        self.gaps_ms = gaps_ms

    def _gaps(self) -> list[tuple[int, int]]:
        return [(begin * MS, end * MS) for begin, end in self.gaps_ms]


def test_what_cores_stand_still_at_the_same_time_counts_once() -> None:
    assert Machine((10, 30), (20, 40), (22, 25), (90, 99)).stood_still_s(15 * MS, 60 * MS) == pytest.approx(0.025)
    assert Machine().stood_still_s(0, MS) == 0


def test_a_trial_is_spoilt_by_a_standstill_that_explains_its_lateness_and_by_no_other() -> None:
    row = {"void": "", "late_s": {"5": 0.045, "17": 0.001}, "deadlines_ns": {"5": [1000 * MS, 1500 * MS]}, "moved": []}
    assert excused(row, Machine((1400, 1499), (1546, 2000)), LEASES) == row, "none of that was between deadline and end"
    assert excused(row, Machine((1510, 1534)), LEASES) == row, "what is left is more than was promised"
    assert excused(row, Machine((1510, 1535)), LEASES)["void"] == "the machine stood still for 25 ms"
    assert excused(row, Machine((1000, 1015), (1500, 1510)), LEASES)["void"] == "the machine stood still for 25 ms"
    never = {**row, "late_s": {"5": 0.045, "17": "never"}}
    assert excused(never, Machine((1000, 9000)), LEASES) == never
    assert excused({**row, "void": "late"}, Machine((1510, 1535)), LEASES)["void"] == "late"
    assert excused(row, Machine((1510, 1535)), STOPPED) == row, "a stop may take 50 ms"
    stop = {**row, "late_s": {"5": 0.09}, "deadlines_ns": {"5": [1000 * MS, 1000 * MS]}}
    assert excused(stop, Machine((1010, 1030)), STOPPED) == stop, "a standstill counts once"
    assert excused(stop, Machine((1010, 1050)), STOPPED)["void"]
    in_time = {**row, "late_s": {"5": 0.02}}
    assert excused(in_time, Machine((1000, 9000)), LEASES) == in_time
