"""The busy processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.safety.world import load as module
from benchmarks.safety.world.load import Load
from tests.rig import ROOT, wait_for

pytestmark = pytest.mark.broker


def test_every_core_has_one_that_takes_what_it_gets() -> None:
    with Load() as load:
        pids = [worker.pid for worker in load._workers]
        assert [os.sched_getaffinity(pid) for pid in pids] == [{core} for core in sorted(os.sched_getaffinity(0))]
        assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in pids} == {0}
        time.sleep(1)
        assert load.share() > 0.1, "others may want the cores too"
        idle_before, since = _idle_s(), time.monotonic()
        time.sleep(1)
        idle = (_idle_s() - idle_before) / (time.monotonic() - since) / len(pids)
        assert idle < 0.05


def _idle_s() -> float:
    return int(Path("/proc/stat").read_text().split()[4]) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_whatever_happens(end: type[BaseException]) -> None:
    with contextlib.suppress(end), Load() as load:
        pids = [worker.pid for worker in load._workers]
        raise end
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_it_ends_with_a_bench_that_is_killed() -> None:
    bench = f"import os; from {module.__name__} import Load\nwith Load() as load:\n"
    bench += "    print(*(w.pid for w in load._workers), flush=True); os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", bench], cwd=ROOT, capture_output=True, text=True, check=False)
    pids = done.stdout.split()
    assert pids
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="its workers end")


def test_a_nice_one_is_no_load() -> None:
    program = f"from {module.__name__} import Load; Load().__enter__()"
    done = subprocess.run(
        ["nice", sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert BenchmarkError.__name__ in done.stderr
    assert "not at normal priority" in done.stderr
