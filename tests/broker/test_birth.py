"""The birth and the will of a node: the marker, then online, then every state; what Home Assistant's birth brings."""

from __future__ import annotations

import asyncio
import getpass
import signal
import time
from pathlib import Path

import pytest

from tests.broker.session import AVAILABILITY, INFO, MARKER, running_at, words
from tests.broker.steps import CAR, FAN, LAMP, PUMP, Start, kill_all, online, replaced, retain, stored
from tests.rig import Mosquitto, Observer, observer

pytestmark = pytest.mark.broker


def index(watch: Observer, topic: str, payload: bytes | None = None, since: int = 0) -> int:
    """Tell when something was said."""
    return next(i for i, s in enumerate(watch.seen) if i >= since and s.topic == topic and payload in (None, s.payload))


async def test_the_marker_comes_first_then_online_then_every_state(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    node(LAMP, CAR)
    await online(watch)
    await watch.wait("pimqtt/car1/car/state")
    await watch.wait("pimqtt/car1/stop/state")
    born = index(watch, AVAILABILITY, b"online")
    assert index(watch, MARKER) < born
    for topic in ("lamp/state", "car/state", "car/limit/state", "stop/state", "lamp/availability", "lamp/lease"):
        assert index(watch, f"pimqtt/car1/{topic}") > born
    kept = await stored(broker.port, "pimqtt/#")
    assert MARKER not in kept
    assert kept[AVAILABILITY] == b"online"
    for topic in ("lamp/state", "lamp/lease", "car/stop/state", "info", "lamp/availability", "car/limit/state"):
        assert f"pimqtt/car1/{topic}" in kept
    assert not [topic for topic in kept if topic.endswith(("/result", "/event", "/set", "/call"))]


async def test_the_will_says_offline_when_the_agent_dies_and_the_next_one_says_online(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(LAMP)
    await online(watch)
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since)
    await asyncio.sleep(0.2)
    assert words(watch, AVAILABILITY, since)[0] == "offline"
    assert (await stored(broker.port, AVAILABILITY))[AVAILABILITY] == b"online"
    kill_all(running)
    await watch.wait(AVAILABILITY, lambda s: s.text == "offline", since=len(watch.seen) - 1)
    assert (await stored(broker.port, AVAILABILITY))[AVAILABILITY] == b"offline"


async def test_an_old_offline_that_arrives_late_is_answered_with_online(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    node(LAMP)
    await online(watch)
    since = len(watch.seen)
    await watch.send(AVAILABILITY, "offline", retain=True)
    await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since)
    assert (await stored(broker.port, AVAILABILITY))[AVAILABILITY] == b"online"


async def test_states_come_again_after_the_birth_of_home_assistant(node: Start, watch: Observer) -> None:
    node(LAMP, CAR)
    await online(watch)
    await watch.wait("homeassistant/device/car1/lamp/config")
    await watch.wait("homeassistant/device/car1/car/config")
    since = len(watch.seen)
    await watch.send("homeassistant/status", "online")
    for topic in ("lamp/state", "car/state", "stop/state", "lamp/availability", "availability", "car/lease"):
        await watch.wait(f"pimqtt/car1/{topic}", since=since, timeout_s=3)
    assert not [s for s in watch.seen[since:] if s.topic.startswith("homeassistant/device/")]


async def test_many_births_in_a_row_bring_the_states_once(node: Start, watch: Observer) -> None:
    node(LAMP)
    await online(watch)
    await watch.wait("pimqtt/car1/lamp/state")
    since = len(watch.seen)
    for _ in range(20):
        await watch.send("homeassistant/status", "online")
        await asyncio.sleep(0.02)
    await watch.wait("pimqtt/car1/lamp/state", since=since, timeout_s=3)
    await asyncio.sleep(0.5)
    assert 1 <= len(words(watch, "pimqtt/car1/lamp/state", since)) <= 2


async def test_after_a_birth_of_home_assistant_each_node_waits_a_while_of_its_own(node: Start, watch: Observer) -> None:
    """A whole fleet hears the birth at once and must not answer at once."""
    node(LAMP)
    await online(watch)
    await watch.wait("pimqtt/car1/lamp/state")
    waited_s = []
    for _ in range(4):
        since, sent_s = len(watch.seen), time.monotonic()
        await watch.send("homeassistant/status", "online")
        seen = await watch.wait("pimqtt/car1/lamp/state", since=since, timeout_s=4)
        waited_s.append(seen.at_s - sent_s)
        assert words(watch, "pimqtt/car1/lamp/state", since) == ["OFF"]
    assert all(0.2 <= one <= 2.3 for one in waited_s)
    assert max(waited_s) - min(waited_s) > 0.02


async def test_without_the_right_to_its_marker_the_node_comes_up_after_5_s_and_says_why(tmp_path: Path) -> None:
    """Who may not read the marker gets what was replayed all the same, only later."""
    may = ("pimqtt/car1/+/+", "pimqtt/car1/+/+/+", AVAILABILITY, INFO, "homeassistant/#")
    acl = ["topic readwrite #", "user car1", f"topic write {MARKER}", *(f"topic readwrite {topic}" for topic in may)]
    (tmp_path / "acl").write_text("\n".join([*acl, ""]))
    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl\nuser {getpass.getuser()}\n") as broker:
        await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
        made = {"value": "ON", "ttl": 30, "at": time.time(), "id": "b"}
        await retain(broker.port, "pimqtt/car1/pump/set", made)
        async with observer(broker.port) as watch:
            with running_at(tmp_path, broker.port, "user: car1", LAMP, PUMP) as running:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 12)
                assert (await watch.result("lamp", "a"))["outcome"] == "accepted"
                assert 15 < (await watch.result("pump", "b"))["ttl"] < 26
                assert "our marker did not come back" in running.log.read_text()
                assert running.levels(27) == [0, 1]


async def test_info_says_what_the_node_is(node: Start, watch: Observer) -> None:
    node(LAMP, CAR, FAN)
    await online(watch)
    seen = await watch.wait(INFO)
    info = seen.json()
    assert seen.retain
    assert info["mqtt"] == "5"
    assert info["node"] == info["hardware_id"] == "car1"
    assert isinstance(info["protocol"], int | str)
    assert info["version"]
    assert info["model"]
    assert isinstance(info["addresses"], list)
    assert isinstance(info["capabilities"], list)
    assert {device["id"]: device["kind"] for device in info["devices"]} == {
        "lamp": "switch", "car": "drive", "fan": "motor", "system": "system",
    }  # fmt: skip
