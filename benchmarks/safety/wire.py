"""As much of MQTT as a driver needs, on a raw socket: a library's thread would blur when something was written."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

CONNECT, CONNACK, PUBLISH, SUBSCRIBE = 1, 2, 3, 8
_EXPIRY = 2


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(head: int, body: bytes) -> bytes:
    length, size = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        size += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([head]) + size + body


class Connection:
    """One client; ``version`` is 4 (MQTT 3.1.1) or 5. Blocking; raises ``OSError`` where the broker is gone."""

    def __init__(self, port: int, name: str, version: int = 4, host: str = "127.0.0.1") -> None:
        """Connect, clean and without keepalive."""
        self._five = version == 5
        self._rest, self._number = b"", 0
        self._sock = socket.create_connection((host, port), 10)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        properties = b"\0" if self._five else b""
        self._sock.sendall(_packet(CONNECT << 4, _text("MQTT") + bytes([version, 2, 0, 0]) + properties + _text(name)))
        while not any(head >> 4 == CONNACK for head, _ in self._packets(self._read())):
            pass

    def subscribe(self, topic: str) -> None:
        """Subscribe at QoS 0."""
        self._number += 1
        properties = b"\0" if self._five else b""
        body = self._number.to_bytes(2, "big") + properties + _text(topic) + b"\0"
        self._sock.sendall(_packet(SUBSCRIBE << 4 | 2, body))

    def message(self, topic: str, payload: object, qos: int = 0, expiry_s: int = 0) -> bytes:
        """Make a message; objects as JSON; with ``expiry_s`` (MQTT 5 only) the broker counts its life."""
        data = payload if isinstance(payload, str) else json.dumps(payload)
        body = _text(topic)
        if qos:
            self._number = self._number % 65_000 + 1
            body += self._number.to_bytes(2, "big")
        if self._five:
            body += bytes([5, _EXPIRY]) + expiry_s.to_bytes(4, "big") if expiry_s else b"\0"
        return _packet(PUBLISH << 4 | qos << 1, body + data.encode())

    def send(self, *messages: bytes) -> None:
        """Write messages in one go."""
        self._sock.sendall(b"".join(messages))

    def publish(self, topic: str, payload: object) -> None:
        """Publish at QoS 0."""
        self.send(self.message(topic, payload))

    def heard(self, until_s: float) -> Iterator[tuple[str, bytes]]:
        """Give the messages (QoS 0) that come until a time (s, ``time.monotonic``)."""
        while (left_s := until_s - time.monotonic()) > 0:
            if not select.select([self._sock], [], [], left_s)[0]:
                return
            for head, body in self._packets(self._read()):
                if head >> 4 == PUBLISH:
                    at = 2 + int.from_bytes(body[:2], "big")
                    yield body[2:at].decode(), body[at + (1 + body[at] if self._five else 0) :]

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _read(self) -> bytes:
        data = self._sock.recv(65536)
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    def _packets(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        self._rest += data
        while len(self._rest) > 1:
            length = at = 0
            for at in range(1, min(5, len(self._rest))):
                length |= (self._rest[at] & 0x7F) << 7 * (at - 1)
                if not self._rest[at] & 0x80:
                    break
            if self._rest[at] & 0x80 or len(self._rest) < at + 1 + length:
                return
            head, body = self._rest[0], self._rest[at + 1 : at + 1 + length]
            self._rest = self._rest[at + 1 + length :]
            yield head, body


def fields(payload: bytes) -> dict[str, Any]:
    """Read a JSON object."""
    content: dict[str, Any] = json.loads(payload)
    return content
