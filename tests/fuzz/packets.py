"""The broker's bytes, as they come from the socket: what is frequent we take ourselves, the rest is the MQTT client's.

The first byte of an input is the protocol: even 5, odd 3.1.1; the second how the bytes are cut into reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any, cast

from paho.mqtt.client import _ConnectionState  # type: ignore[attr-defined]

from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import Incoming
from pimqtt_agent.lifetime import Lifetime
from pimqtt_agent.settings import MqttOptions
from tests.fuzz.clockwork import Loop
from tests.fuzz.target import Finding, Target

CONNACK = {"5": b"\x20\x03\x00\x00\x00", "3.1.1": b"\x20\x02\x00\x00"}


class Packets(Target):
    """A connection whose broker says anything."""

    name = "packets"
    modules = (
        "buffered:_packet_read,_take_plain,_sock_recv",
        "broker:from_client",
        "bridge:_plain,_message,_connack,_lost,_answered,_refusal",
    )
    share = 10
    takes_ms = 15

    @classmethod
    def seeds(cls) -> list[bytes]:
        name, ping = b"\x00\x05a/set", b"\xd0\x00"
        five = [
            b"\x30\x0a" + name + b"\0ON",
            b"\x32\x0c" + name + b"\0\7\0ON",
            b"\x31\x0a" + name + b"\0ON",
            b"\x34\x0c" + name + b"\0\7\0ON",
            b"\x30\x0f" + name + b"\5\2\0\0\0\3ON",
            b"\x30\x80\x02" + name + b"\0" + b"x" * 248,
            b"\x30\x80\x80\x01" + name + b"\0" + b"x" * (16384 - 8),
            b"\x90\x04\0\1\0\1",
            b"\x40\x02\0\1",
            b"\x40\x04\0\1\x87\0",
            b"\xe0\x02\x8e\0",
            b"\xe0\0",
            b"\xe0\x02\x87\0",
            b"\x20\x03\0\x84\0",
            b"\x20\x09\0\0\6\x27\0\0\1\0\x21",
            b"\xb0\x04\0\1\0\0",
            b"\xf0\2\0\0",
            b"\x30\x09\0\2\xff\xfe\0ON??",
            b"\x30\x16" + name + b"\x0c\x08\0\3a/b\x09\0\2xyON??",
            b"\x30\x02\0\0",
            b"\x00\x00",
            b"\x62\x02\0\7",
            b"\x50\x02\0\7",
            b"\x70\x02\0\7",
            b"\x30\xff\xff\xff\xff\x7f",
            b"\x10\x02\0\0",
        ]
        three = [
            b"\x30\x09" + name + b"ON",
            b"\x32\x0b" + name + b"\0\7ON",
            b"\x90\x03\0\1\x80",
            b"\x20\x02\0\1",
            b"\xe0\0",
        ]
        found = [b"\0\0" + packet + ping for packet in five] + [b"\0\3" + packet + five[0] for packet in five]
        twice, released = b"\x34\x0b" + name + b"\0\7ON", b"\x62\x02\0\7"
        found += [b"\1\0" + twice + released, b"\0\0" + b"\x34\x0c" + name + b"\0\7\0ON" + released]
        found.append(b"\1\0" + b"\x30\x87\x80\x01" + name + b"x" * 16384)
        found += [b"\1\0" + packet + ping for packet in three] + [
            b"\0\0" + b"".join(five[:9]),
            b"",
            b"\0",
            b"\0\1" + five[0] * 300,
        ]
        return [*found, b"\0\x80" + five[0], b"\0\x80" + five[8], b"\0\x81" + b"".join(five[:5])]

    def open(self) -> None:
        self.loop = Loop(self.clock)

    def close(self) -> None:
        self.loop.close()

    def run(self, data: bytes) -> None:
        self.loop.run_until_complete(self._session(data[:1], data[1:2], data[2:]))

    async def _session(self, version: bytes, cut: bytes, data: bytes) -> None:
        came: list[Incoming] = []
        protocol: Any = "3.1.1" if version and version[0] & 1 else "5"
        bridge = Bridge(
            MqttOptions(protocol=protocol),
            "x",
            on_session=cast("Any", None),
            on_batch=lambda batch, _drained: came.extend(batch),
        )
        ours, theirs = socket.socketpair()
        client = bridge._client = bridge._make()
        lifetime = bridge._lifetime = Lifetime()
        client.on_connect = lambda _c, _u, _f, code, properties: bridge._connack(lifetime, code, properties)
        client.on_disconnect = lambda _c, _u, _f, code, _p: bridge._lost(code)
        client.on_message = bridge._message
        client.on_subscribe = lambda _c, _u, number, codes, _p: bridge.rights.granted(
            number, [str(code) for code in codes]
        )
        client.on_publish = lambda _c, _u, number, code, _p: bridge._answered(number, code)
        client.take, client.five, client.bare = bridge._plain, protocol == "5", True
        client._sock, client._state = cast("Any", ours), _ConnectionState.MQTT_CS_CONNECTED
        ours.setblocking(False)
        theirs.setblocking(False)
        if not (cut and cut[0] & 0x80):
            data = CONNACK[protocol] + data
        step = (cut[0] & 0x7F) * 7 if cut else 0
        client.publish("pimqtt/car1/x", b"y", 1)  # number 1: something waits for an answer
        try:
            await self._feed(bridge, theirs, data, step)
        finally:
            client.on_disconnect = None
            ours.close()
            theirs.close()
            for future in (lifetime._accepted, lifetime._ended):
                future.cancelled() or (future.done() and future.exception())
        self.loop.raise_trouble()
        for message in came:
            if (
                not isinstance(message.topic, str)
                or not isinstance(message.payload, bytes)
                or message.qos not in (0, 1, 2)
            ):
                raise Finding(f"no message: {message}")

    async def _feed(self, bridge: Bridge, theirs: socket.socket, data: bytes, step: int) -> None:
        client = bridge._client
        for at in range(0, len(data), step or max(len(data), 1)):
            if client is None or client.socket() is None:
                return
            theirs.send(data[at : at + step] if step else data)
            for _ in range(3):
                bridge._readable(client)
                await asyncio.sleep(0)
            if bridge._batch:
                raise Finding("messages were forgotten")
            theirs.setblocking(False)
            with contextlib.suppress(OSError):
                theirs.recv(1 << 16)
