"""The link between agent and keeper: one datagram a message, msgpack, stamped with the keeper's generation.

A seqpacket socket keeps messages whole, so that a peer killed in the middle of one leaves nothing behind it. Pictures,
and messages that no datagram holds, travel as a sealed memory file whose descriptor is passed along.
"""

from __future__ import annotations

import array
import logging
import os
import socket
from collections import Counter, OrderedDict

import msgspec

from pimqtt_agent.errors import LinkError
from pimqtt_agent.keeper import sealed
from pimqtt_agent.keeper.messages import (
    Beat,
    Blob,
    Do,
    Health,
    Held,
    Latched,
    Message,
    Pins,
    Press,
    Proof,
    Simulate,
    State,
    Token,
    decode,
    decode_many,
    encode,
)

log = logging.getLogger(__name__)

#: What a datagram holds, and what a memory file may (bytes).
_DATAGRAM, _LARGEST = 200_000, 16 << 20
_STAMP = 4
#: Room for the one descriptor that may come along.
_ROOM = socket.CMSG_LEN(array.array("i").itemsize)
#: In the stamp of a datagram that holds a list of messages; that says: the message is in the file that comes with it.
_MANY, _FILED = 0x8000_0000, 0x4000_0000
#: How many messages wait for room at most.
_WAITING = 10_000


def pair() -> tuple[socket.socket, socket.socket]:
    """Make the two ends of a link, both non-blocking."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    return ends


class Link:
    """One end. Nothing here waits: where the peer is slow, the newest state of an entity replaces the one before."""

    def __init__(self, end: socket.socket, generation: int = 0) -> None:
        """Stamp what is sent with a keeper's generation."""
        self.socket = end
        self.generation = generation
        self.blobs: dict[tuple[str, str], bytes] = {}
        self._buffer = memoryview(bytearray(_DATAGRAM))
        self._late: OrderedDict[object, bytes] = OrderedDict()
        self._held: list[Message] | None = None
        self._left_out: Counter[str] = Counter()

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self.socket.fileno()

    @property
    def blocked(self) -> bool:
        """Whether messages wait for room."""
        return bool(self._late)

    def hold(self) -> None:
        """Collect what is sent from now on, for one datagram: each wakes the peer."""
        if self._held is None:
            self._held = []

    def release(self) -> list[Message]:
        """Send what was collected; return what did not find room and is not kept (commands)."""
        held, self._held = self._held or [], None
        if len(held) > 1 and not self._late:
            data = self._stamp(_MANY) + encode(held)
            if len(data) <= _DATAGRAM and self._sent(data):
                return []
        return [message for message in held if not self.send(message)]

    def send(self, message: Message, *, now: bool = False) -> bool:
        """Send a message; False where there is no room (only agents' commands need to know).

        ``now`` is for a stop: it overtakes what is being collected.
        """
        if self._held is not None and not now:
            self._held.append(message)
            return True
        data = self._stamp() + encode(message)
        if len(data) > _LARGEST:
            raise LinkError(f"a message of {len(data)} bytes does not fit the link")
        if self._late:
            return self._keep(message, data)
        return self._sent(data) or self._keep(message, data)

    def _stamp(self, mark: int = 0) -> bytes:
        return (self.generation | mark).to_bytes(_STAMP, "little")

    def _put(self, data: bytes) -> None:
        if len(data) <= _DATAGRAM:
            self.socket.send(data)
        else:
            stamp = int.from_bytes(data[:_STAMP], "little") | _FILED
            sealed.send(self.socket, stamp.to_bytes(_STAMP, "little"), data[_STAMP:])

    def _sent(self, data: bytes) -> bool:
        try:
            self._put(data)
        except OSError:  # no room, or nobody there: the supervisor replaces who is gone
            return False
        return True

    def send_blob(self, device: str, key: str, data: bytes) -> None:
        """Send a picture; it is left out where there is no room."""
        if self._held is not None:  # what was collected before must arrive before
            self.release()
            self.hold()
        try:
            sealed.send(self.socket, self._stamp() + encode(Blob(device, key, len(data))), data)
        except OSError:
            self._leave_out("pictures")

    def flush(self) -> None:
        """Send what waited, as far as there is room."""
        while self._late:
            key, data = next(iter(self._late.items()))
            try:
                self._put(data)
            except BlockingIOError:
                return
            except OSError:
                self._leave_out("messages", len(self._late))
                self._late.clear()
                return
            del self._late[key]

    def receive(self) -> list[tuple[int, Message]]:
        """Read one datagram, if there is one: (generation, message) each; pictures land in ``blobs``.

        What more there is the poller tells again: to ask for it here costs as much as it is.
        """
        try:
            size, ancillary, _, _ = self.socket.recvmsg_into([self._buffer], _ROOM)
        except OSError:
            return []
        if not size and not ancillary:
            return []
        stamp, data = int.from_bytes(self._buffer[: min(size, _STAMP)], "little"), self._buffer[_STAMP:size]
        handles = [handle for _, _, rights in ancillary for handle in array.array("i", rights)] if ancillary else []
        try:
            if stamp & _MANY:
                return [(stamp ^ _MANY, message) for message in decode_many(data)]
            return [(stamp & ~_FILED, self._one(data, handles, filed=bool(stamp & _FILED)))]
        except (msgspec.DecodeError, UnicodeError, RecursionError, OSError) as error:
            raise LinkError(f"the peer speaks another version: {error}") from None
        finally:
            for handle in handles:
                os.close(handle)

    def _one(self, data: memoryview, handles: list[int], *, filed: bool) -> Message:
        """Read one message; a picture's bytes land in ``blobs``."""
        filing = sealed.read(handles[0]) if handles else b""
        message: Message = decode(filing if filed else data)
        if isinstance(message, Blob):
            self.blobs[message.device, message.key] = filing
        return message

    def _keep(self, message: Message, data: bytes) -> bool:
        if isinstance(message, Do | Press | Token | Pins | Simulate) and not (isinstance(message, Do) and message.stop):
            return False
        newest = (State, Held, Health, Latched, Beat, Proof)
        key: object = object()
        if isinstance(message, newest):
            key = (type(message), getattr(message, "device", ""), getattr(message, "key", ""))
            self._late.pop(key, None)
        self._late[key] = data
        if len(self._late) > _WAITING:
            self._late.popitem(last=False)
            self._leave_out("messages")
        return True

    def _leave_out(self, what: str, count: int = 1) -> None:
        """Say that something was, once; then only at ten times as many."""
        before = self._left_out[what]
        self._left_out[what] = left_out = before + count
        if len(str(left_out)) > len(str(before)) or not before:
            log.warning("no room on the link to the other process: %d %s left out so far", left_out, what)
