"""Reading and writing whole buffers under an MQTT client that reads byte by byte and writes packet by packet.

One wake-up then costs one read and one write, and an acknowledgement leaves together with the state.
"""

from __future__ import annotations

from typing import Any

_CHUNK = 65536
_DISCONNECT = 0xE0


class Buffered:
    """Stands before ``paho.Client``. Everything happens in the loop's thread but the connecting."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.out = bytearray()
        self.drained = False
        self._read = b""
        self._position = 0

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._position >= len(self._read):
            self._position, self._read = 0, b""
            try:
                self._read = super()._sock_recv(_CHUNK)  # type: ignore[misc]
            except BlockingIOError:
                self.drained = True
                raise
        start = self._position
        self._position = min(start + bufsize, len(self._read))
        return self._read[start : self._position]

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self.out += buf
        if buf and buf[0] & 0xF0 == _DISCONNECT:  # the client closes the socket right after it
            self.flush()
        return len(buf)

    def flush(self) -> bool:
        """Write what waits; return whether nothing waits any more."""
        while self.out:
            try:
                sent = super()._sock_send(self.out)  # type: ignore[misc]
            except BlockingIOError:
                return False
            except OSError:
                self.out.clear()  # the connection is gone; reading tells
                return True
            del self.out[:sent]
        return True

    @property
    def buffered(self) -> bool:
        """Whether bytes that were read wait to be parsed."""
        return self._position < len(self._read)
