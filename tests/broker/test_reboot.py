"""The board is booted again: what lies in memory is gone, what lies on disk is known."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.broker.steps import PUMP, cleared, eventually, kill_all, online, retain, switch, text, told
from tests.rig import Mosquitto, Node, Observer

pytestmark = pytest.mark.broker

LAST, PLAIN, HORN = switch("initial: last"), switch("safe: off", "plain", 22), switch("safe: off", "horn", 4)
STOP = "pimqtt/car1/pump/stop"


def reboot(running: Node) -> None:
    """Cut the power and start again: the runtime folder is memory, the state folder is not."""
    kill_all(running)
    shutil.rmtree(running.folder / "run")
    running.start()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_reboot_keeps_last_values_latches_registry_and_digests_and_nothing_else(
    broker: Mosquitto, watch: Observer, tmp_path: Path, protocol: str
) -> None:
    configuration = text(broker.port, LAST, PLAIN, HORN, PUMP, mqtt=f'protocol: "{protocol}"')
    with Node(tmp_path / "node", configuration) as running:
        await online(watch)
        await told(watch, "lamp", {"value": "ON"})
        await told(watch, "plain", {"value": "ON"})
        await told(watch, "pump", {"value": "ON", "ttl": 50, "owner": "me"})
        await watch.send(f"{STOP}/set", "ON")
        await watch.wait(f"{STOP}/state", lambda s: s.text == "ON")
        await watch.send("pimqtt/car1/horn/set", "ON", retain=True, qos=1)  # with 3.1.1 it stays at the broker
        await watch.wait("pimqtt/car1/horn/state", lambda s: s.text == "ON")
        await told(watch, "horn", {"value": "OFF"})
        state = running.folder / "state/pimqtt/car1/state.json"
        await eventually(lambda: state.exists() and '"lamp":true' in state.read_text(), what="the value on disk")
        digests = state.with_name("digests.json")
        await eventually(lambda: protocol == "5" or (digests.exists() and "horn" in digests.read_text()))
        running.trace.unlink()
        since = len(watch.seen)
        running.config.write_text(configuration.replace(f"  - {PLAIN}\n", ""))
        await asyncio.to_thread(reboot, running)
        await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10, since)
        await watch.wait("pimqtt/car1/plain/state", lambda s: not s.payload, 10, since)  # the registry knew it
        await watch.wait("homeassistant/device/car1/plain/config", lambda s: not s.payload, 10, since)
        await cleared(broker.port, "pimqtt/car1/horn/set")
        assert (await told(watch, "pump", {"value": "ON", "ttl": 1}))["code"] == "latched"
        assert running.levels(27) == [1]
        assert (running.levels(4), running.levels(17), running.levels(22)) == ([0], [0], [])
        lease = watch.last("pimqtt/car1/pump/lease")
        assert lease
        assert lease.payload == b"{}"  # over with the power
        assert "Traceback" not in running.log.read_text()


async def test_what_was_retained_while_the_board_was_off_is_judged_when_it_is_back(
    broker: Mosquitto, watch: Observer, tmp_path: Path
) -> None:
    with Node(tmp_path / "node", text(broker.port, LAST, PUMP)) as running:
        await online(watch)
        await asyncio.to_thread(kill_all, running)
        await retain(broker.port, "pimqtt/car1/lamp/set", "ON")
        await retain(broker.port, "pimqtt/car1/pump/set", {"value": "ON", "ttl": 30, "id": "late"})
        shutil.rmtree(running.folder / "run")
        running.trace.unlink()
        await asyncio.to_thread(running.start)
        assert (await watch.result("pump", "late", 10))["code"] == "stale"  # nothing proves its age
        await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "ON")
        assert (running.levels(27), running.levels(17)) == ([0, 1], [0])
