"""`camera`: its configuration, and its driver with real pictures and with sources that fail in every way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytest
import simplejpeg
from pydantic import ValidationError

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices import KINDS, camera
from pimqtt_agent.devices.camera import Camera, CameraDriver
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.media import grabber, sources
from pimqtt_agent.media.grabber import Grabber
from pimqtt_agent.media.sources import MISSING, Frame

NO_BOARD = cast("Board", None)


def make(**options: Any) -> Camera:
    return Camera.model_validate({"id": "eye", "kind": "camera", "source": "synthetic"} | options)


class Report:
    """Keeps what the driver tells."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.states: list[tuple[str, Any]] = []
        self.healths: list[tuple[bool, str]] = []

    def state(self, key: str, value: Any) -> None:
        self.states.append((key, value))

    def event(self, key: str, event: Mapping[str, Any]) -> None:
        raise AssertionError((key, event))

    def blob(self, key: str, data: bytes) -> None:
        assert key == ""
        self.blobs.append(data)

    def health(self, *, ok: bool, reason: str = "") -> None:
        self.healths.append((ok, reason))


class Scripted:
    """A source whose ``on_read`` is replaced by each test; counts what is done to it."""

    settle_s: ClassVar[float] = 0.0
    done: ClassVar[list[str]] = []
    on_open: ClassVar[Callable[[], None]]
    on_read: ClassVar[Callable[[], None]]

    def __init__(self, *_: object) -> None:
        pass

    def open(self) -> None:
        self.done.append("open")
        type(self).on_open()

    def read(self, now: float) -> Frame:
        assert now > 1_000_000_000
        self.done.append("read")
        type(self).on_read()
        return Frame(*(np.full(shape, 128, np.uint8) for shape in ((48, 64), (24, 32), (24, 32))))

    def close(self) -> None:
        self.done.append("close")


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(Scripted, "done", [])
    monkeypatch.setattr(Scripted, "on_open", staticmethod(lambda: None), raising=False)
    monkeypatch.setattr(Scripted, "on_read", staticmethod(lambda: None), raising=False)
    monkeypatch.setattr(camera, "RETRY_S", (0.05, 0.2))
    return Scripted


def scripted(report: Report, **options: Any) -> CameraDriver:
    return CameraDriver(make(**options), report, partial(Grabber, make=Scripted))


def run(driver: CameraDriver, until: Callable[[], bool], limit_s: float = 5.0) -> None:
    """Do what the keeper's loop does: tick when the driver wants it."""
    end_s = boottime_s() + limit_s
    while not until():
        now = boottime_s()
        assert now < end_s, "it did not happen"
        if driver.deadline_s <= now:
            driver.tick(now)
        else:
            time.sleep(min(driver.deadline_s - now, 0.02))


def fail(reason: str = "the cable is out") -> None:
    raise HardwareError(reason)


# configuration


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        ("synthetic", ("synthetic", True)),
        ("pi", ("pi", 0)),
        ({"pi": 1}, ("pi", 1)),
        ({"v4l2": "/dev/video0"}, ("v4l2", "/dev/video0")),
        ({"file": "/clip.mp4"}, ("file", "/clip.mp4")),
    ],
)
def test_a_source_survives_the_way_to_its_keeper(raw: object, choice: tuple[str, Any]) -> None:
    device = make(source=raw)
    assert device.source.choice == choice
    sent = device.model_dump(mode="json", exclude_unset=True)
    assert KINDS["camera"].model_validate(sent) == device


@pytest.mark.parametrize(
    ("options", "quoted"),
    [
        ({"source": "web"}, "is no source; allowed: synthetic, pi, {file: PATH}"),
        ({"source": {}}, "one source is needed"),
        ({"source": {"pi": 0, "file": "x"}}, "one source is needed"),
        ({"source": {"fil": "x"}}, "fil"),
        ({"source": {"pi": -1}}, "pi"),
        ({"width": 641}, "multiple of 2"),
        ({"rotation": 45}, "90"),
        ({"max_bytes": 1_000_000}, "less than 1000000"),
        ({"quality": 20}, "30"),
        ({"interval": 0}, "interval"),
        ({"stall_s": 0}, "stall_s"),
        ({"framerate": 5}, "framerate"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], quoted: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(**options)
    assert quoted in str(caught.value)


def test_a_relative_file_starts_at_the_configurations_folder() -> None:
    raw = {"id": "eye", "kind": "camera", "source": {"file": "clips/a.mp4"}}
    assert Camera.model_validate(raw, context={"folder": "/etc/pimqtt"}).source.file == "/etc/pimqtt/clips/a.mp4"
    raw = {"id": "eye", "kind": "camera", "source": {"file": "/a.mp4"}}
    assert Camera.model_validate(raw, context={"folder": "/etc/pimqtt"}).source.file == "/a.mp4"


def test_idle_and_keep_open_exclude_each_other() -> None:
    assert [path for path, _ in make(keep_open=True, idle_s=3).mistakes()] == ["idle_s"]
    assert list(make(keep_open=True).mistakes()) == list(make(idle_s=3).mistakes()) == []


def test_the_editors_schema_knows_both_forms() -> None:
    schema = Camera.model_json_schema()
    assert {"enum": ["synthetic", "pi"], "type": "string"} in schema["properties"]["source"]["anyOf"]


def test_entities() -> None:
    picture, snapshot, taken, size = make().entities()
    assert (picture.key, picture.platform, picture.name, picture.retained) == ("", "camera", "Picture", False)
    assert snapshot.decode("PRESS") == ("PRESS", None)
    assert (taken.key, taken.device_class, size.enabled_by_default) == ("taken", "timestamp", False)
    assert Camera.keeper == "camera"


def test_the_cameras_libraries_are_loaded_by_nothing_else() -> None:
    script = """
import sys
from pimqtt_agent import devices
from pimqtt_agent.devices.camera import Camera
import pimqtt_agent.media.sources, pimqtt_agent.media.grabber
Camera.model_validate({"id": "eye", "kind": "camera", "source": "synthetic"}).entities()
print(sorted({"numpy", "av", "simplejpeg", "picamera2"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# pictures


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


# failures


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
