"""What was accepted live with MQTT 3.1.1, which does not tell a replay of it from another command: digests by topic.

``digests.json`` is written a moment later, many changes in one, for a power cut. ``digests.log`` gets each change at
once, for the next agent: it must know a command even where we die right after it was done. After a power cut the last
second may be missing; by then every lease is over, and motion is never done from a replay.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pimqtt_agent import store
from pimqtt_agent.store import Snapshot

#: Digests kept per topic.
DIGESTS = 16

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, str | None]).decode


class Digests:
    """The digests of one node."""

    def __init__(self, folder: Path) -> None:
        """Read what the agent before us knew."""
        self._folder = folder
        self._log, self._earlier = folder / "digests.log", folder / "digests.log.1"
        self._handle, self._failed = -1, False
        self._saved = store.File(folder, "digests.json")
        self._known = store.load_digests(folder)
        for path in (self._earlier, self._log):
            for topic, digest in _lines(path):
                self._take(topic, digest)

    def __contains__(self, command: tuple[str, str]) -> bool:
        topic, digest = command
        return digest in self._known.get(topic, ())

    def add(self, topic: str, digest: str) -> bool:
        """Remember a command; return whether that is news."""
        known = self._known.get(topic)
        if known and known[-1] == digest:
            return False
        self._change(topic, digest)
        return True

    def forget(self, topic: str) -> bool:
        """The topic was cleared; return whether that is news."""
        if topic not in self._known:
            return False
        self._change(topic, None)
        return True

    def begin_save(self) -> Snapshot:
        """Begin a new log and return what is known up to here, to be handed to ``save``."""
        try:
            if self._log.exists() and not self._earlier.exists():
                self._log.replace(self._earlier)
                self._close()
        except OSError as error:
            self._fail(error)
        return self._saved.snapshot({topic: list(known) for topic, known in self._known.items()})

    def save(self, snapshot: Snapshot) -> None:
        """Write; may take its time, in another thread. What is older than what was written is left out."""
        if self._saved.write(snapshot):
            try:
                self._earlier.unlink(missing_ok=True)
            except OSError as error:  # a read-only disk refuses that even where there is no file
                self._fail(error)

    def _change(self, topic: str, digest: str | None) -> None:
        self._take(topic, digest)
        try:
            if self._handle < 0:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._handle = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            os.write(self._handle, b"\n" + _encode((topic, digest)))  # so that it does not end a line that was cut off
            self._failed = False
        except OSError as error:
            self._fail(error)

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _fail(self, error: OSError) -> None:
        """Say once that the log can't be written."""
        if not self._failed:
            self._failed = True
            log.error("%s: can't be written (%s); a crash may now repeat a command", self._log, error.strerror)

    def _take(self, topic: str, digest: str | None) -> None:
        if digest is None:
            self._known.pop(topic, None)
            return
        known = self._known.setdefault(topic, [])
        if digest in known:
            known.remove(digest)
        known.append(digest)
        del known[:-DIGESTS]


def _lines(path: Path) -> Iterator[tuple[str, str | None]]:
    """Read a log; a line that was cut off is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        log.error("%s: can't be read (%s)", path, error.strerror)  # noqa: TRY400
        return
    for number, line in enumerate(lines, 1):
        try:
            if line:
                yield _decode(line)
        except (msgspec.DecodeError, UnicodeError) as error:
            log.warning("%s: line %d is left out: %s", path, number, error)
