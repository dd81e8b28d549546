"""Where pictures come from: what a source is, and the sources by the word in the configuration.

Imports none of the camera's libraries: a source's module does, and is loaded only in the process that runs the camera.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pimqtt_agent.errors import HardwareError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Plane = npt.NDArray[np.uint8]

MISSING = "camera needs the extra: pip install 'pimqtt-agent[camera]'"

#: The class of each source, as ``module:name`` below ``pimqtt_agent.media`` or, with a dot, anywhere.
SOURCES: dict[str, str] = {
    "synthetic": "synthetic:Synthetic",
    "file": "video:File",
    "v4l2": "v4l2:V4l2",
    "pi": "pi:PiCamera",
}


@dataclass(frozen=True)
class Frame:
    """One picture, YUV 4:2:0 of full range (as JPEG wants it).

    ``y`` is (height, width), ``u`` and ``v`` are (height / 2, width / 2); the sizes are even, rows contiguous.
    """

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.y.shape[0])


class Source(Protocol):
    """A camera. Used by one thread, which it may block; whatever it raises counts as its failure."""

    #: how long its first pictures are to be thrown away: exposure and white balance settle (s)
    settle_s: ClassVar[float]

    def open(self) -> None:
        """Claim it and let it run."""

    def read(self, now: float) -> Frame:
        """Return a picture of now (Unix s), none that waited in a buffer."""

    def close(self) -> None:
        """Give it back; harmless where it is closed."""


def make(word: str, argument: Any, width: int, height: int) -> Source:
    """Make a source, not yet opened, for pictures that fit into width x height. Raises ``HardwareError``."""
    module, _, name = SOURCES[word].partition(":")
    source: Source = getattr(load(module), name)(argument, width, height)
    return source


def load(module: str) -> Any:
    """Import a module that needs the camera's libraries. Raises ``HardwareError``."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts a thread for each core, and we multiply nothing
    try:
        return import_module(module if "." in module else f"pimqtt_agent.media.{module}")
    except ModuleNotFoundError as error:
        raise HardwareError(MISSING) from error
    except (ImportError, ValueError) as error:  # ValueError: compiled for another numpy
        raise HardwareError(f"a library of the camera can't be loaded: {error}") from error


def fitting(width: int, height: int, box_width: int, box_height: int) -> tuple[int, int]:
    """Return the largest even size of the same shape that fits into the box and is no larger than the picture."""
    scale = min(1.0, box_width / width, box_height / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
