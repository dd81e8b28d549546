"""The Pi's camera, against a stand-in for picamera2: no claim about real hardware is made here."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media import sources
from pimqtt_agent.media.pi import PiCamera, unpacked


class Standin:
    """Gives YUV420 as picamera2 does: one array, rows as long as the hardware likes them."""

    cameras: ClassVar[int] = 1
    hangs: ClassVar[bool] = False
    gives: ClassVar[str] = "YUV420"
    log: ClassVar[list[str]] = []

    def __init__(self, number: int) -> None:
        self._number = number
        self._main: dict[str, Any] = {}

    @staticmethod
    def global_camera_info() -> list[dict[str, int]]:
        return [{"Num": number} for number in range(Standin.cameras)]

    def create_preview_configuration(self, main: dict[str, Any], *, buffer_count: int, queue: bool) -> dict[str, Any]:
        assert buffer_count >= 1
        assert not queue
        return {"main": main}

    def configure(self, config: dict[str, Any]) -> None:
        assert config["main"]["format"] == "YUV420"
        self._main = config["main"] | {"format": self.gives}

    def camera_configuration(self) -> dict[str, Any]:
        return {"main": self._main}

    def start(self) -> None:
        self.log.append("start")

    def capture_array(self, name: str, *, wait: bool) -> str:
        assert not wait
        return name

    def wait(self, job: str, timeout: float) -> Any:
        if self.hangs:
            raise TimeoutError
        assert (job, timeout > 1) == ("main", True)
        width, height = self._main["size"]
        return padded(width, height)

    def close(self) -> None:
        self.log.append("close")


def padded(width: int, height: int) -> Any:
    """Y is 1, U 2, V 3, the padding 255."""
    stride = (width + 63) // 64 * 64
    y = np.full((height, stride), 255, np.uint8)
    u, v = (np.full((height // 2, stride // 2), 255, np.uint8) for _ in range(2))
    y[:, :width], u[:, : width // 2], v[:, : width // 2] = 1, 2, 3
    return np.concatenate([plane.reshape(-1) for plane in (y, u, v)]).reshape(height * 3 // 2, stride)


@pytest.fixture(autouse=True)
def picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standin, "log", [])
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Standin))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (100, 74), (66, 64)])
def test_padding_is_left_out(width: int, height: int) -> None:
    frame = unpacked(padded(width, height), width, height)
    assert (frame.y.shape, frame.u.shape, frame.v.shape) == ((height, width), *[(height // 2, width // 2)] * 2)
    assert [np.unique(plane).tolist() for plane in (frame.y, frame.u, frame.v)] == [[1], [2], [3]]


def test_open_read_close() -> None:
    camera = PiCamera(0, 100, 74)
    camera.open()
    assert camera.read(0.0).width == 100
    camera.close()
    camera.close()
    assert Standin.log == ["start", "close"]


def test_a_camera_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standin, "hangs", True)
    camera = PiCamera(0, 640, 480)
    camera.open()
    with pytest.raises(HardwareError, match="camera 0 gives no picture"):
        camera.read(0.0)


def test_a_camera_that_can_not_give_planes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standin, "gives", "NV12")
    camera = PiCamera(0, 640, 480)
    with pytest.raises(HardwareError, match="camera 0 gives NV12"):
        camera.open()
    camera.close()
    assert Standin.log == ["close"]


@pytest.mark.parametrize(("cameras", "found"), [(0, "none"), (1, "1")])
def test_a_camera_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, cameras: int, found: str) -> None:
    monkeypatch.setattr(Standin, "cameras", cameras)
    with pytest.raises(HardwareError, match=f"camera 1 is not there; libcamera finds {found}"):
        PiCamera(1, 640, 480).open()


def test_without_picamera2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(HardwareError, match="apt install python3-picamera2"):
        PiCamera(0, 640, 480).open()


@pytest.mark.parametrize(
    ("when", "error"),
    [
        ("__init__", RuntimeError("Failed to acquire camera: Device or resource busy")),
        ("__init__", IndexError("list index out of range")),
        ("configure", OSError(12, "Cannot allocate memory")),
        ("start", RuntimeError("Failed to start camera")),
    ],
)
def test_libcameras_failures_are_sentences(monkeypatch: pytest.MonkeyPatch, when: str, error: Exception) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(Standin, when, fail)
    camera = PiCamera(0, 640, 480)
    with pytest.raises(HardwareError, match=r"camera 0 can't be opened: .*; does another program use it\?"):
        camera.open()
    camera.close()
    assert Standin.log == ([] if when == "__init__" else ["close"])


def test_another_numpy_than_the_distributions_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "numpy.dtype size changed, may indicate binary incompatibility"

    def fail(name: str) -> None:
        raise ValueError(f"{name}: {reason}")

    monkeypatch.setattr("pimqtt_agent.media.pi.import_module", fail)
    with pytest.raises(HardwareError, match=rf"picamera2 can't be loaded: .*{reason}; .* pip uninstall numpy"):
        PiCamera(0, 640, 480).open()
    monkeypatch.setattr("pimqtt_agent.media.sources.import_module", fail)
    with pytest.raises(HardwareError, match=rf"a library of the camera can't be loaded: .*{reason}"):
        sources.load("still")
