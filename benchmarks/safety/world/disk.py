"""A folder on a small disk of its own, which can be filled up or become read-only under whoever uses it. Root only."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.environment import run
from benchmarks.errors import BenchmarkError

CHUNK = bytes(4096)


class Disk:
    """A disk of memory at a folder, while it is entered; its content goes with it."""

    def __init__(self, folder: Path, size_kib: int = 1024) -> None:
        """Take a folder, made where it is missing and otherwise empty, and the size."""
        self.folder, self._size_kib = folder, size_kib
        self._mounts = 0
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Fill it to the last byte. A file can still be made, but nothing written to it, as on most full disks."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(CHUNK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink()

    def read_only(self) -> None:
        """Refuse every change; what is open for writing already goes on."""
        self._mount("--bind", self.folder)
        run("mount", "-o", "remount,bind,ro", self.folder)

    def writable(self) -> None:
        """Allow changes again."""
        self._unmount()

    def _mount(self, *words: str | Path) -> None:
        run("mount", *words, self.folder)
        self._mounts += 1

    def _unmount(self) -> None:
        # lazily: a process that ends late must not leave a disk behind
        run("umount", "--lazy", self.folder)
        self._mounts -= 1

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise BenchmarkError("a disk of its own needs root: run this with sudo, or leave out what fills disks")
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(self.folder.iterdir()):
            raise BenchmarkError(f"{self.folder} is not empty: a disk over it would hide its content")
        try:
            self._mount("-t", "tmpfs", "-o", f"size={self._size_kib}k,mode=700", "tmpfs")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        while self._mounts:
            self._unmount()
