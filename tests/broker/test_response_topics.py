"""A response topic can't make the agent write where its sender may not: each bad one, on each way to an answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from tests.broker.steps import FAN, LAMP, Start, called, eventually, online, told
from tests.rig import Mosquitto, Observer, observer

pytestmark = pytest.mark.broker

CONTROL = ", control: true"
#: Where an answer may not go. A broker refuses a wildcard by itself; see the last test for that.
ELSEWHERE = (
    "pimqtt/car2/lamp/set", "pimqtt/car2/call", "pimqtt/car2/lamp/state", "pimqtt/car2/availability",
    "pimqtt/stop/set", "pimqtt/car2/stop/set", "homeassistant/status", "homeassistant/device/car2/lamp/config",
    "homeassistant/switch/x/config", "$SYS/broker/clients", "elsewhere", "/", "pimqtt", "pimqtt/", "pimqtt/reply",
    "pimqtt/replying/me", "pimqtt//reply/me", "/pimqtt/reply/me", "PIMQTT/reply/me", " pimqtt/reply/me",
    "pimqtt/car1/pimqtt/reply/me",
)  # fmt: skip
#: The node's own topics: an answer there would be a command, or a lie.
OWN = (
    "pimqtt/car1/lamp/set", "pimqtt/car1/fan/set", "pimqtt/car1/call", "pimqtt/car1/stop/set", "pimqtt/car1/set",
    "pimqtt/car1/fan/stop/set", "pimqtt/car1/system/restart/set", "pimqtt/car1/marker", "pimqtt/car1/availability",
    "pimqtt/car1/info", "pimqtt/car1/lamp/state", "pimqtt/car1/sim/4/set",
    "homeassistant/device/car1/lamp/config",
)  # fmt: skip
#: Every way to an answer: accepted, refused, unknown, too deep, calls of each form, a stop and its reset, a repetition.
ASKED: tuple[tuple[str, Any], ...] = (
    ("pimqtt/car1/lamp/set", "ON"),
    ("pimqtt/car1/fan/set", "101"),
    ("pimqtt/car1/nobody/set", "1"),
    ("pimqtt/car1/a/b/c/d/set", "1"),
    ("pimqtt/car1/call", {"action": "get_version"}),
    ("pimqtt/car1/call", [{"action": "nonsense"}, {"action": "list_pins"}]),
    ("pimqtt/car1/call", "junk"),
    ("pimqtt/car1/fan/stop/set", "ON"),
    ("pimqtt/car1/fan/stop/set", "OFF"),
    ("pimqtt/car1/lamp/set", {"value": "ON", "id": "twice"}),
    ("pimqtt/car1/lamp/set", {"value": "ON", "id": "twice"}),
)


@pytest.mark.parametrize("topics", [ELSEWHERE, OWN], ids=["elsewhere", "its own"])
async def test_no_answer_goes_to_a_topic_that_is_not_below_reply(
    node: Start, broker: Mosquitto, topics: tuple[str, ...]
) -> None:
    async with observer(broker.port, ("#", "$SYS/broker/clients")) as watch:
        node(LAMP, FAN, hardware=CONTROL)
        await _settled(watch)
        since, sent = len(watch.seen), Counter[str]()
        for bad in topics:
            for topic, payload in ASKED:
                await watch.send(topic, payload, qos=1, ResponseTopic=bad, CorrelationData=b"y")
                sent[topic] += 1
        assert (await called(watch, action="get_version"))["outcome"] == "accepted"
        sent["pimqtt/car1/call"] += 1
        # all was answered, the last one after all others: what has not come by now does not come
        await eventually(lambda: len(_on(watch, since, "pimqtt/car1/call/result")) == sent["pimqtt/car1/call"], 20)
        came = Counter(s.topic for s in watch.seen[since:])
        assert {topic: came[topic] for topic in sent} == sent, "nobody but us sent a command"
        told_by_it = {topic for topic in came if topic not in sent and not topic.startswith("$SYS")}
        usual = {f"pimqtt/car1/{name}/result" for name in ("lamp", "fan", "nobody", "a/b/c/d", "call", "fan/stop")}
        devices, states = ("fan/", "lamp/", ""), ("lease", "state", "stop/state", "availability")
        may = {f"pimqtt/car1/{device}{state}" for device in devices for state in states}
        may |= {topic for topic in came if topic.startswith("pimqtt/car1/system/")}
        assert usual - {"pimqtt/car1/fan/stop/result"} <= told_by_it <= usual | may
        assert not [s for s in watch.seen[since:] if s.properties and getattr(s.properties, "CorrelationData", None)
                    and s.topic not in sent], "an answer with a correlation went somewhere"  # fmt: skip


async def _settled(watch: Observer) -> None:
    """Wait until the node has said all that it says at a start."""
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await eventually(lambda: time.monotonic() - watch.seen[-1].at_s > 1, 10)


def _on(watch: Observer, since: int, topic: str) -> list[Any]:
    return [s for s in watch.seen[since:] if s.topic == topic]


@pytest.mark.parametrize("key", ["response_topic", "ResponseTopic", "reply_to", "reply", "topic", "result_topic"])
async def test_no_key_of_a_payload_chooses_where_the_answer_goes(node: Start, broker: Mosquitto, key: str) -> None:
    async with observer(broker.port, ("#",)) as watch:
        node(LAMP)
        await online(watch)
        since = len(watch.seen)
        for bad in ("pimqtt/car2/lamp/set", "homeassistant/status", "pimqtt/car1/call", "pimqtt/reply/me"):
            answer = await told(watch, "lamp", {"value": "ON", key: bad})
            assert (answer["outcome"], answer["code"]) == ("rejected", "invalid")
            assert (await called(watch, action="get_version", **{key: bad}))[key] == bad  # echoed, no more
        topics = {s.topic for s in watch.seen[since:]}
        assert not topics & {"pimqtt/car2/lamp/set", "homeassistant/status", "pimqtt/reply/me"}
        assert len(_on(watch, since, "pimqtt/car1/call")) == 4


async def test_what_is_below_reply_is_one_topic_however_it_looks(node: Start, broker: Mosquitto) -> None:
    """Levels that look like a path climb nowhere; a long topic that leaves no room for a prefix ends nothing."""
    async with observer(broker.port, ("#",)) as watch:
        running = node(LAMP)
        await _settled(watch)
        agent = running.pid("agent")
        for last in ("../car2/lamp/set", "/set", "ü ", "r" * 60_000):
            topic = f"pimqtt/reply/{last}"
            since = len(watch.seen)
            await watch.send("pimqtt/car1/lamp/set", "ON", ResponseTopic=topic, CorrelationData=b"y")
            await watch.wait(topic, since=since)
            usual = {"pimqtt/car1/lamp/set", "pimqtt/car1/lamp/lease", "pimqtt/car1/lamp/state"}
            assert {s.topic for s in watch.seen[since:]} <= {topic, *usual}
        assert running.pid("agent") == agent


@pytest.mark.parametrize("bad", ["pimqtt/reply/#", "pimqtt/reply/+", "#", "$SYS/#"])
async def test_a_wildcard_ends_its_senders_connection_at_the_latest_at_the_agent(
    node: Start, broker: Mosquitto, watch: Observer, bad: str
) -> None:
    """Mosquitto passes some on, and refuses others; the agent answers nowhere but on the usual topic."""
    running = node(LAMP)
    await online(watch)
    agent = running.pid("agent")
    async with observer(broker.port, ()) as sender:
        await sender.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "w"}, ResponseTopic=bad, CorrelationData=b"y")
        await asyncio.sleep(0.3)
    assert (await told(watch, "lamp", {"value": "OFF"}))["outcome"] == "accepted"
    assert not [s for s in watch.seen if s.topic.startswith("pimqtt/reply")]
    assert running.pid("agent") == agent
    assert "Traceback" not in running.log.read_text()
    assert len([s for s in watch.seen if s.topic == "pimqtt/car1/availability"]) == 1, "the agent's connection stays"
