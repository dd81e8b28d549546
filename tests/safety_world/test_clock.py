"""The wall clock that can be stepped, seen from processes that were started with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.safety.world.clock import Clock

pytestmark = pytest.mark.broker
HOUR_S = 3600
#: Tells its clocks at each line, of itself and of a child of its own.
TELL = """
import datetime, subprocess, sys, time
for line in sys.stdin:
    child = subprocess.run(["date", "+%s.%N"], capture_output=True, text=True, check=True).stdout
    print(time.time(), datetime.datetime.now().timestamp(), child.strip(), time.monotonic(), flush=True)
"""
#: Sleeps to an absolute time of the wall clock in three ways; prints how long each took.
SLEEP = """
import ctypes, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def until(): return struct.pack("qq", *divmod(int((time.time() + 0.2) * 1e9), 10**9))
def nanosleep(): assert not libc.clock_nanosleep(0, 1, until(), None)
def semaphore():
    made = ctypes.create_string_buffer(64)
    libc.sem_init(made, 0, 0)
    assert libc.sem_timedwait(made, until()) == -1
def timer():
    fd = libc.timerfd_create(0, 0)
    assert not libc.timerfd_settime(fd, 1, struct.pack("qq", 0, 0) + until(), None)
    with open(fd, "rb", buffering=0) as file: file.read(8)
for sleep in nanosleep, semaphore, timer:
    since = time.monotonic()
    sleep()
    print(time.monotonic() - since)
"""


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock() as made:
        yield made


@pytest.fixture
def child(clock: Clock) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", TELL]
    env = {**os.environ, **clock.env}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        yield process
        process.kill()


def ahead_s(child: subprocess.Popen[str]) -> list[float]:
    """Ask for its clocks: how far they are ahead of ours."""
    assert child.stdin
    assert child.stdout
    print(file=child.stdin, flush=True)
    *wall, monotonic = map(float, child.stdout.readline().split())
    return [told - time.time() for told in wall] + [monotonic - time.monotonic()]


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, 0.75])
def test_the_wall_clock_of_what_runs_jumps_and_the_monotonic_does_not(
    clock: Clock, child: subprocess.Popen[str], step_s: float
) -> None:
    assert ahead_s(child) == pytest.approx([0, 0, 0, 0], abs=0.5)
    clock.step(step_s)
    assert ahead_s(child) == pytest.approx([step_s, step_s, step_s, 0], abs=0.5)
    clock.step(step_s)
    assert ahead_s(child) == pytest.approx([2 * step_s, 2 * step_s, 2 * step_s, 0], abs=0.5)


def test_ours_stays(clock: Clock) -> None:
    before = time.time()
    clock.step(HOUR_S)
    assert time.time() - before < HOUR_S / 2


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_a_deadline_on_the_stepped_clock_is_met(clock: Clock, step_s: float) -> None:
    clock.step(step_s)
    command, env = [sys.executable, "-c", SLEEP], {**os.environ, **clock.env}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=20, check=True)
    took_s = [float(line) for line in done.stdout.split()]
    assert took_s == pytest.approx([0.2, 0.2, 0.2], abs=0.15)


def test_a_shift_that_is_not_there_ends_the_process_with_its_reason(clock: Clock, tmp_path: Path) -> None:
    env = {**os.environ, **clock.env, "WALL_CLOCK_SHIFT": str(tmp_path / "missing")}
    done = subprocess.run(["true"], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 127
    assert "No such file" in done.stderr


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_whatever_happens(end: type[BaseException]) -> None:
    with contextlib.suppress(end), Clock() as clock:
        file = Path(clock.env["WALL_CLOCK_SHIFT"])
        assert file.exists()
        raise end
    assert not file.exists()
