"""The demo's own broker: amqtt on loopback. The only importer of amqtt."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

from amqtt.broker import Broker as Amqtt
from amqtt.session import Session

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.errors import PimqttError


class _Embedded(Amqtt):  # type: ignore[misc]  # it has no types
    """amqtt without its habit of sending to each newcomer what others have subscribed to.

    A client that only publishes, such as `mosquitto_pub`, is gone before it could read that, and its message was lost.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribed = self._subscriptions.get(subscription[0], [])
        if any(subscriber is session for subscriber, _ in subscribed):
            await super()._publish_retained_messages_for_subscription(subscription, session)


@contextlib.asynccontextmanager
async def embedded(port: int | None) -> AsyncIterator[Broker]:
    """Start it on a port: the wanted one, else 1883, else any that is free."""
    for name in ("amqtt", "transitions", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # amqtt refuses MQTT 5; asking for 3.1.1 at once saves the try
    broker = Broker(port=_free(port), protocol="3.1.1")
    server = _Embedded({
        "listeners": {"default": {"type": "tcp", "bind": str(broker)}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await server.start()
    try:
        yield broker
    finally:
        with contextlib.suppress(Exception):  # it is thrown away, and so is what it says at its end
            async with asyncio.timeout(3):
                await server.shutdown()


def _free(wanted: int | None) -> int:
    for port in (wanted,) if wanted else (1883, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise PimqttError(f"port {wanted} is in use; name another one, or none")
