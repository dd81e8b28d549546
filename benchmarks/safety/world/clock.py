"""A wall clock that can be stepped: for the processes that are started with it, and for nobody else."""

from __future__ import annotations

import ctypes
import hashlib
import mmap
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.environment import cache, run

SOURCE = Path(__file__).with_name("shim.c")
NS = 1e9


class Clock:
    """A wall clock. Processes started with ``env``, and their children, have it; their monotonic clocks stay."""

    def __init__(self) -> None:
        """Compile the shim where that was not done."""
        self._shim = build()

    @property
    def env(self) -> dict[str, str]:
        """The environment that a process is to be started with, beside the rest of its own."""
        others = os.environ.get("LD_PRELOAD")
        return {
            "LD_PRELOAD": f"{self._shim}:{others}" if others else str(self._shim),
            "WALL_CLOCK_SHIFT": str(self._file),
        }

    def step(self, seconds: float) -> None:
        """Step it forwards, or back; steps add up."""
        # one store of eight bytes: nobody reads half a step
        self._shift_ns.value += int(seconds * NS)

    def __enter__(self) -> Self:
        handle, name = tempfile.mkstemp(prefix=f"pimqtt-clock-{os.getpid()}-")
        self._file = Path(name)
        try:
            os.truncate(handle, ctypes.sizeof(ctypes.c_int64))
            self._shift_ns = ctypes.c_int64.from_buffer(mmap.mmap(handle, ctypes.sizeof(ctypes.c_int64)))
        except BaseException:
            self._file.unlink()
            raise
        finally:
            os.close(handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.unlink()  # what runs keeps its clock


def build() -> Path:
    """Compile the shim; return the library."""
    mark = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = cache() / f"wall-clock-{mark}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}")
        run("cc", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", fresh, SOURCE, "-ldl")
        fresh.rename(library)
    return library
