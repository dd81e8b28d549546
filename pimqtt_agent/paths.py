"""Where the little that is on disk lies. Standard library only: ``pimqtt safe`` starts with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pimqtt_agent.errors import PimqttError


def runtime_dir(node: str) -> Path:
    """Return the node's runtime folder (locks, levels, the list of ``safe``); it is made where it is missing."""
    given = _first("RUNTIME_DIRECTORY")
    if given:
        return _made(given / node)
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session:
        return _made(Path(session) / "pimqtt" / node)
    user = os.geteuid()
    if user == 0:
        return _made(Path("/run/pimqtt") / node)
    # Anybody may make names in /tmp: what stands there must be ours, and nobody else's to write.
    folder = _made(Path(f"/tmp/pimqtt-{user}"))  # noqa: S108
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != user or status.st_mode & 0o077:
        raise PimqttError(f"{folder} is not a private folder of user {user}; remove it, or set XDG_RUNTIME_DIR")
    return _made(folder / node)


def state_dir(given: str | None, node: str) -> Path:
    """Return the node's state folder; ``given`` is the configuration's ``state_dir``. It is made where missing."""
    folder = Path(given).expanduser() if given else _first("STATE_DIRECTORY")
    if folder is None:
        session = os.environ.get("XDG_STATE_HOME")
        if session:
            folder = Path(session) / "pimqtt"
        elif os.geteuid() == 0:
            folder = Path("/var/lib/pimqtt")
        else:
            folder = Path.home() / ".local/state/pimqtt"
    made = _made(folder / node)
    if not os.access(made, os.W_OK | os.X_OK, effective_ids=True):
        raise PimqttError(f"{made} can't be written by user {os.geteuid()}; give it to that user, or set state_dir")
    return made


def _first(name: str) -> Path | None:
    """Read a folder that systemd names; where a unit has several, they are separated by colons."""
    value = os.environ.get(name, "").split(":")[0]
    return Path(value) if value else None


def _made(folder: Path) -> Path:
    try:
        # Path.mkdir gives parents the default mode; only the last folder would be private.
        if not folder.parent.exists():
            _made(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise PimqttError(f"{folder} can't be made: {error.strerror}") from None
    return folder
