"""The little that lies on disk: resting values and latches for the next start, and digests of commands for MQTT 3.1.1.

Files are written beside and renamed, so that a power cut leaves the old or the new one. What can't be read is moved
aside with a message; a latch that can't be read counts as set.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

log = logging.getLogger(__name__)


class Saved(msgspec.Struct):
    """``state.json``: resting values by output, latched devices (``""`` is the node)."""

    resting: dict[str, Any] = {}
    latched: list[str] = []


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
    data = _read(folder / "state.json", Saved, "; every output is latched at safe")
    if data is None:
        return Saved()
    if isinstance(data, Saved):
        return data
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


def installation(folder: Path) -> str:
    """Name what runs with this folder, the same at every start."""
    name = _read(folder / "installation.json", str)
    if not isinstance(name, str) or not name:
        name = os.urandom(6).hex()
        write(folder, "installation.json", name)
    return name


def load_departed(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what was announced of devices that left the configuration, by device."""
    data = _read(folder / "departed.json", dict[str, dict[str, Any]])
    return data if isinstance(data, dict) else {}


def write(folder: Path, name: str, data: Any) -> bool:
    """Write a file whole or not at all; a full disk is told, and False is returned."""
    path = folder / name
    beside = folder / f".{name}.new"
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
    return True


def _read(path: Path, kind: Any, consequence: str = "") -> Any:
    """Return the content, None where there is no file, False where it was unusable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        log.error("%s can't be used (%s): moved aside%s", path, error, consequence)  # noqa: TRY400
        try:
            path.replace(path.with_suffix(".broken"))
        except OSError:
            log.debug("%s could not be moved aside", path)
        return False
