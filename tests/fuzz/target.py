"""What is fuzzed: a target takes bytes, and raises ``Finding`` (or anything else) where the product did wrong."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from tests.fuzz import mutate
from tests.fuzz.clockwork import Clock

#: Between the records of one input.
RECORD = b"\x1e"
#: Memory files' own file system: a fuzzer must not wear out a disk.
SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Finding(AssertionError):  # noqa: N818 - what a fuzzer finds, no error of the fuzzer's
    """The product did what it must never do."""


class Ears(logging.Handler):
    """Hears what the product logs: a traceback in a log is an exception that somebody swallowed."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            raise Finding(f"a traceback was logged: {record.getMessage()}") from record.exc_info[1]
        if not isinstance(record.getMessage(), str):  # also that its words fit together
            raise Finding(f"no line: {record}")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's name
        raise  # noqa: PLE0704 - logging calls this while it handles what `emit` raised


class Target:
    """One parser, or a few that belong together. A context manager: nothing outlives it."""

    name: ClassVar[str]
    #: whose branches count
    modules: ClassVar[tuple[str, ...]]
    #: how many of a million inputs it gets (in thousands), and about how long one takes (ms)
    share: ClassVar[int]
    takes_ms: ClassVar[float]
    #: words that make sense there
    words: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.clock, self.ears = Clock(), Ears()
        self.folder = Path(tempfile.mkdtemp(prefix="pimqtt-fuzz-", dir=os.environ.get("TMPDIR", SHM)))
        self._patches: list[AbstractContextManager[None]] = []

    def __enter__(self) -> Self:
        for patch in (self.clock.installed(), listening(self.ears), *self.patches()):
            patch.__enter__()
            self._patches.append(patch)
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for patch in reversed(self._patches):
            patch.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    def patches(self) -> Iterable[AbstractContextManager[None]]:
        """What else is replaced meanwhile: nothing that is tested, only what would harm the machine."""
        return ()

    def open(self) -> None:
        """Prepare."""

    def close(self) -> None:
        """Give back."""

    @classmethod
    def seeds(cls) -> list[bytes]:
        """Inputs by hand."""
        raise NotImplementedError

    @classmethod
    def mutated(cls, data: bytes, rng: random.Random) -> bytes:
        """Change an input in a way that makes sense there."""
        return mutate.text(data, cls.words, rng)

    def run(self, data: bytes) -> None:
        """Try one input from a clean start."""
        raise NotImplementedError

    def renew(self) -> None:
        """Begin anew what lives: from now on nothing older is given back."""

    def live(self, data: bytes) -> None:
        """Try one input where the ones before it have left their traces: memory must not grow by that."""
        self.run(data)


@contextmanager
def listening(ears: Ears) -> Iterator[None]:
    """Hear all that the product logs, and nothing else does."""
    log = logging.getLogger("pimqtt_agent")
    before = log.handlers, log.propagate, log.level, logging.raiseExceptions
    log.handlers, log.propagate, logging.raiseExceptions = [ears], False, True
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.handlers, log.propagate, logging.raiseExceptions = before[0], before[1], before[3]
        log.setLevel(before[2])


@contextmanager
def replaced(owner: Any, name: str, by: Any) -> Iterator[None]:
    """Replace an attribute meanwhile."""
    before = getattr(owner, name)
    setattr(owner, name, by)
    try:
        yield
    finally:
        setattr(owner, name, before)


def records(data: bytes, most: int) -> list[tuple[str, bytes]]:
    """Split an input into records of a head line and what follows it."""
    found = []
    for part in data.split(RECORD)[:most]:
        head, _, content = part.partition(b"\n")
        found.append((head.decode("utf-8", "replace"), content))
    return found


def joined(*parts: tuple[str, str | bytes]) -> bytes:
    """Make an input of records."""
    return RECORD.join(
        head.encode() + b"\n" + (content if isinstance(content, bytes) else content.encode()) for head, content in parts
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def never(word: str) -> Any:
    """Refuse what JSON does not know: NaN and Infinity."""
    raise ValueError(f"{word} is no JSON")


#: One for all: to make a decoder leaves something behind in CPython, which looks like a leak.
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=never)


def strict(payload: bytes | str) -> Any:
    """Read JSON as the strictest reader does: no NaN, no key twice."""
    return _DECODER.decode(payload if isinstance(payload, str) else payload.decode())
