"""What changes under a running node: another version, another configuration. Pins hold still."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rig import ROOT, Mosquitto, Node, Observer, config, observer, wait_for

pytestmark = pytest.mark.broker

LAMP = "{id: lamp, kind: switch, pin: 27}"
PUMP = "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}"


async def test_an_agent_of_another_version_takes_over_the_living_keeper(
    broker: Mosquitto, watch: Observer, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "pimqtt_agent", tmp_path / "site/pimqtt_agent")
    running = Node(tmp_path / "node", config(broker.port, PUMP), {"PYTHONPATH": str(tmp_path / "site")})
    with running:
        await watch.wait("pimqtt/car1/pump/state", timeout_s=10)
        await watch.send("pimqtt/car1/pump/set", {"value": "ON", "ttl": 4, "id": "a", "owner": "me"})
        await watch.result("pump", "a", outcome="accepted")
        keeper = running.pid("keeper pins")
        package = tmp_path / "site/pimqtt_agent/__init__.py"
        package.write_text(package.read_text().replace('__version__ = "', '__version__ = "9'))
        count = len(watch.seen)
        running.signal("agent", signal.SIGKILL)
        info = await watch.wait("pimqtt/car1/info", lambda s: s.json()["version"].startswith("9"), 10, count)
        assert info.retain
        lease = await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}", since=count)
        assert lease.json()["owner"] == "me"
        assert running.pid("keeper pins") == keeper
        assert running.pid("agent")
        await watch.result("pump", outcome="reverted", cause="expired", timeout_s=6)
        assert running.levels(17) == [0, 1, 0]


async def test_a_reload_reopens_only_what_changed(node: Callable[..., Node], watch: Observer) -> None:
    running = node(LAMP, PUMP)
    await watch.wait("homeassistant/device/car1/pump/config", timeout_s=10)
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    await watch.result("lamp", "a")
    keeper = running.pid("keeper pins")
    changed = PUMP.replace("default: 5", "default: 7")
    more = changed + "\n  - {id: horn, kind: switch, pin: 4}"
    running.config.write_text(running.config.read_text().replace(PUMP, more))
    count = len(watch.seen)
    assert running.process
    os.kill(running.process.pid, signal.SIGHUP)
    await watch.wait("pimqtt/car1/horn/state", timeout_s=10, since=count)
    assert running.pid("keeper pins") == keeper
    assert running.levels(27) == [0, 1]
    assert running.levels(17) == [0, 0]
    assert running.levels(4) == [0]


async def test_a_reload_with_mistakes_changes_nothing(node: Callable[..., Node], watch: Observer) -> None:
    running = node(LAMP)
    await watch.wait("homeassistant/device/car1/lamp/config", timeout_s=10)
    agent = running.pid("agent")
    running.config.write_text(running.config.read_text().replace("pin: 27", "pin: many"))
    assert running.process
    os.kill(running.process.pid, signal.SIGHUP)
    wait_for(lambda: "going on with the old one" in running.log.read_text(), what="the message")
    assert "'many'" in running.log.read_text()
    assert running.pid("agent") == agent


async def test_a_device_that_leaves_leaves_nothing_retained(node: Callable[..., Node], broker: Mosquitto) -> None:
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
