from __future__ import annotations

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
