"""What came from the broker to an agent, and when: packets as the kernel saw and stamped them, before it filters."""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from benchmarks.errors import BenchmarkError

_ETH_P_IP, _SO_ATTACH_FILTER, _SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 0x0800, 26, 33, 35
_TCP, _OUTGOING = 6, 4
_BUFFER_BYTES = 64 << 20
_STAMP = struct.Struct("qq")


@dataclass(frozen=True)
class Packet:
    """A TCP segment that bore something. ``port``: the receiver's."""

    t_ns: int
    port: int
    payload: bytes


class Capture:
    """Listens on an interface of this thread's network to what comes from a TCP port. Root only."""

    def __init__(self, port: int, interface: str = "lo") -> None:
        """Take the port of the broker, or of the relay before it."""
        self._port, self._interface = port, interface

    def packets(self) -> list[Packet]:
        """Take all that came since the last call."""
        # the kernel stamps in wall clock time; nobody steps the machine's own in between
        shift_ns = time.time_ns() - time.monotonic_ns()
        return [Packet(t_ns - shift_ns, port, payload) for t_ns, port, payload in self._raw() if payload]

    def _raw(self) -> Iterator[tuple[int, int, bytes]]:
        while True:
            try:
                data, said, _, address = self._sock.recvmsg(65536, 64)
            except BlockingIOError:
                return
            if address[2] == _OUTGOING and self._interface == "lo":
                continue  # loopback shows everything twice
            seconds, ns = _STAMP.unpack(said[0][2])
            head = (data[0] & 15) * 4
            if data[9] != _TCP or int.from_bytes(data[head : head + 2], "big") != self._port:
                continue
            end = int.from_bytes(data[2:4], "big")  # what follows is padding
            yield seconds * 10**9 + ns, int.from_bytes(data[head + 2 : head + 4], "big"), data[
                head + (data[head + 12] >> 4) * 4 : end
            ]

    def __enter__(self) -> Self:
        try:
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
        except PermissionError:
            raise BenchmarkError("to see what passed needs root: run this with sudo") from None
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        _only_from(self._sock, self._port)
        self._sock.bind((self._interface, 0))
        self._sock.setblocking(False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._sock.close()


def _only_from(sock: socket.socket, port: int) -> None:
    """Have the kernel drop all but TCP from this port: others' traffic must not fill the buffer."""
    code = [
        (0x30, 0, 0, 9), (0x15, 0, 4, _TCP),  # the protocol
        (0xB1, 0, 0, 0), (0x48, 0, 0, 0), (0x15, 0, 1, port),  # behind the head: the source port
        (0x06, 0, 0, 0x40000), (0x06, 0, 0, 0),
    ]  # fmt: skip
    rows = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(code), ctypes.addressof(rows)))


def mark(node: str, device: str) -> bytes:
    """What a packet with a command bears."""
    return f"pimqtt/{node}/{device}/set".encode()


def port_of(packets: list[Packet], node: str, until_ns: int) -> int:
    """Tell at which port an agent hears the broker: nobody else is sent its commands; 0 where none had come by then."""
    wanted = mark(node, "car")
    return next((p.port for p in reversed(packets) if p.t_ns <= until_ns and wanted in p.payload), 0)


def last_ns(packets: list[Packet], port: int, until_ns: int, wanted: bytes = b"") -> int:
    """Tell when the last packet that bears this passed to a port until then; 0 for none."""
    fitting = (p.t_ns for p in packets if p.port == port and p.t_ns <= until_ns and wanted in p.payload)
    return max(fitting, default=0)
