"""The Pi's own camera by picamera2, which is the distribution's (`apt install python3-picamera2`)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.media.sources import Frame

if TYPE_CHECKING:
    from pimqtt_agent.media.sources import Plane

#: A picture takes no longer, the longest exposure of a night included (s).
_PICTURE_S = 5.0


class Picamera(Protocol):
    """What we use of ``picamera2.Picamera2``."""

    def create_preview_configuration(self, main: dict[str, Any], *, buffer_count: int, queue: bool) -> Any:
        """Describe the streams, in the colours of JPEG (sYCC)."""

    def configure(self, config: Any) -> None:
        """Set the streams up."""

    def start(self) -> None:
        """Let the sensor run."""

    def camera_configuration(self) -> dict[str, Any]:
        """Tell what was set up: size and stride of each stream."""

    def capture_array(self, name: str, *, wait: bool) -> Any:
        """Ask for a stream's next picture."""

    def wait(self, job: Any, timeout: float) -> Any:
        """Wait for it (s)."""

    def close(self) -> None:
        """Stop and give it back."""


def picamera(number: int) -> Picamera:
    """Open a camera by its number. Raises ``HardwareError``."""
    try:
        picamera2: Any = import_module("picamera2")
    except ImportError as error:
        raise HardwareError(f"the Pi's camera needs picamera2: apt install python3-picamera2 ({error})") from error
    except ValueError as error:  # what its libraries say of a numpy that they were not compiled for
        mend = "it needs the distribution's numpy: pip uninstall numpy simplejpeg"
        raise HardwareError(f"picamera2 can't be loaded: {error}; {mend}") from error
    found = len(picamera2.Picamera2.global_camera_info())
    if number >= found:
        raise HardwareError(f"camera {number} is not there; libcamera finds {found or 'none'}")
    camera: Picamera = picamera2.Picamera2(number)
    return camera


class PiCamera:
    """Camera ``number`` of the Pi."""

    settle_s: ClassVar[float] = 1.0

    def __init__(self, number: int, width: int, height: int) -> None:
        """Note which, and the size of its pictures."""
        self._number = number
        self._size = width, height
        self._camera: Picamera | None = None

    def open(self) -> None:
        """Open and start it; no picture is kept waiting (``queue``), so that each is one of now."""
        try:
            self._open()
        except (RuntimeError, OSError, IndexError) as error:  # as libcamera's failures come
            mend = "does another program use it? is its cable well seated?"
            raise HardwareError(f"camera {self._number} can't be opened: {error}; {mend}") from error

    def _open(self) -> None:
        camera = self._camera = picamera(self._number)
        main = {"size": self._size, "format": "YUV420"}
        camera.configure(camera.create_preview_configuration(main, buffer_count=2, queue=False))
        given = camera.camera_configuration()["main"]["format"]
        if given != "YUV420":
            raise HardwareError(f"camera {self._number} gives {given}, and YUV420 is needed")
        camera.start()

    def read(self, now: float) -> Frame:  # noqa: ARG002
        """Take a picture."""
        camera = self._camera
        assert camera is not None, "open it first"
        try:
            rows = camera.wait(camera.capture_array("main", wait=False), timeout=_PICTURE_S)
        except TimeoutError:
            raise HardwareError(f"camera {self._number} gives no picture; is its cable well seated?") from None
        return unpacked(rows, *camera.camera_configuration()["main"]["size"])

    def close(self) -> None:
        """Stop it."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()


def unpacked(rows: Plane, width: int, height: int) -> Frame:
    """Split picamera2's YUV420: (height * 3 / 2, stride), the stride as the hardware likes it."""
    stride = rows.shape[1]
    flat = rows.reshape(-1)
    size, half = stride * height, stride // 2 * (height // 2)
    u, v = (flat[size + n * half : size + (n + 1) * half].reshape(height // 2, stride // 2) for n in (0, 1))
    return Frame(rows[:height, :width], u[:, : width // 2], v[:, : width // 2])
