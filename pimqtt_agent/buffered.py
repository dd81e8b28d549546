"""Reading and writing whole buffers under an MQTT client that reads byte by byte and writes packet by packet.

One wake-up then costs one read and one write, and an acknowledgement leaves together with the state. The plainest
packets, a PUBLISH without properties either way, are taken and made here: they are all that is frequent. Everything
else is the client's.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

_CHUNK = 65536
_DISCONNECT = 0xE0
_PUBLISH, _RETAIN, _QOS, _DUP_QOS2 = 0x30, 0x01, 0x06, 0x0C
_PUBACK = b"\x40\x02"
#: What the client is told where a packet is not there yet.
_AGAIN = -1


class Buffered:
    """Stands before ``paho.Client``. Everything happens in the loop's thread but the connecting."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        #: takes a plain PUBLISH: topic, payload, QoS (0 or 1), retain flag
        self.take: Callable[[str, bytes, int, bool], None] | None = None
        self.five = False
        #: whether a read that brings less than was asked for has emptied the socket: not under TLS or WebSocket
        self.bare = False
        self._names: dict[str, bytes] = {}
        self.out = bytearray()
        self.drained = False
        #: whether the broker sent something; that it closed the connection is no sign of life
        self.heard = False
        #: why the broker ended the encryption: after the handshake it refuses a missing certificate
        self.alert = ""
        self._read = b""
        self._position = 0
        self._emptied = False

    def publish_plain(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Publish at QoS 0 without properties; what the client has queued leaves first."""
        if self._out_packet:  # type: ignore[attr-defined]
            self.loop_write()  # type: ignore[attr-defined]
        name = self._names.get(topic)
        if name is None:
            raw = topic.encode()
            name = self._names[topic] = len(raw).to_bytes(2, "big") + raw + (b"\0" if self.five else b"")
        self.out += bytes((_PUBLISH | retain,)) + _length(len(name) + len(payload)) + name + payload

    def _packet_read(self) -> Any:
        """Take the plain packets that the buffer holds whole; the client reads what comes after them."""
        if self.take is not None and self._in_packet["command"] == 0:  # type: ignore[attr-defined]
            self._fill()
            while self._take_plain(self.take):
                self._last_bytes_received = time.monotonic()
            if self._emptied and not self.buffered:
                self.drained = True
                return _AGAIN
        return super()._packet_read()  # type: ignore[misc]

    def _take_plain(self, take: Callable[[str, bytes, int, bool], None]) -> bool:
        data, start, end = self._read, self._position, len(self._read)
        if end - start < 6 or data[start] & 0xF0 != _PUBLISH or data[start] & _DUP_QOS2:
            return False
        head = data[start]
        size, at = data[start + 1], start + 2
        if size > 127:
            size, at = size & 127 | data[at] << 7, at + 1
            if data[at - 1] > 127:
                return False  # 16 KiB and more: rare
        stop, after = at + size, at + 2 + (data[at] << 8 | data[at + 1])
        acknowledge, qos = b"", (head & _QOS) >> 1
        if qos:
            acknowledge, after = data[after : after + 2], after + 2
        if stop > end or after + self.five > stop or (self.five and data[after]):
            return False
        try:
            topic = data[at + 2 : after - 2 * qos].decode()
        except UnicodeDecodeError:
            return False
        self._position = stop
        if qos:
            self.out += _PUBACK + acknowledge
        take(topic, data[after + self.five : stop], qos, bool(head & _RETAIN))
        return True

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._position >= len(self._read):
            self._position, self._read = 0, b""
            try:
                self._read = super()._sock_recv(_CHUNK)  # type: ignore[misc]
                self.heard = self.heard or bool(self._read)
            except BlockingIOError:
                self.drained = True
                raise
            except ssl.SSLError as error:
                self.alert = self.alert or str(error)
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
        if self._out_packet:  # type: ignore[attr-defined]
            self.loop_write()  # type: ignore[attr-defined]
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

    def _fill(self) -> None:
        """Read a chunk where nothing waits; what fails here fails again for the client, which tells."""
        self._emptied = False
        if not self.buffered:
            self._position, self._read = 0, b""
            try:
                self._read = super()._sock_recv(_CHUNK)  # type: ignore[misc]
                self._emptied = self.bare and 0 < len(self._read) < _CHUNK
                self.heard = self.heard or bool(self._read)
            except OSError as error:
                self._read = b""
                self.alert = self.alert or (str(error) if isinstance(error, ssl.SSLError) else "")

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written."""
        return not self.out and not self._out_packet  # type: ignore[attr-defined]

    @property
    def buffered(self) -> bool:
        """Whether bytes that were read wait to be parsed."""
        return self._position < len(self._read)


def _length(size: int) -> bytes:
    """Write an MQTT variable length."""
    if size < 128:
        return bytes((size,))
    return bytes((size & 127 | 128,)) + _length(size >> 7)
