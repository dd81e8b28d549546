"""A topic without rights: named in words and in `info`, and nothing else suffers, however the broker behaves.

Mosquitto drops what its ACL denies: with MQTT 5 it says so at QoS 1 and is silent at QoS 0, with 3.1.1 it is always
silent, and a subscription is granted and stays empty. With a queue without limit 2.0.11 ends the connection instead
(``cuts``), as RabbitMQ does. Its dynamic security plugin refuses subscriptions.
"""

from __future__ import annotations

import asyncio
import base64
import getpass
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.broker.steps import LAMP, PUMP, called, eventually, reached, stored, text, told
from tests.rig import Mosquitto, Node, Observer, observer

pytestmark = pytest.mark.broker

AVAILABILITY, INFO, MARKER = "pimqtt/car1/availability", "pimqtt/car1/info", "pimqtt/car1/marker"
EVERYTHING = ("topic readwrite pimqtt/#", "topic readwrite homeassistant/#")
BROKERS = {"drops": "max_queued_messages 1000\n", "cuts": "max_queued_messages 0\n"}

protocols = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
brokers = pytest.mark.parametrize("how", sorted(BROKERS))


@contextmanager
def limited(folder: Path, how: str, *rights: str) -> Iterator[Mosquitto]:
    """Run a broker on which the login `car1` has these rights and who has no login may do everything."""
    acl = folder / "acl"
    acl.write_text("\n".join(["topic readwrite #", "user car1", *rights, ""]))
    extra = f"acl_file {acl}\nuser {getpass.getuser()}\n{BROKERS[how]}log_type all\n"
    with Mosquitto(folder, extra) as broker:
        yield broker


@contextmanager
def running(folder: Path, port: int, protocol: str, *devices: str, mqtt: str = "user: car1") -> Iterator[Node]:
    """Run a node with a login; it lives to the end and never shows a traceback."""
    with Node(folder / "node", text(port, *devices, mqtt=f'{mqtt}, protocol: "{protocol}"')) as node:
        agent = node.pid("agent")
        yield node
        assert node.pid("agent") == agent
        assert "Traceback" not in node.log.read_text()


def named(node: Node, topic: str) -> list[str]:
    """List the lines of the log that say that a topic is denied."""
    return [line for line in node.log.read_text().splitlines() if f"{topic}: the broker does not let" in line]


def connections(folder: Path) -> int:
    """Tell how often the node was let in."""
    return (folder / "mosquitto.log").read_text().count("u'car1')")


async def said(watch: Observer, topic: str) -> None:
    """Wait until the node says in its `info` that a topic is denied."""
    await watch.wait(INFO, lambda s: topic in s.json()["denied"], 12)


@brokers
@protocols
async def test_a_state_that_may_not_be_written_is_named_and_everything_else_works(
    tmp_path: Path, protocol: str, how: str
) -> None:
    denied = "pimqtt/car1/lamp/state"
    with limited(tmp_path, how, f"topic deny {denied}", *EVERYTHING) as broker:
        async with observer(broker.port) as watch:
            with running(tmp_path, broker.port, protocol, LAMP, PUMP) as node:
                await said(watch, denied)
                assert named(node, denied)
                assert "'car1'" in named(node, denied)[0]
                assert "ACL" in named(node, denied)[0]
                await eventually(lambda: (seen := watch.last(AVAILABILITY)) and seen.text == "online", what="online")
                times, offline = connections(tmp_path), len([s for s in watch.seen if s.payload == b"offline"])
                assert times <= 5
                for number in range(6):  # its command is done and answered, and the connection stays
                    word = "OFF" if number % 2 else "ON"
                    assert (await told(watch, "lamp", {"value": word}, qos=1))["outcome"] == "accepted"
                    await asyncio.sleep(0.3)
                assert (await told(watch, "pump", {"value": "ON", "ttl": 0.3}))["outcome"] == "accepted"
                await watch.result("pump", cause="expired")
                assert (await called(watch, action="get_version"))["outcome"] == "accepted"
                assert node.levels(27) == [0, 1, 0, 1, 0, 1, 0]
                assert connections(tmp_path) == times
                assert len([s for s in watch.seen if s.payload == b"offline"]) == offline
                assert len(named(node, denied)) <= times
                assert not (await stored(broker.port, denied))
                kept = await stored(broker.port, "pimqtt/#")
                assert {"pimqtt/car1/lamp/lease", "pimqtt/car1/pump/state", "pimqtt/car1/lamp/availability"} < set(kept)
            await watch.wait(AVAILABILITY, lambda s: s.text == "offline", since=len(watch.seen) - 1)


@brokers
@protocols
async def test_a_discovery_that_may_not_be_written_is_named_and_the_node_works(
    tmp_path: Path, protocol: str, how: str
) -> None:
    with limited(tmp_path, how, "topic readwrite pimqtt/#", "topic read homeassistant/#") as broker:
        async with observer(broker.port) as watch:
            with running(tmp_path, broker.port, protocol, LAMP) as node:
                for device in ("lamp", "system"):
                    topic = f"homeassistant/device/car1/{device}/config"
                    await said(watch, topic)
                    assert named(node, topic)
                assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
                assert not await stored(broker.port, "homeassistant/#")


