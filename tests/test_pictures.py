"""A picture that does not leave: the log tells why, and advises only what helps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pimqtt_agent.devices import KINDS
from pimqtt_agent.model import Model
from pimqtt_agent.outbox import FULL_BYTES, Outbox
from pimqtt_agent.pictures import Pictures
from pimqtt_agent.settings import MqttOptions
from pimqtt_agent.topics import Topics


class Wire:
    """A client whose broker does not read."""

    def __init__(self, waiting: int) -> None:
        self.out = bytearray(waiting)

    def publish_plain(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Take it."""

    def publish(self, *_message: Any) -> None:
        """Take it."""


def pictures(waiting: int, max_packet: int | None) -> Pictures:
    eye = KINDS["camera"].model_validate({"id": "eye", "kind": "camera", "source": "synthetic"})
    made = Pictures(MqttOptions(host="127.0.0.1"), "eye-media", Model(Topics("pimqtt", "car1"), [eye]))
    bridge = made._bridge
    bridge.connected = True
    bridge.rights.tried.add("pimqtt/car1/eye/image")
    bridge._outbox = Outbox(
        Wire(waiting), bridge.rights, version="5", max_packet=max_packet, correlate=bytes, flush=lambda: None
    )
    return made


@pytest.mark.parametrize(
    ("waiting", "max_packet", "told"),
    [(0, None, ""), (0, 5000, "lower max_bytes"), (FULL_BYTES + 1, None, "does not keep up")],
)
async def test_why_a_picture_was_not_sent(
    caplog: pytest.LogCaptureFixture, waiting: int, max_packet: int | None, told: str
) -> None:
    pictures(waiting, max_packet).take("eye", b"x" * 9000)
    await asyncio.sleep(0)
    assert [told in message for message in caplog.messages] == [True] * bool(told)
