"""The hardened broker, asked of a real Mosquitto: who comes in, who may do what on it, and its limits."""

from __future__ import annotations

import asyncio
import re
import ssl
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from tests.mosquitto.clients import WITHIN_S, client, context, heard, pair, refused
from tests.mosquitto.hardened import PEOPLE, SHIPPED, Hardened, hardened_broker, run_setup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

#: Everything that someone may or may not do, each with who may write and who may read it. `ha2` watches.
ALL = {"car1", "car2", "ha", "olga", "vera"}
PEOPLE_NAMES = {"ha", "olga", "vera"}
RIGHTS: dict[str, tuple[AbstractSet[str], AbstractSet[str]]] = {
    "pimqtt/car1/availability": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/info": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/marker": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/state": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/lease": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/result": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/eye/image": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/call/result": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/stop/state": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/eye/snapshot/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/car/stop/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/stop/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/call": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/stop/set": ({"car1", "car2", "ha", "olga"}, {"car1", "car2", "ha", "olga"}),
    "pimqtt/reply/olga/1": ({"car1", "car2", "ha", "olga"}, {"ha", "olga"}),
    "homeassistant/status": ({"ha"}, {"car1", "car2", "ha"}),
    "homeassistant/device/car1/pump/config": ({"car1", "ha"}, {"car1", "ha"}),
    "homeassistant/switch/car1/pump/config": ({"ha"}, {"ha"}),
    # A person's name is no node's, whatever the patterns say.
    "pimqtt/olga/info": ({"ha"}, {"ha", "vera"}),
    "pimqtt/olga/pump/set": ({"ha"}, {"ha", "vera"}),
    "homeassistant/device/olga/pump/config": ({"ha"}, {"ha"}),
    "pimqtt/vera/info": ({"ha"}, {"ha", "olga"}),
    "homeassistant/device/vera/pump/config": ({"ha"}, {"ha"}),
    "somewhere/else": (set(), set()),
    "$SYS/broker/version": (set(), set()),
}
#: Something that each of them may read, sent last: what has not come before it will not come.
LAST = {"car1": "pimqtt/car1/last", "car2": "pimqtt/car2/last"} | dict.fromkeys(PEOPLE_NAMES, "pimqtt/last")
#: paho leaves the socket of a failed TLS handshake to the collector.
HALF_OPEN = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module", name="broker")
def broker_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hardened]:
    """One hardened broker for all tests that only talk to it."""
    with hardened_broker(tmp_path_factory.mktemp("b"), ["car1", "car2"], [*PEOPLE, "ha2:homeassistant"]) as running:
        yield running


# ---- who comes in


@pytest.mark.parametrize("protocol", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311])
async def test_a_node_comes_in_with_its_password(broker: Hardened, protocol: aiomqtt.ProtocolVersion) -> None:
    async with client(broker, "car1", protocol=protocol) as node:
        await node.publish("pimqtt/car1/availability", "online", qos=1)


async def test_nobody_comes_in_without_a_name(broker: Hardened) -> None:
    assert "uthori" in await refused(broker, None)


@pytest.mark.parametrize(("user", "password"), [("car1", "wrong"), ("car1", ""), ("car1", None), ("nobody", "x")])
async def test_a_wrong_login_is_refused(broker: Hardened, user: str, password: str | None) -> None:
    assert "uthori" in await refused(broker, user, password=password)


async def test_another_nodes_password_is_refused(broker: Hardened) -> None:
    assert "uthori" in await refused(broker, "car1", password=broker.passwords["car2"])


@HALF_OPEN
async def test_a_broker_of_another_ca_is_refused(broker: Hardened, tmp_path: Path) -> None:
    assert run_setup(tmp_path / "other").returncode == 0
    said = await refused(broker, "car1", tls_context=context(tmp_path / "other" / "ca.crt"))
    assert "CERTIFICATE_VERIFY_FAILED" in said or "certificate verify failed" in said


async def test_there_is_nothing_without_tls(broker: Hardened) -> None:
    await refused(broker, "car1", tls_context=None, timeout=1)


@HALF_OPEN
async def test_an_old_tls_is_refused(broker: Hardened) -> None:
    old = context(broker.ca)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    await refused(broker, "car1", tls_context=old)


# ---- who may do what


@pytest.mark.parametrize("user", sorted(ALL))
async def test_writes_what_the_table_says(broker: Hardened, user: str) -> None:
    payload = f"from {user}".encode()
    async with pair(broker, user, "ha2") as (writer, listener):
        for topic in RIGHTS:
            if not topic.startswith("$"):
                await writer.publish(topic, payload, qos=1)
        await listener.publish("pimqtt/last", payload, qos=1)
        came = await heard(listener, "pimqtt/last", payload)
    assert came == {topic for topic, (writers, _) in RIGHTS.items() if user in writers}