@brokers
@protocols
async def test_a_marker_that_may_not_be_written_costs_5_s_and_the_log_says_why(
    tmp_path: Path, protocol: str, how: str
) -> None:
    with limited(tmp_path, how, f"topic deny {MARKER}", *EVERYTHING) as broker:
        async with observer(broker.port) as watch:
            with running(tmp_path, broker.port, protocol, LAMP) as node:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 14)
                line = next(line for line in node.log.read_text().splitlines() if "did not come back" in line)
                assert MARKER in line
                if protocol == "5":
                    assert "the broker's ACL denies the login 'car1' to write it" in line
                    assert len(named(node, MARKER)) == connections(tmp_path) if how == "drops" else 1
                else:
                    assert "write" in line
                assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
                assert node.levels(27) == [0, 1]


@protocols
async def test_commands_that_may_not_be_read_do_nothing_and_the_others_are_done(tmp_path: Path, protocol: str) -> None:
    """Mosquitto grants the subscription; nobody can tell from what does not come (``pimqtt doctor`` tries it)."""
    with limited(tmp_path, "drops", "topic deny pimqtt/car1/lamp/set", *EVERYTHING) as broker:
        async with observer(broker.port) as watch:
            with running(tmp_path, broker.port, protocol, LAMP, PUMP) as node:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 10)
                await watch.send("pimqtt/car1/lamp/set", "ON")
                assert (await told(watch, "pump", {"value": "ON", "ttl": 5}))["outcome"] == "accepted"
                assert (node.levels(27), node.levels(17)) == ([0], [0, 1])


@brokers
async def test_a_login_without_any_right_is_no_reason_to_connect_again_and_again(tmp_path: Path, how: str) -> None:
    with (
        limited(tmp_path, how, "topic readwrite elsewhere/#") as broker,
        running(tmp_path, broker.port, "5", LAMP) as node,
    ):
        await eventually(lambda: named(node, MARKER), 10, "named")
        await asyncio.sleep(8)
        assert connections(tmp_path) <= 8
        assert len(named(node, MARKER)) == 1
        assert node.levels(27) == [0]


@brokers
async def test_a_right_that_was_given_is_used_from_the_next_start_of_the_broker_on(tmp_path: Path, how: str) -> None:
    denied = "pimqtt/car1/lamp/state"
    with (
        limited(tmp_path, how, f"topic deny {denied}", *EVERYTHING) as broker,
        running(tmp_path, broker.port, "5", LAMP) as node,
    ):
        await eventually(lambda: named(node, denied), 10, "named")
        acl = tmp_path / "acl"
        acl.write_text(acl.read_text().replace(f"topic deny {denied}\n", ""))
        await asyncio.sleep(3)
        broker.stop()
        broker.start()
        async with observer(broker.port) as watch:
            assert (await watch.wait(denied, timeout_s=12)).text == "OFF"
            assert (await watch.wait(INFO)).json()["denied"] == []


@brokers
async def test_pictures_that_may_not_be_written_are_named_and_do_not_disturb_the_rest(tmp_path: Path, how: str) -> None:
    denied = "pimqtt/car1/eye/image"
    with limited(tmp_path, how, f"topic deny {denied}", *EVERYTHING) as broker:
        async with observer(broker.port) as watch:
            eye = "{id: eye, kind: camera, source: synthetic}"
            with running(tmp_path, broker.port, "5", LAMP, eye) as node:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 10)
                for _ in range(3):
                    await watch.send("pimqtt/car1/eye/snapshot/set", "PRESS")
                    await asyncio.sleep(0.7)
                await eventually(lambda: named(node, denied), 10, "named")
                assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
                assert not [s for s in watch.seen if s.topic == AVAILABILITY and s.text == "offline"]


# ---- brokers that refuse a subscription


PLUGIN = next(iter(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")), None)


def _client(name: str, role: str) -> dict[str, Any]:
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", b"secret", salt, 101, 64)
    return {
        "username": name, "salt": base64.b64encode(salt).decode(), "password": base64.b64encode(digest).decode(),
        "iterations": 101, "roles": [{"rolename": role}],
    }  # fmt: skip


def _role(name: str, *denied: str) -> dict[str, Any]:
    kinds = ("publishClientSend", "publishClientReceive", "subscribePattern", "unsubscribePattern")
    acls = [{"acltype": kind, "topic": "#", "allow": True, "priority": 0} for kind in kinds]
    acls += [{"acltype": "subscribeLiteral", "topic": topic, "allow": False, "priority": 9} for topic in denied]
    return {"rolename": name, "acls": acls}


@protocols
async def test_a_subscription_that_is_refused_is_named_and_the_others_work(tmp_path: Path, protocol: str) -> None:
    assert PLUGIN, "the plugin comes with Debian's mosquitto"
    denied = "pimqtt/car1/+/+/set"
    content = {
        "clients": [_client("car1", "car"), _client("olga", "all")],
        "roles": [_role("car", denied), _role("all")],
    }
    (tmp_path / "security.json").write_text(json.dumps(content))
    extra = f"user {getpass.getuser()}\nplugin {PLUGIN}\nplugin_opt_config_file {tmp_path}/security.json\n"
    login = "user: car1, password: secret"
    with (
        Mosquitto(tmp_path, extra) as broker,
        running(tmp_path, broker.port, protocol, LAMP, mqtt=login) as node,
    ):
        await eventually(
            lambda: f"{denied}: the broker does not let the login 'car1' read it" in node.log.read_text(), 8
        )
        await eventually(lambda: "connected to" in node.log.read_text(), 8)
        command = ["mosquitto_pub", "-p", str(broker.port), "-u", "olga", "-P", "secret"]
        process = await asyncio.create_subprocess_exec(*command, "-t", "pimqtt/car1/lamp/set", "-m", "ON")
        assert await process.wait() == 0
        await reached(node, 27, 1)
