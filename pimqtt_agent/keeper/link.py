"""The link between agent and keeper: one datagram a message, msgpack, stamped with the keeper's generation.

A seqpacket socket keeps messages whole, so that a peer killed in the middle of one leaves nothing behind it. Pictures
travel as a sealed memory file whose descriptor is passed along.
"""

from __future__ import annotations

import os
import socket
from collections import OrderedDict

import msgspec

from pimqtt_agent.errors import LinkError
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

_LARGEST = 200_000
_STAMP = 4
#: In the stamp of a datagram that holds a list of messages.
_MANY = 0x8000_0000


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
        self._late: OrderedDict[object, bytes] = OrderedDict()
        self._held: list[Message] | None = None

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
            data = (self.generation | _MANY).to_bytes(_STAMP, "little") + encode(held)
            if len(data) <= _LARGEST and self._sent(data):
                return []
        return [message for message in held if not self.send(message)]

    def send(self, message: Message, *, now: bool = False) -> bool:
        """Send a message; False where there is no room (only agents' commands need to know).

        ``now`` is for a stop: it overtakes what is being collected.
        """
        if self._held is not None and not now:
            self._held.append(message)
            return True
        data = self.generation.to_bytes(_STAMP, "little") + encode(message)
        if len(data) > _LARGEST:
            raise LinkError(f"a message of {len(data)} bytes does not fit the link")
        if self._late:
            return self._keep(message, data)
        return self._sent(data) or self._keep(message, data)

    def _sent(self, data: bytes) -> bool:
        try:
            self.socket.send(data)
        except OSError:  # no room, or nobody there: the supervisor replaces who is gone
            return False
        return True

    def send_blob(self, device: str, key: str, data: bytes) -> None:
        """Send a picture; it is left out where there is no room."""
        if self._held is not None:  # what was collected before must arrive before
            self.release()
            self.hold()
        handle = os.memfd_create("pimqtt-picture", os.MFD_CLOEXEC)
        try:
            os.write(handle, data)
            head = self.generation.to_bytes(_STAMP, "little") + encode(Blob(device, key, len(data)))
            socket.send_fds(self.socket, [head], [handle])
        except OSError:
            return
        finally:
            os.close(handle)

    def flush(self) -> None:
        """Send what waited, as far as there is room."""
        while self._late:
            key, data = next(iter(self._late.items()))
            try:
                self.socket.send(data)
            except BlockingIOError:
                return
            except OSError:
                self._late.clear()
                return
            del self._late[key]

    def receive(self, limit: int = 64) -> list[tuple[int, Message]]:
        """Read what is there, at most ``limit`` messages: (generation, message); pictures land in ``blobs``."""
        messages: list[tuple[int, Message]] = []
        while len(messages) < limit:
            try:
                data, handles, _, _ = socket.recv_fds(self.socket, _LARGEST, 1)
            except (BlockingIOError, OSError):
                break
            if not data:
                break
            stamp = int.from_bytes(data[:_STAMP], "little")
            if stamp & _MANY:
                messages += [(stamp ^ _MANY, message) for message in decode_many(data[_STAMP:])]
                continue
            try:
                message = decode(data[_STAMP:])
            except msgspec.DecodeError as error:
                raise LinkError(f"the peer speaks another version: {error}") from None
            for handle in handles:
                self._take(message, handle)
            messages.append((stamp, message))
        return messages

    def _take(self, message: Message, handle: int) -> None:
        try:
            if isinstance(message, Blob):
                self.blobs[message.device, message.key] = os.pread(handle, message.size, 0)
        finally:
            os.close(handle)

    def _keep(self, message: Message, data: bytes) -> bool:
        if isinstance(message, Do | Press | Token | Pins | Simulate) and not (isinstance(message, Do) and message.stop):
            return False
        newest = (State, Held, Health, Latched, Beat, Proof)
        key: object = object()
        if isinstance(message, newest):
            key = (type(message), getattr(message, "device", ""), getattr(message, "key", ""))
            self._late.pop(key, None)
        self._late[key] = data
        if len(self._late) > 10_000:
            self._late.popitem(last=False)
        return True
