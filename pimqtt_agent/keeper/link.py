"""The link between agent and keeper: one datagram a message, msgpack, stamped with the keeper's generation.

A seqpacket socket keeps messages whole, so that a peer killed in the middle of one leaves nothing behind it. Pictures
travel as a sealed memory file whose descriptor is passed along.
"""

from __future__ import annotations

import os
import socket
from collections import OrderedDict
from typing import Any

import msgspec

from pimqtt_agent.errors import LinkError

#: Raised when a message changes its meaning; the newer side then replaces the older.
VERSION = 1
_LARGEST = 200_000
_STAMP = 4


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What crosses the link."""


class Hello(Message, tag=1):
    """Agent: I am here; tell me everything. ``devices`` is the keeper's part of my configuration."""

    version: int
    session: int
    devices: list[dict[str, Any]]


class Do(Message, tag=2):
    """Agent: do a command, validated and with its TTL resolved."""

    seq: int
    device: str
    key: str
    value: Any
    ttl_s: float | None
    stop: bool
    owner: str
    priority: int
    id: str | None
    token: str | None
    stale: str
    at_s: float
    transition_s: float | None
    tell: bool


class Press(Message, tag=3):
    """Agent: press a button."""

    seq: int
    device: str
    key: str
    at_s: float


class Latch(Message, tag=4):
    """Agent: set or reset an emergency stop; ``device`` empty means the node."""

    seq: int
    device: str
    on: bool


class Proof(Message, tag=5):
    """Agent: the last proofs of life of the broker and of Home Assistant (s, CLOCK_BOOTTIME)."""

    broker_s: float
    home_assistant_s: float


class Heartbeat(Message, tag=6):
    """Agent: an owner is alive."""

    owner: str
    at_s: float


class Token(Message, tag=7):
    """Agent: give a token for an output."""

    seq: int
    device: str
    key: str


class Simulate(Message, tag=8):
    """Agent: set an input of the simulated chip."""

    seq: int
    line: int
    level: int


class Welcome(Message, tag=20):
    """Keeper: the answer to ``Hello``; every state follows, then what happens."""

    version: int
    session: int
    reopened: list[str]


class Answer(Message, tag=21):
    """Keeper: what became of a command. ``code`` empty: accepted."""

    seq: int
    code: str
    reason: str
    state: Any
    ttl_s: float | None
    holder: str | None
    token: str | None
    extra: dict[str, Any] | None


class Pending(Message, tag=22):
    """Keeper: the command waits for a dead time; its answer follows."""

    seq: int


class State(Message, tag=23):
    """Keeper: an entity's true state."""

    device: str
    key: str
    value: Any


class Held(Message, tag=24):
    """Keeper: an output's lease (``owner`` None: none) and its resting value."""

    device: str
    key: str
    owner: str | None
    id: str | None
    value: Any
    resting: Any
    deadline_s: float


class Reverted(Message, tag=25):
    """Keeper: an output went back by itself."""

    device: str
    key: str
    id: str | None
    owner: str | None
    cause: str
    value: Any
    state: Any


class Latched(Message, tag=26):
    """Keeper: an emergency stop is set or not; ``device`` empty means the node."""

    device: str
    on: bool


class Happened(Message, tag=27):
    """Keeper: an event of an entity."""

    device: str
    key: str
    event: dict[str, Any]


class Health(Message, tag=28):
    """Keeper: a device works or does not."""

    device: str
    ok: bool
    reason: str


class Blob(Message, tag=29):
    """Keeper: a picture; its bytes are in the descriptor that comes with it."""

    device: str
    key: str
    size: int


class Beat(Message, tag=30):
    """Either side: I am alive."""


class Bye(Message, tag=31):
    """Keeper: I have put the pins where they end and go. ``replace``: a new keeper is wanted at once."""

    reason: str


_Any = (
    Hello | Do | Press | Latch | Proof | Heartbeat | Token | Simulate | Welcome | Answer | Pending | State | Held
    | Reverted | Latched | Happened | Health | Blob | Beat | Bye
)  # fmt: skip
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Any).decode


def pair() -> tuple[socket.socket, socket.socket]:
    """Make the two ends of a link, both non-blocking."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)  # noqa: FBT003
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

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self.socket.fileno()

    @property
    def blocked(self) -> bool:
        """Whether messages wait for room."""
        return bool(self._late)

    def send(self, message: Message) -> bool:
        """Send a message; False where there is no room (only agents' commands need to know)."""
        data = self.generation.to_bytes(_STAMP, "little") + _encode(message)
        if len(data) > _LARGEST:
            raise LinkError(f"a message of {len(data)} bytes does not fit the link")
        if self._late:
            return self._keep(message, data)
        try:
            self.socket.send(data)
        except BlockingIOError:
            return self._keep(message, data)
        except OSError:
            return False
        return True

    def send_blob(self, device: str, key: str, data: bytes) -> None:
        """Send a picture; it is left out where there is no room."""
        handle = os.memfd_create("pimqtt-picture", os.MFD_CLOEXEC)
        try:
            os.write(handle, data)
            head = self.generation.to_bytes(_STAMP, "little") + _encode(Blob(device, key, len(data)))
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
            message = _decode(data[_STAMP:])
            for handle in handles:
                self._take(message, handle)
            messages.append((int.from_bytes(data[:_STAMP], "little"), message))
        return messages

    def _take(self, message: Message, handle: int) -> None:
        try:
            if isinstance(message, Blob):
                self.blobs[message.device, message.key] = os.pread(handle, message.size, 0)
        finally:
            os.close(handle)

    def _keep(self, message: Message, data: bytes) -> bool:
        if isinstance(message, Do | Press | Token | Simulate) and not (isinstance(message, Do) and message.stop):
            return False
        newest = (State, Held, Health, Latched, Beat, Proof)
        key: object = data[:0] + data
        if isinstance(message, newest):
            key = (type(message), getattr(message, "device", ""), getattr(message, "key", ""))
            self._late.pop(key, None)
        self._late[key] = data
        if len(self._late) > 10_000:
            self._late.popitem(last=False)
        return True
