from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.pulses import Pulsed, Pulses


class Meter:
    """Writes down what a line sees, and when."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []
        self.broken = False

    def write(self, level: int) -> None:
        if self.broken:
            raise HardwareError("gone")
        self.seen.append((time.monotonic(), level))

    def duty(self) -> float:
        """Measure over whole periods."""
        rises = [index for index, (_, level) in enumerate(self.seen) if level]
        steps = [
            (after[0] - before[0], before[1])
            for before, after in zip(self.seen[rises[0] :], self.seen[rises[0] + 1 : rises[-1] + 1], strict=False)
        ]
        return sum(length for length, level in steps if level) / sum(length for length, _ in steps)


@pytest.fixture
def pulses() -> Iterator[Pulses]:
    made = Pulses()
    yield made
    made.close()


def test_duty_and_frequency(pulses: Pulses) -> None:
    meters = [Meter(), Meter()]
    lines = [Pulsed(pulses, meter.write, hz) for meter, hz in zip(meters, (50, 20), strict=True)]
    for line, duty in zip(lines, (0.25, 0.7), strict=True):
        line.set(duty)
    time.sleep(1)
    for line in lines:
        line.set(0.0)
    assert meters[0].duty() == pytest.approx(0.25, abs=0.1)
    assert meters[1].duty() == pytest.approx(0.7, abs=0.1)
    assert sum(level for _, level in meters[0].seen) == pytest.approx(50, abs=6)
    assert sum(level for _, level in meters[1].seen) == pytest.approx(20, abs=3)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_the_ends_are_set_in_the_call_and_stay(pulses: Pulses, end: float) -> None:
    meter = Meter()
    line = Pulsed(pulses, meter.write, 200)
    for _ in range(50):
        line.set(0.5)
        time.sleep(0.004)
        line.set(end)
        count = len(meter.seen)
        assert meter.seen[-1][1] == end
        time.sleep(0.006)
        assert len(meter.seen) == count


def test_a_line_that_never_pulses_needs_no_thread(pulses: Pulses) -> None:
    meter = Meter()
    line = Pulsed(pulses, meter.write, 200)
    line.set(1.0)
    line.set(0.0)
    assert [level for _, level in meter.seen] == [1, 0]
    assert "pulses" not in [thread.name for thread in threading.enumerate()]


def test_after_stop_nothing_is_written(pulses: Pulses) -> None:
    meter = Meter()
    line = Pulsed(pulses, meter.write, 500)
    line.set(0.5)
    time.sleep(0.05)
    line.stop()
    count = len(meter.seen)
    time.sleep(0.05)
    assert len(meter.seen) == count > 5


def test_a_chip_that_is_gone_ends_the_pulses_and_is_told_to_the_next_command(pulses: Pulses) -> None:
    meter, other = Meter(), Meter()
    line, kept = Pulsed(pulses, meter.write, 100), Pulsed(pulses, other.write, 100)
    line.set(0.5)
    kept.set(0.5)
    meter.broken = True
    time.sleep(0.1)
    with pytest.raises(HardwareError, match="gone"):
        line.set(0.0)
    assert len(other.seen) > 5


def test_pulses_are_not_made_up_for_after_a_sleep(pulses: Pulses) -> None:
    meter = Meter()
    line = Pulsed(pulses, meter.write, 100)
    with pulses.changed:  # the thread can't run
        line.set(0.5)
        time.sleep(0.2)
    time.sleep(0.1)
    line.set(0.0)
    assert sum(level for _, level in meter.seen) <= 13


def test_a_stop_comes_in_between_however_much_there_is_to_do(pulses: Pulses) -> None:
    """More lines than the machine can pulse: unless it is let in, a motor's stop would wait for most of a second."""

    def slow(_level: int) -> None:
        until = time.perf_counter() + 5e-5
        while time.perf_counter() < until:
            pass

    lines = [Pulsed(pulses, slow, 1000) for _ in range(40)]
    for line in lines:
        line.set(0.3)
    took_s = []
    for line in lines:
        time.sleep(0.005)
        began_s = time.perf_counter()
        line.set(0.0)
        took_s.append(time.perf_counter() - began_s)
        line.set(0.3)
    assert sorted(took_s)[len(lines) * 3 // 4] < 0.02


def test_a_thread_that_fails_ends_the_process_so_that_no_line_stays_high() -> None:
    script = """
import time
from pimqtt_agent.hardware.pulses import Pulsed, Pulses
def write(level):
    if not level:
        raise RuntimeError("a bug")
Pulsed(Pulses(), write, 100).set(0.5)
time.sleep(20)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=15)
    assert done.returncode == 70
    assert "RuntimeError: a bug" in done.stderr


def test_the_thread_is_as_urgent_as_the_keeper() -> None:
    """It shares the interpreter's lock: what is less urgent than the keeper would keep it waiting."""
    script = """
import os, threading, time
from pimqtt_agent.hardware.threads import as_urgent_as_the_keeper
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
before = os.sched_getscheduler(thread.native_id)
as_urgent_as_the_keeper()
print(before == os.SCHED_OTHER, os.sched_getscheduler(thread.native_id) == os.SCHED_BATCH)
end.set()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


def test_pulses_start_as_urgent_as_who_starts_them(pulses: Pulses, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(
        "pimqtt_agent.hardware.pulses.as_urgent_as_the_keeper",
        lambda: asked.append("pulses" in {thread.name for thread in threading.enumerate()}),
    )
    line = Pulsed(pulses, Meter().write, 100)
    line.set(0.5)
    line.set(0.2)
    assert asked == [True]


@pytest.mark.parametrize(("duty", "level"), [(0.2, 0), (0.5, 1), (0.9, 1)])
def test_pulses_end_at_the_nearer_level(pulses: Pulses, duty: float, level: int) -> None:
    meter = Meter()
    line = Pulsed(pulses, meter.write, 300)
    line.set(duty)
    time.sleep(0.03)
    line.end()
    count = len(meter.seen)
    time.sleep(0.02)
    assert (meter.seen[-1][1], len(meter.seen)) == (level, count)
