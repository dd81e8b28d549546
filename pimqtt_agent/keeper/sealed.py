"""Sealed memory files: how more than a datagram holds crosses the link. No disk is touched."""

from __future__ import annotations

import fcntl
import os
import socket

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def send(to: socket.socket, head: bytes, data: bytes) -> None:
    """Send a datagram and, by its descriptor, a file that holds ``data``. ``OSError`` where there is no room."""
    handle = os.memfd_create("pimqtt-link", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(handle, data)
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
        socket.send_fds(to, [head], [handle])
    finally:
        os.close(handle)


def read(handle: int) -> bytes:
    """Read the whole file of a descriptor that came."""
    return os.pread(handle, os.fstat(handle).st_size, 0)
