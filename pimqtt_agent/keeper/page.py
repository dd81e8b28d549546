"""The page that outlives keepers: resting values, latches, when each output was last off, last proofs of life.

The supervisor maps it once; every keeper inherits it and writes its own outputs' slots. A slot that is torn (its keeper
was killed in the middle of a write) counts as latched.
"""

from __future__ import annotations

import logging
import mmap
import zlib
from collections.abc import Callable
from typing import Any

import msgspec

log = logging.getLogger(__name__)

SLOT = 512
SLOTS = 2048
_HEAD = 8
_EMPTY = bytes(_HEAD)
#: Behind the slots stands how many were ever used.
_END = SLOT * SLOTS
NODE = "!"


class Record(msgspec.Struct, array_like=True):
    """One slot. ``name`` is an output's, or ``!`` and a device's id for a latch. ``live``: a keeper wrote it."""

    name: str
    resting: Any = None
    off_since_s: float | None = None
    latched: bool = False
    live: bool = True
    on_since_s: float | None = None
    proof_s: float | None = None
    disconnected: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class Page:
    """Slots in shared memory."""

    def __init__(self) -> None:
        """Map it, empty."""
        self._map = mmap.mmap(-1, _END + _HEAD)
        self._slots: dict[str, int] = {}
        self._used = 0
        self._torn: list[int] = []
        self._full = False
        self.torn = False

    def read(self) -> dict[str, Record]:
        """Read every slot; sets ``torn`` where one can't be trusted."""
        records: dict[str, Record] = {}
        self._used, self._slots, self._torn = 0, {}, []
        for index in range(self._reached()):
            head = self._map[index * SLOT : index * SLOT + _HEAD]
            if head == _EMPTY:
                continue
            self._used = index + 1
            record = self._slot(index, head)
            if record is None:
                self.torn = True
                self._torn.append(index)
                continue
            records[record.name] = record
            self._slots[record.name] = index
        return records

    def write(self, record: Record, gone: Callable[[str], bool] = lambda _name: False) -> None:
        """Write one slot: length and checksum first, so that a torn write shows.

        Torn slots have said what they had to say as soon as the node's latch is written; a reset then is one. ``gone``
        names what may make room: a configuration fits (`check` sees to it), what earlier ones left may fill the page.
        """
        index = self._slots.get(record.name)
        if index is None:
            index = self._place(gone)
            if index < 0:
                self._tell_full(record.name)
                return
            self._slots[record.name] = index
        data = _encode(record)
        if len(data) > SLOT - _HEAD:
            data = _encode(Record(record.name[:64], latched=True))
        start = index * SLOT
        head = len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
        self._map[start : start + _HEAD + len(data)] = head + data
        if record.name == NODE and record.latched:
            for torn in self._torn:
                self._map[torn * SLOT : (torn + 1) * SLOT] = bytes(SLOT)
            self._torn = []

    def _place(self, gone: Callable[[str], bool]) -> int:
        """Find a slot for a new name; -1 where there is none."""
        if self._used < SLOTS:
            self._used += 1
            self._map[_END : _END + _HEAD] = self._used.to_bytes(_HEAD, "little")  # first: a torn slot must be seen
            return self._used - 1
        name = next(filter(gone, self._slots), None)
        return -1 if name is None else self._slots.pop(name)

    def _tell_full(self, name: str) -> None:
        if not self._full:
            self._full = True
            log.error("%s: there is no room to remember it beyond this keeper; restart pimqtt", name)

    def _reached(self) -> int:
        """How many slots were ever used: reading the others would only take their memory."""
        return min(int.from_bytes(self._map[_END : _END + _HEAD], "little"), SLOTS)

    def _slot(self, index: int, head: bytes) -> Record | None:
        start, length = index * SLOT, int.from_bytes(head[:4], "little")
        if length > SLOT - _HEAD:
            return None
        data = self._map[start + _HEAD : start + _HEAD + length]
        if zlib.crc32(data) != int.from_bytes(head[4:], "little"):
            return None
        try:
            return _decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
