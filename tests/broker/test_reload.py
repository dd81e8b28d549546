"""The configuration is read again under a running node: what changed is reopened, the rest holds still."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from tests.broker.steps import LAMP, PUMP, Start, eventually, online, reached, replaced, seconds, told
from tests.rig import Mosquitto, Node, Observer, observer, wait_for

pytestmark = pytest.mark.broker

EYES = [f"{{id: eye{number}, kind: camera, source: synthetic}}" for number in range(3)]


def configure(running: Node, old: str, new: str) -> None:
    """Change the configuration and have it read."""
    text = running.config.read_text()
    assert old in text
    running.config.write_text(text.replace(old, new))
    assert running.process
    os.kill(running.process.pid, signal.SIGHUP)


async def test_a_reload_reopens_only_what_changed(node: Start, watch: Observer) -> None:
    running = node(LAMP, PUMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    keeper, since = running.pid("keeper pins"), len(watch.seen)
    changed = PUMP.replace("default: 5", "default: 7")
    configure(running, PUMP, changed + "\n  - {id: horn, kind: switch, pin: 4}")
    await watch.wait("pimqtt/car1/horn/state", timeout_s=10, since=since)
    assert running.pid("keeper pins") == keeper
    assert [running.levels(pin) for pin in (27, 17, 4)] == [[0, 1], [0, 1, 0, 0], [0]]
    ended = await watch.result("pump", outcome="reverted")
    assert {"owner": "me", "cause": "stopped", "state": "OFF"}.items() <= ended.items()


async def test_a_reload_of_what_is_only_shown_reopens_nothing(node: Start, watch: Observer) -> None:
    running = node(LAMP, PUMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    keeper, agent, since = running.pid("keeper pins"), running.pid("agent"), len(watch.seen)
    shown = "name: Garden pump, area: Garden, icon: mdi:water, device_class: outlet"
    configure(running, PUMP, PUMP.replace("pin: 17", f"pin: 17, {shown}"))
    await replaced(running, "agent", agent)
    topic = "homeassistant/device/car1/pump/config"
    announced = await watch.wait(topic, lambda s: b"Garden pump" in s.payload, 10, since)
    assert announced.json()["device"]["suggested_area"] == "Garden"
    lease = await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}", since=since)
    assert lease.json()["owner"] == "me"
    assert running.pid("keeper pins") == keeper
    assert [running.levels(pin) for pin in (27, 17)] == [[0, 1], [0, 1]]
    assert not [seen for seen in watch.seen[since:] if seen.topic.endswith("/result") and b"reverted" in seen.payload]


async def test_a_reload_with_mistakes_changes_nothing_and_tells_them(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    agent = running.pid("agent")
    configure(running, "pin: 27", "pin: many")
    info = await watch.wait("pimqtt/car1/info", lambda s: s.json()["problem"])
    assert "going on with the old one" in info.json()["problem"]
    assert "'many'" in info.json()["problem"]
    assert "'many'" in running.log.read_text()
    assert running.pid("agent") == agent
    since = len(watch.seen)
    configure(running, "pin: many", "pin: 27")
    await replaced(running, "agent", agent)
    info = await watch.wait("pimqtt/car1/info", lambda s: not s.json()["problem"], 10, since)
    assert running.levels(27) == [0]


async def test_a_device_that_leaves_leaves_nothing_retained(node: Start, broker: Mosquitto) -> None:
    running = node(LAMP, PUMP)
    async with observer(broker.port) as first:
        await first.wait("homeassistant/device/car1/pump/config", timeout_s=10)
        await first.wait("pimqtt/car1/pump/lease")
    running.stop()
    running.config.write_text(running.config.read_text().replace(f"  - {PUMP}\n", ""))
    async with observer(broker.port) as second:
        await asyncio.to_thread(running.start)
        await second.wait("homeassistant/device/car1/pump/config", lambda s: not s.payload, 10)
        await second.wait("pimqtt/car1/pump/lease", lambda s: not s.payload, 10)
        await second.wait("pimqtt/car1/pump/availability", lambda s: not s.payload, 10)
    async with observer(broker.port) as later:
        await later.wait("pimqtt/car1/lamp/state")
        assert [seen.topic for seen in later.seen if "/pump" in seen.topic] == []


async def test_a_reload_with_other_hardware_replaces_the_keeper_once(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    keeper, since = running.pid("keeper pins"), len(watch.seen)
    configure(running, "trace.jsonl", "other.jsonl")
    other = running.folder / "other.jsonl"
    await eventually(lambda: other.exists() and other.read_text(), 10, "the other trace")
    assert running.levels(17) == [0, 1, 0]  # on_stop
    new = await replaced(running, "keeper pins", keeper)
    ended = await watch.result("pump", outcome="reverted")
    assert {"owner": "me", "cause": "stopped"}.items() <= ended.items()
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10, since)
    assert (await told(watch, "pump", {"value": "ON", "ttl": 1}))["outcome"] == "accepted"
    assert running.pid("keeper pins") == new
    assert [row.split('"value": ')[1] for row in other.read_text().splitlines()] == ["0}", "1}"]


async def test_a_reload_under_another_name_is_refused(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    agent = running.pid("agent")
    configure(running, "node: car1", "node: car9")
    wait_for(lambda: "restart pimqtt for this" in running.log.read_text(), what="the refusal")
    assert running.pid("agent") == agent


async def test_pins_are_watched_while_cameras_take_their_time_to_end(node: Start, watch: Observer) -> None:
    running = node(PUMP, *EYES)
    await online(watch)
    for number in range(3):
        await watch.wait(f"pimqtt/car1/eye{number}/image", timeout_s=20)
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    for number in range(3):  # they will not hear that they should end
        running.signal(f"keeper camera eye{number}", signal.SIGSTOP)
    configure(running, "".join(f"  - {eye}\n" for eye in EYES), "")
    await asyncio.sleep(0.05)
    frozen_ns = time.monotonic_ns()
    keeper = running.signal("keeper pins", signal.SIGSTOP)
    assert seconds(frozen_ns, await reached(running, 17, 0)) < 0.9
    assert running.pid("keeper camera eye0"), "the cameras should still be ending"
    await replaced(running, "keeper pins", keeper)
    await eventually(lambda: not any(running.pid(f"keeper camera eye{number}") for number in range(3)), 5)
    await eventually(lambda: (seen := watch.last("pimqtt/car1/pump/state")) and seen.text == "OFF", what="the truth")


async def test_pins_are_watched_while_the_configuration_takes_its_time_to_be_read(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    text = running.config.read_text()
    running.config.unlink()
    os.mkfifo(running.config)  # nothing is there to be read yet
    assert running.process
    for _ in range(2):  # the second is for afterwards
        os.kill(running.process.pid, signal.SIGHUP)
        await asyncio.sleep(0.2)
    frozen_ns = time.monotonic_ns()
    keeper = running.signal("keeper pins", signal.SIGSTOP)
    assert seconds(frozen_ns, await reached(running, 17, 0)) < 0.9
    await replaced(running, "keeper pins", keeper)
    agent = running.pid("agent")
    await asyncio.to_thread(running.config.write_text, text)
    await eventually(lambda: running.pid("agent") == agent)
    await asyncio.to_thread(running.config.write_text, text.replace("node: car1", "node: 7"))
    await watch.wait("pimqtt/car1/info", lambda s: s.json()["problem"])
    assert running.pid("agent") == agent


async def test_a_configuration_that_never_ends_does_not_keep_the_node_from_stopping(
    node: Start, watch: Observer
) -> None:
    running = node(PUMP)
    await online(watch)
    running.config.unlink()
    os.mkfifo(running.config)
    assert running.process
    os.kill(running.process.pid, signal.SIGHUP)
    await asyncio.sleep(0.3)
    began_s = time.monotonic()
    assert await asyncio.to_thread(running.stop) == 0
    assert time.monotonic() - began_s < 2.5
