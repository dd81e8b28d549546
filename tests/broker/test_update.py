"""Another version is installed under a running node: its agent takes over, or ours goes on. Pins hold still."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.steps import LAMP, PUMP, online, replaced, told
from tests.rig import ROOT, Mosquitto, Node, Observer, config

pytestmark = pytest.mark.broker

REFUSED = "going on with ours and the last good configuration"


class Installed:
    """A node that runs from an installation of its own, which can be updated."""

    def __init__(self, folder: Path, port: int) -> None:
        self.package = folder / "site/pimqtt_agent"
        shutil.copytree(ROOT / "pimqtt_agent", self.package, ignore=shutil.ignore_patterns("__pycache__"))
        text = config(port, PUMP, LAMP)
        self.node = Node(folder / "node", text, {"PYTHONPATH": str(self.package.parent)})

    def update(self, path: str = "__init__.py", old: str = '__version__ = "', new: str = '__version__ = "9') -> None:
        """Install the next version, in which one text is another."""
        for name, was, becomes in ((path, old, new), ("__init__.py", '__version__ = "', '__version__ = "9')):
            file = self.package / name
            text = file.read_text()
            assert was in text, (name, was)
            file.write_text(text.replace(was, becomes, 1))

    def configure(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = self.node.config.read_text()
        assert old in text
        self.node.config.write_text(text.replace(old, new))

    def reload(self) -> None:
        """Ask for the configuration to be read again."""
        assert self.node.process
        os.kill(self.node.process.pid, signal.SIGHUP)


@pytest.fixture
def installed(broker: Mosquitto, tmp_path: Path) -> Iterator[Installed]:
    made = Installed(tmp_path, broker.port)
    with made.node:
        yield made


async def version(watch: Observer, since: int, *, new: bool = True, timeout_s: float = 10) -> None:
    """Wait until an agent of the new or of our own version has told what it is."""
    await watch.wait("pimqtt/car1/info", lambda s: s.json()["version"].startswith("9") is new, timeout_s, since)


async def driven(watch: Observer, installed: Installed) -> int:
    """Have a lease run and something rest ON; return the keeper that must not notice what follows."""
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me"})
    return installed.node.pid("keeper pins")


async def assert_nothing_moved(watch: Observer, installed: Installed, keeper: int, since: int) -> None:
    lease = await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}", since=since)
    assert lease.json()["owner"] == "me"
    assert installed.node.pid("keeper pins") == keeper
    assert (installed.node.levels(17), installed.node.levels(27)) == ([0, 1], [0, 1]), "a pin moved"


async def test_an_agent_of_another_version_takes_over_the_living_keeper(installed: Installed, watch: Observer) -> None:
    keeper = await driven(watch, installed)
    installed.update()
    since = len(watch.seen)
    installed.node.signal("agent", signal.SIGKILL)
    await version(watch, since)
    await assert_nothing_moved(watch, installed, keeper, since)
    assert installed.node.pid("agent")
    await told(watch, "pump", {"value": "ON", "ttl": 0.5, "owner": "me"})
    await watch.result("pump", outcome="reverted", cause="expired", timeout_s=6)
    assert installed.node.levels(17) == [0, 1, 0]


async def test_a_mistake_that_the_new_agent_finds_is_told_once_and_ours_goes_on_until_it_is_mended(
    installed: Installed, watch: Observer
) -> None:
    keeper = await driven(watch, installed)
    installed.update()
    installed.configure("pin: 27", "pin: many")
    since = len(watch.seen)
    agent = installed.node.signal("agent", signal.SIGKILL)
    await version(watch, since, new=False)
    info = await watch.wait("pimqtt/car1/info", lambda s: s.json()["problem"], since=since)
    assert "'many'" in info.json()["problem"]
    await assert_nothing_moved(watch, installed, keeper, since)
    agent = await replaced(installed.node, "agent", agent)
    installed.node.signal("agent", signal.SIGKILL)  # what was refused is not tried at every start
    agent = await replaced(installed.node, "agent", agent)
    await asyncio.sleep(1)
    assert installed.node.pid("agent") == agent
    log = installed.node.log.read_text()
    assert log.count("'many'") == 1
    assert log.count(REFUSED) == 1
    assert "kill -HUP" in log
    assert "Traceback" not in log
    since = len(watch.seen)
    installed.configure("pin: many", "pin: 27")
    installed.reload()
    await version(watch, since)
    info = await watch.wait("pimqtt/car1/info", since=since)
    assert info.json()["problem"] is None
    await assert_nothing_moved(watch, installed, keeper, since)


async def test_a_configuration_that_the_new_version_no_longer_takes_leaves_ours_at_work(
    installed: Installed, watch: Observer
) -> None:
    keeper = await driven(watch, installed)
    installed.update("devices/switch.py", "    active_low: bool = False\n", "    low: bool = False\n")
    installed.update("devices/switch.py", "device.active_low", "device.low")
    installed.configure("pin: 27", "pin: 27, active_low: false")
    since = len(watch.seen)
    installed.reload()  # good for us, and unknown to the new one
    await version(watch, since, new=False)
    info = await watch.wait("pimqtt/car1/info", lambda s: s.json()["problem"], since=since)
    assert "active_low" in info.json()["problem"]
    assert installed.node.pid("keeper pins") == keeper
    since = len(watch.seen)
    installed.configure("active_low: false", "low: false")
    installed.reload()  # the other way round; this option only the new keeper will know
    await version(watch, since)
    assert installed.node.pid("keeper pins") == keeper
    assert installed.node.levels(17) == [0, 1]
    gone = await watch.wait("pimqtt/car1/lamp/availability", lambda s: s.text == "offline", since=since)
    assert gone.retain
    refused = await told(watch, "lamp", {"value": "ON"})
    assert refused["code"] == "unavailable"
    assert "restart pimqtt" in refused["reason"]
    assert (await told(watch, "pump", {"value": "OFF"}))["outcome"] == "accepted"
    assert "Traceback" not in installed.node.log.read_text()


async def test_an_installation_that_is_broken_leaves_ours_at_work(installed: Installed, watch: Observer) -> None:
    keeper = await driven(watch, installed)
    installed.update("session.py", "from __future__ import annotations", "from __future__ import nothing")
    since = len(watch.seen)
    installed.node.signal("agent", signal.SIGKILL)
    await version(watch, since, new=False)
    await watch.wait("pimqtt/car1/info", lambda s: "exit status 1" in str(s.json()["problem"]), since=since)
    await assert_nothing_moved(watch, installed, keeper, since)


async def test_a_version_with_another_link_waits_for_a_restart(installed: Installed, watch: Observer) -> None:
    keeper = await driven(watch, installed)
    installed.update("keeper/messages.py", "\nVERSION = ", "\nVERSION = 9")
    since = len(watch.seen)
    installed.node.signal("agent", signal.SIGKILL)
    await version(watch, since, new=False)
    info = await watch.wait("pimqtt/car1/info", lambda s: s.json()["problem"], since=since)
    assert "restart pimqtt" in info.json()["problem"]
    await assert_nothing_moved(watch, installed, keeper, since)
