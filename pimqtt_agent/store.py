"""The little that lies on disk: resting values and latches for the next start, and digests of commands for MQTT 3.1.1.

Files are written beside and renamed, so that a power cut leaves the old or the new one. What can't be read is moved
aside with a message; a latch that can't be read counts as set.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import msgspec

log = logging.getLogger(__name__)


class Saved(msgspec.Struct):
    """``state.json``: resting values by output, latched devices (``""`` is the node)."""

    resting: dict[str, Any] = {}
    latched: list[str] = []


def load(folder: Path) -> Saved:
    """Read the state of the last run; everything is latched where it can't be read."""
    data = _read(folder / "state.json", Saved, "; every output is latched at safe")
    if data is None:
        return Saved()
    return data if isinstance(data, Saved) else Saved(latched=[""])


def load_digests(folder: Path) -> dict[str, list[str]]:
    """Read the digests of commands accepted live, by topic."""
    data = _read(folder / "digests.json", dict[str, list[str]])
    return data if isinstance(data, dict) else {}


def load_registry(folder: Path) -> list[str]:
    """Read the topics under which we had something retained."""
    data = _read(folder / "registry.json", list[str])
    return data if isinstance(data, list) else []


def write(folder: Path, name: str, data: Any) -> None:
    """Write a file whole or not at all; a full disk is told and nothing else."""
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
