"""`camera`: when its driver takes pictures, and what they are."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from math import inf
from typing import cast

import numpy as np
import pytest
import simplejpeg

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices.camera import CameraDriver
from tests.devices.scripted_camera import NO_BOARD, Report, Scripted, fail, make, run, scripted


def test_the_first_picture_comes_by_itself_and_another_with_each_press() -> None:
    report = Report()
    driver = cast("CameraDriver", make().open(NO_BOARD, {}, report))
    run(driver, lambda: len(report.blobs) == 1)
    time.sleep(0.2)
    driver.press("snapshot", boottime_s())
    run(driver, lambda: len(report.blobs) == 2)
    before, after = (simplejpeg.decode_jpeg(jpeg).astype(int) for jpeg in report.blobs)
    assert before.shape == (480, 640, 3)
    assert np.count_nonzero(np.abs(before - after).max(axis=2) > 60) > 100
    assert report.healths == []
    driver.close()


def test_its_time_and_size_are_told_and_kept() -> None:
    report = Report()
    driver = cast("CameraDriver", make().open(NO_BOARD, {}, report))
    run(driver, lambda: len(report.blobs) == 1)
    jpeg = report.blobs[0]
    (_, taken), (_, size) = report.states
    assert [key for key, _ in report.states] == ["taken", "size"]
    assert abs(datetime.fromisoformat(taken) - datetime.now(UTC)) < timedelta(seconds=3)
    assert size == len(jpeg)
    assert (driver.state(""), driver.state("taken"), driver.state("size")) == (jpeg, taken, size)
    driver.close()


def test_a_press_that_is_quick_has_its_picture_when_it_returns(source: type[Scripted]) -> None:
    report = Report()
    driver = scripted(report)
    driver.press("snapshot", boottime_s())
    run(driver, lambda: len(report.blobs) == 1)
    driver.press("snapshot", boottime_s())
    assert len(report.blobs) == 2
    assert source.done == ["open", "read", "read"]
    assert driver.deadline_s == inf
    driver.close()
    assert source.done[-1] == "close"


@pytest.mark.parametrize(("rotation", "shape"), [(0, (120, 160)), (90, (160, 120))])
def test_size_rotation_and_bytes_are_the_configurations(rotation: int, shape: tuple[int, int]) -> None:
    report = Report()
    options = {"width": 160, "height": 120, "rotation": rotation, "max_bytes": 4096, "quality": 95}
    driver = cast("CameraDriver", make(**options).open(NO_BOARD, {}, report))
    run(driver, lambda: len(report.blobs) == 1)
    assert simplejpeg.decode_jpeg_header(report.blobs[0])[:2] == shape
    assert len(report.blobs[0]) <= 4096
    driver.close()


def test_pictures_by_schedule(source: type[Scripted]) -> None:
    report = Report()
    driver = scripted(report, interval=60)
    now = boottime_s()
    assert driver.deadline_s == inf or driver.deadline_s > now
    for number in range(1, 4):
        driver.tick(now + 60.1 * number)
        run(driver, lambda number=number: len(report.blobs) == number)  # type: ignore[misc]
    assert driver.deadline_s == pytest.approx(now + 60.1 * 3 + 60)
    assert source.done.count("read") == 3
    driver.close()


def test_it_is_closed_when_idle_and_opened_when_wanted(source: type[Scripted]) -> None:
    report = Report()
    driver = scripted(report, idle_s=0.05)
    for number in (1, 2):
        driver.press("snapshot", boottime_s())
        run(driver, lambda number=number: len(report.blobs) == number)  # type: ignore[misc]
        time.sleep(0.2)
    assert source.done == ["open", "read", "close"] * 2
    driver.close()


def test_what_stays_open_is_looked_after(source: type[Scripted]) -> None:
    report = Report()
    driver = scripted(report, keep_open=True, stall_s=0.1)
    driver.press("snapshot", boottime_s())
    run(driver, lambda: source.done.count("read") == 4)
    assert len(report.blobs) == 1
    assert "close" not in source.done
    source.on_read = staticmethod(fail)
    run(driver, lambda: report.healths == [(False, "the cable is out")])
    driver.close()


def test_pictures_are_thrown_away_until_exposure_settles(
    source: type[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "settle_s", 0.1)
    monkeypatch.setattr(source, "on_read", staticmethod(lambda: time.sleep(0.02)))
    report = Report()
    driver = scripted(report)
    driver.press("snapshot", boottime_s())
    run(driver, lambda: len(report.blobs) == 1)
    opening = source.done.count("read")
    driver.press("snapshot", boottime_s())
    run(driver, lambda: len(report.blobs) == 2)
    assert opening >= 2
    assert source.done.count("read") == opening + 1
    driver.close()
