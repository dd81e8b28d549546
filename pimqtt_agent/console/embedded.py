"""The demo's own broker: amqtt on loopback. The only importer of amqtt."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from amqtt.broker import Broker as Amqtt
from amqtt.errors import AMQTTError, MQTTError
from amqtt.errors import BrokerError as AmqttError
from amqtt.session import Session

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.console import output
from pimqtt_agent.console.demo_process import free_port

#: How long its end may take (s).
END_S = 1.0


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
    broker = Broker(port=free_port(port, 1883), protocol="3.1.1")
    server = _Embedded({
        "listeners": {"default": {"type": "tcp", "bind": str(broker)}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await server.start()
    try:
        yield broker
    finally:
        await _end(server)


async def _end(server: Amqtt) -> None:
    """End it. It waits for clients that stay connected, a `mosquitto_sub` say: they are cut off."""
    try:
        async with asyncio.timeout(END_S):
            await server.shutdown()
    except TimeoutError:
        pass
    except (AMQTTError, MQTTError, AmqttError, OSError) as error:
        output.complain(f"the embedded broker did not end in order: {error!r}")