@pytest.mark.parametrize("user", sorted(ALL))
async def test_reads_what_the_table_says(broker: Hardened, user: str) -> None:
    payload = f"to {user}".encode()
    async with pair(broker, "ha2", user) as (writer, listener):
        for topic in RIGHTS:
            if not topic.startswith("$"):
                await writer.publish(topic, payload, qos=1)
        await writer.publish(LAST[user], payload, qos=1)
        came = await heard(listener, LAST[user], payload)
    assert came == {topic for topic, (_, readers) in RIGHTS.items() if user in readers}


@pytest.mark.parametrize("topic", ["pimqtt/stop/set", "pimqtt/car1/pump/set"])
async def test_a_node_clears_a_retained_command(broker: Hardened, topic: str) -> None:
    async with client(broker, "olga") as operator:
        await operator.publish(topic, "ON", qos=1, retain=True)
    async with client(broker, "car1") as node:
        await node.subscribe(topic, qos=1)
        first = await asyncio.wait_for(anext(aiter(node.messages)), WITHIN_S)
        assert (first.payload, first.retain) == (b"ON", True)
        await node.publish(topic, b"", qos=1, retain=True)
    async with client(broker, "ha2") as later:
        await later.subscribe(topic, qos=1)
        await later.publish("pimqtt/last", b"over", qos=1)
        await later.subscribe("pimqtt/last", qos=1)
        await later.publish("pimqtt/last", b"over", qos=1)
        assert await heard(later, "pimqtt/last", b"over") == set()


async def test_a_nodes_last_will_is_told_and_no_others(broker: Hardened) -> None:
    async with client(broker, "ha2") as listener:
        await listener.subscribe("pimqtt/#", qos=1)
        for topic in ("pimqtt/car2/will", "pimqtt/car1/will"):
            with pytest.raises(ZeroDivisionError):
                async with client(broker, "car1", will=aiomqtt.Will(topic, b"gone", qos=1)) as node:
                    await dropped(node)
        assert await heard(listener, "pimqtt/car1/will", b"gone") == set()


async def dropped(node: aiomqtt.Client) -> None:
    """End a connection without a goodbye."""
    sock = node._client.socket()
    assert isinstance(sock, ssl.SSLSocket)
    sock.shutdown(2)
    raise ZeroDivisionError


# ---- limits


async def test_a_mebibyte_passes_and_the_limit_is_told(broker: Hardened) -> None:
    async with pair(broker, "car1", "ha2") as (node, listener):
        await node.publish("pimqtt/car1/eye/image", bytes(1 << 20))
        await node.publish("pimqtt/car1/last", bytes(1 << 20), qos=1)
        assert await heard(listener, "pimqtt/car1/last", bytes(1 << 20)) == {"pimqtt/car1/eye/image"}


async def test_a_packet_above_the_limit_ends_the_connection(broker: Hardened) -> None:
    will = aiomqtt.Will("pimqtt/car1/last", b"cut off", qos=1)
    async with client(broker, "ha2") as listener:
        await listener.subscribe("pimqtt/#", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with client(broker, "car1", protocol=aiomqtt.ProtocolVersion.V311, will=will) as node:
                await node.publish("pimqtt/car1/eye/image", bytes(2_000_001), qos=1, timeout=1)
        assert await heard(listener, "pimqtt/car1/last", b"cut off") == set()


def directives(text: str) -> list[str]:
    """Return the lines of a configuration that say something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_running_configuration_is_the_shipped_one(broker: Hardened) -> None:
    shipped = directives((SHIPPED / "mosquitto.conf").read_text())
    running = directives((broker.folder / "mosquitto.conf").read_text())
    assert [line.split()[0] for line in running] == [line.split()[0] for line in shipped]
    unfilled = [line for line in shipped if "@" not in line]
    assert [line for line in running if line in unfilled] == unfilled
    assert "set_tcp_nodelay true" in unfilled
    assert "allow_anonymous false" in unfilled
    assert not any("@" in line for line in running)


def test_the_broker_complains_of_nothing_but_the_shared_topics(broker: Hardened) -> None:
    lines = [line for line in broker.log().splitlines() if "Warning" in line or "Error:" in line]
    meant = re.compile(r"ACL pattern '(pimqtt/stop/set|homeassistant/status|pimqtt/reply/#)'|should not be run as root")
    assert [line for line in lines if not meant.search(line)] == []
