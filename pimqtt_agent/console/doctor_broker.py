"""What can be wrong with the broker: not there, no login, an old protocol, no rights, no node."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from pimqtt_agent.client import Client
from pimqtt_agent.client_broker import Broker
from pimqtt_agent.client_connection import NOT_ALLOWED, REFUSED, Connection, Incoming
from pimqtt_agent.console.checks import Check, fail, ok, warn
from pimqtt_agent.errors import BrokerError
from pimqtt_agent.topics import Topics

Checks = Coroutine[Any, Any, list[Check]]

REACH_S, ECHO_S = 5.0, 1.5
_ACL = "let this login read and write it in the broker's ACL (mosquitto/acl shows the lines)"


@dataclass(frozen=True)
class Right:
    """A topic that a node needs; ``harm``: what goes wrong without it. An echo proves it where it is readable."""

    topic: str
    harm: str
    echoed: bool = True
    needed: bool = True


async def checks(broker: Broker, node: str | None) -> list[Check]:
    """Check the broker, and the rights of a node where one is known."""
    reached = await _reach(broker)
    if reached.status == "fail":
        return [reached]
    found = [reached]
    try:
        async with Connection(broker) as connection:
            who = f"as {broker.user!r}" if broker.user else "without a login"
            found += [ok("login", f"the broker lets us in {who}"), _protocol(connection)]
            found += await _rights(connection, node) if node else [_no_node()]
    except BrokerError as error:
        mend = _login_mend(broker, str(error)) if found == [reached] else ""
        return [*found, fail("login" if mend else "broker", str(error), mend)]
    if node:
        found.append(await _node(broker, node))
    return found


async def _reach(broker: Broker) -> Check:
    start_s = time.monotonic()
    try:
        async with asyncio.timeout(REACH_S):
            _, writer = await asyncio.open_connection(broker.host, broker.port)
    except TimeoutError:
        return fail("broker", f"{broker} does not answer within {REACH_S:g} s", "check its address and its firewall")
    except OSError as error:
        reason = "nobody listens there" if isinstance(error, ConnectionRefusedError) else error.strerror or error
        mend = "start it (sudo systemctl start mosquitto), or name another one (--broker HOST, or mqtt.host)"
        return fail("broker", f"{broker} can't be reached: {reason}", mend)
    took_ms = (time.monotonic() - start_s) * 1000
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ok("broker", f"{broker} is reachable ({took_ms:.0f} ms)")


def _protocol(connection: Connection) -> Check:
    if connection.version == "5":
        return ok("protocol", "MQTT 5")
    why = "the configuration says so" if connection.broker.protocol == "3.1.1" else "this broker does not take MQTT 5"
    text = f"MQTT 3.1.1: {why}; a replayed command is then told from a live one by what is on disk"
    return warn("protocol", text, "use MQTT 5, with a broker that speaks it, such as Mosquitto 2")


def _login_mend(broker: Broker, reason: str) -> str:
    if "TLS" in reason:
        return "name its authority (mqtt.tls.ca, or --ca), its TLS port (8883), and a host name of its certificate"
    if broker.user:
        return "give the right password (mqtt.password, or PIMQTT_PASSWORD), or make the login (mosquitto_passwd)"
    return "give a login (mqtt.user and mqtt.password, or --user)"


def _no_node() -> Check:
    return warn("acl", "no configuration was read, so no node's rights were checked", "name it: pimqtt doctor -c FILE")


async def _rights(connection: Connection, node: str) -> list[Check]:
    """Try each right with messages that mean nothing to anybody: empty, not retained, or of a made-up device."""
    broker, made_up = connection.broker, f"doctor-{secrets.token_hex(3)}"
    topics = Topics(broker.base, node, broker.discovery_prefix)
    rights = [
        Right(topics.marker, "the agent waits 5 s at each connect, and sees every replay as live"),
        Right(topics.entity(made_up, "", "state"), "states do not reach anybody"),
        Right(topics.entity(made_up, "", "set"), "commands do not reach the node, or are not cleared"),
        Right(topics.discovery(made_up), "Home Assistant does not find the devices"),
        Right(topics.all_stop, "the emergency stop of all nodes does not reach this one", needed=False),
        Right(f"{topics.reply_prefix}{made_up}", "MQTT 5 response topics stay silent", echoed=False, needed=False),
    ]
    tried = await asyncio.gather(*(_try(connection, right) for right in rights))
    status = await connection.subscribe([topics.ha_status])
    if status[0] >= REFUSED:
        tried.append(warn("acl", f"{topics.ha_status} can't be read: Home Assistant's restarts go unseen", _ACL))
    found = [check for check in tried if check is not None]
    return found or [ok("acl", f"node {node} may read and write all that it needs")]


async def _try(connection: Connection, right: Right) -> Check | None:
    wrong = fail if right.needed else warn
    word = secrets.token_hex(4) if right.topic.endswith("/marker") else ""
    heard = asyncio.Event()

    def take(incoming: Incoming) -> None:
        if incoming.topic == right.topic and incoming.payload == word.encode() and not incoming.retain:
            heard.set()

    with connection.listen(take):
        if right.echoed:
            granted = await connection.subscribe([right.topic])
            if granted[0] >= REFUSED:
                return wrong("acl", f"{right.topic} can't be read: {right.harm}", _ACL)
        if await connection.publish(right.topic, word) == NOT_ALLOWED:
            return wrong("acl", f"{right.topic} can't be written: {right.harm}", _ACL)
        if not right.echoed:
            return None
        with contextlib.suppress(TimeoutError):
            await connection.unless_lost(asyncio.wait_for(heard.wait(), ECHO_S))
    if heard.is_set():
        return None
    verb = "can't be read" if connection.version == "5" else "can't be written or read"
    return wrong("acl", f"{right.topic} {verb}: {right.harm}", _ACL)


async def _node(broker: Broker, name: str) -> Check:
    try:
        async with Client(broker) as client:
            node = next((node for node in await client.nodes() if node.id == name), None)
    except BrokerError as error:
        return warn("node", str(error))
    if node is None:
        return warn("node", f"{name} was never online here", "start it: pimqtt run -c FILE")
    if not node.online:
        return warn("node", f"{name} is offline", "start it: pimqtt run -c FILE (or: sudo systemctl start pimqtt)")
    return ok("node", f"{name} is online, pimqtt {node.info.get('version', '?')}")
