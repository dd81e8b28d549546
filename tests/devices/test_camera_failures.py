"""`camera`: its driver with sources that fail in every way."""

from __future__ import annotations

import sys
import threading
import time
from math import inf
from pathlib import Path

import numpy as np
import pytest

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media import grabber, sources
from pimqtt_agent.media.grabber import Grabber
from pimqtt_agent.media.sources import MISSING
from tests.devices.scripted_camera import NO_BOARD, Report, Scripted, fail, make, run, scripted


def test_a_source_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    for module in ("video", "v4l2"):  # so that no time goes into loading them
        sources.load(module)
    for raw in ({"file": str(tmp_path / "none.mp4")}, {"v4l2": "/dev/video63"}):
        report = Report()
        started = time.monotonic()
        with pytest.raises(HardwareError, match="No such file"):
            make(source=raw).open(NO_BOARD, {}, report)
        assert time.monotonic() - started < 2


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    monkeypatch.delitem(sys.modules, "pimqtt_agent.media.still", raising=False)
    with pytest.raises(HardwareError) as caught:
        make().open(NO_BOARD, {}, Report())
    assert str(caught.value) == MISSING == "camera needs the extra: pip install 'pimqtt-agent[camera]'"


def test_a_press_fails_with_the_reason(source: type[Scripted]) -> None:
    report = Report()
    driver = scripted(report)
    source.on_read = staticmethod(fail)
    for _ in range(2):
        with pytest.raises(HardwareError, match="the cable is out"):
            driver.press("snapshot", boottime_s())
    assert report.healths == [(False, "the cable is out")]
    assert source.done == ["open", "read", "close"] * 2
    driver.close()


def test_it_tries_again_by_itself_ever_more_slowly_and_says_when_it_works(source: type[Scripted]) -> None:
    report = Report()
    tried: list[float] = []

    def seldom() -> None:
        tried.append(time.monotonic())
        if len(tried) < 5:
            fail()

    source.on_open = staticmethod(seldom)
    driver = scripted(report)
    with pytest.raises(HardwareError):
        driver.press("snapshot", boottime_s())
    run(driver, lambda: len(report.blobs) == 1)
    assert report.healths == [(False, "the cable is out"), (True, "")]
    assert all(np.diff(tried) >= [0.05, 0.1, 0.2, 0.2])
    assert (driver.deadline_s, driver._wait_s) == (inf, 0.05)
    driver.close()


def test_an_unforeseen_error_of_a_library_is_a_failure_like_others(
    source: type[Scripted], caplog: pytest.LogCaptureFixture
) -> None:
    def crash() -> None:
        raise RuntimeError("Camera frontend has timed out!")

    source.on_read = staticmethod(crash)
    driver = scripted(Report())
    with pytest.raises(HardwareError, match="RuntimeError: Camera frontend has timed out!"):
        driver.press("snapshot", boottime_s())
    assert "the camera's source failed" in caplog.text
    driver.close()


def test_a_slow_picture_is_accepted_and_comes_later(source: type[Scripted]) -> None:
    report, opened = Report(), threading.Event()
    driver = scripted(report)
    source.on_open = staticmethod(lambda: opened.wait(5) and None)  # type: ignore[assignment]
    driver.press("snapshot", boottime_s())
    driver.press("snapshot", boottime_s())  # one more, after the first
    assert (report.blobs, report.healths) == ([], [])
    opened.set()
    run(driver, lambda: len(report.blobs) == 2)
    assert source.done == ["open", "read", "read"]
    driver.close()


def test_a_stall_is_told_and_ends_with_a_source_opened_anew(source: type[Scripted]) -> None:
    report, released = Report(), threading.Event()
    driver = scripted(report, stall_s=0.1)
    source.on_read = staticmethod(lambda: released.wait(5) and None)  # type: ignore[assignment]
    driver.press("snapshot", boottime_s())
    run(driver, lambda: report.healths == [(False, "no picture for 0.1 s")])
    with pytest.raises(HardwareError, match=r"no picture for 0\.1 s"):
        driver.press("snapshot", boottime_s())
    released.set()
    time.sleep(0.1)
    run(driver, lambda: len(report.blobs) == 1)
    assert source.done == ["open", "read", "close", "open", "read"]
    assert report.healths[-1] == (True, "")
    driver.close()


def test_a_source_that_never_returns_ends_the_process(source: type[Scripted]) -> None:
    report, released = Report(), threading.Event()
    driver = scripted(report, stall_s=0.1)
    source.on_read = staticmethod(lambda: released.wait(5) and None)  # type: ignore[assignment]
    driver.press("snapshot", boottime_s())
    with pytest.raises(SystemExit, match="eye: its source hangs"):
        run(driver, lambda: False)
    assert report.healths == [(False, "no picture for 0.1 s")]
    released.set()
    driver.close()


def test_a_source_that_does_not_open_is_given_up_too(source: type[Scripted], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber, "OPENING_S", 0.3)
    report, released = Report(), threading.Event()
    driver = scripted(report, stall_s=0.1)
    source.on_open = staticmethod(lambda: released.wait(5) and None)  # type: ignore[assignment]
    driver.press("snapshot", boottime_s())
    run(driver, lambda: len(report.healths) == 1)
    released.set()
    driver.close()


def test_closing_does_not_wait_for_what_hangs(source: type[Scripted]) -> None:
    released = threading.Event()
    driver = scripted(Report())
    source.on_read = staticmethod(lambda: released.wait(5) and None)  # type: ignore[assignment]
    driver.press("snapshot", boottime_s())
    started = time.monotonic()
    driver.close()
    assert time.monotonic() - started < 1.5
    released.set()


def test_a_source_that_can_not_be_closed_is_let_go(source: type[Scripted], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "close", lambda _: 1 / 0)
    thread = Grabber(make().plan(), boottime_s, source)
    thread.order("still")
    assert isinstance(thread.results.get(timeout=2), grabber.Taken)
    thread.stop(2)
    assert not thread.alive
