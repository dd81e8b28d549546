"""The little that lies on disk: resting values and latches for the next start, and digests of commands for MQTT 3.1.1.

Files are written beside and renamed, so that a power cut leaves the old or the new one. What can't be read is moved
aside with a message; a latch that can't be read counts as set, and so does one whose checksum is wrong.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

log = logging.getLogger(__name__)


class Saved(msgspec.Struct):
    """``state.json``: resting values by output, latched devices (``""`` is the node)."""

    resting: dict[str, Any] = {}
    latched: list[str] = []


class _State(msgspec.Struct):
    """What stands in ``state.json``: no key may be missing, the checksum least of all, for damage can hit its name."""

    resting: dict[str, Any]
    latched: list[str]
    crc32: int

    def __post_init__(self) -> None:
        try:
            msgspec.msgpack.encode(self.resting)  # as the page that keepers share has it
        except OverflowError as error:
            raise ValueError(f"no output rests at such a number: {error}") from None
        if self.crc32 != _crc32(self.resting, self.latched):
            raise ValueError("its checksum is wrong")


class Snapshot(NamedTuple):
    """What a file is to hold; of two the one with the larger number is newer."""

    number: int
    content: Any


class File:
    """A file that is written from the loop and from a thread, by one at a time; what is older never replaces newer."""

    def __init__(self, folder: Path, name: str, content: Any = None) -> None:
        """``content`` is what it holds already."""
        self._folder, self._name, self._content = folder, name, content
        self._taken = self._written = 0
        self._lock = threading.Lock()

    def snapshot(self, content: Any) -> Snapshot:
        """Number what is to be written; nobody changes it any more."""
        self._taken += 1
        return Snapshot(self._taken, content)

    def write(self, snapshot: Snapshot) -> bool:
        """See that the file holds it; False where something newer was written already, or where it can't be."""
        number, content = snapshot
        with self._lock:
            if number < self._written:
                return False
            if content != self._content and not write(self._folder, self._name, content):
                return False
            self._written, self._content = number, content
            return True


def load(folder: Path) -> Saved:
    """Read the state of the last run; everything is latched where it can't be read, also at the next start."""
    data = _read(folder / "state.json", _State, "; every output is latched at safe", stays=True)
    if data is None:
        return Saved()
    if isinstance(data, _State):
        return Saved(data.resting, data.latched)
    latched = Saved(latched=[""])
    write(folder, "state.json", latched)
    return latched


def load_digests(folder: Path) -> dict[str, list[str]]:
    """Read the digests of commands accepted live, by topic."""
    data = _read(folder / "digests.json", dict[str, list[str]])
    return data if isinstance(data, dict) else {}


def load_registry(folder: Path) -> list[str]:
    """Read the topics under which we had something retained."""
    data = _read(folder / "registry.json", list[str])
    return data if isinstance(data, list) else []


def load_instances(folder: Path) -> list[str]:
    """Read what the agents before us called themselves, the newest last."""
    data = _read(folder / "instances.json", list[str])
    return data if isinstance(data, list) else []


def load_departed(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what was announced of devices that left the configuration, by device."""
    data = _read(folder / "departed.json", dict[str, dict[str, Any]])
    return data if isinstance(data, dict) else {}


def write(folder: Path, name: str, data: Any) -> bool:
    """Write a file whole or not at all; a full disk is told, and False is returned."""
    path = folder / name
    beside = folder / f".{name}.new"
    if isinstance(data, Saved):
        data = _State(data.resting, data.latched, _crc32(data.resting, data.latched))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with beside.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(msgspec.json.encode(data))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        log.error("%s: can't be written (%s); the next start will not know it", path, error.strerror)  # noqa: TRY400
        return False
    _sync(folder)
    return True


def _crc32(resting: dict[str, Any], latched: list[str]) -> int:
    return zlib.crc32(msgspec.json.encode((resting, latched)))


def _sync(folder: Path) -> None:
    """See that the names are on the disk too: a latch that was told must survive a power cut."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:  # some file systems can't: the rename must do
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, descriptor)
        os.fsync(descriptor)


def _read(path: Path, kind: Any, consequence: str = "", *, stays: bool = False) -> Any:
    """Return the content, None where there is no file, False where it was unusable."""
    try:
        # as text: of what it does not know msgspec checks no letter
        return msgspec.json.decode(path.read_bytes().decode(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        log.error("%s can't be used (%s): %s%s", path, error, _aside(path, stays=stays), consequence)  # noqa: TRY400
        return False


def _aside(path: Path, *, stays: bool) -> str:
    """Keep a file under another name, and tell so.

    ``stays``: also under its own until it is written anew, for a start that ends before must not seem to be the first.
    """
    broken = path.with_suffix(".broken")
    try:
        if stays and not path.is_dir():
            broken.unlink(missing_ok=True)
            broken.hardlink_to(path)
        else:
            path.replace(broken)
    except OSError as error:
        return f"it can't be moved aside ({error.strerror})"
    return f"moved aside as {broken.name}"
