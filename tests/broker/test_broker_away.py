"""A broker that is away: it costs nothing, is found again, and hears states, not history."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.broker.steps import LAMP, PUMP, Start, online, reached, results, told
from tests.rig import Mosquitto, Node, Observer, config, free_port, observer

pytestmark = pytest.mark.broker


async def test_a_broker_that_is_away_costs_no_time(node: Start, watch: Observer, broker: Mosquitto) -> None:
    running = node(LAMP)
    await online(watch)
    broker.stop(signal.SIGKILL)
    pid = running.pid("agent")

    def used_s() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before_s = used_s()
    await asyncio.sleep(2)
    assert used_s() - before_s < 0.3
    assert running.pid("agent") == pid


async def test_a_broker_that_was_not_there_is_found_and_found_again(tmp_path: Path) -> None:
    port = free_port()
    with Node(tmp_path / "node", config(port, PUMP)) as running:
        await asyncio.sleep(1)
        for _ in range(2):
            with Mosquitto(tmp_path, port=port) as broker:
                async with observer(port) as watch:
                    await online(watch, timeout_s=15)
                    assert (await told(watch, "pump", {"value": "ON", "ttl": 0.3}))["outcome"] == "accepted"
                broker.stop(signal.SIGKILL)
        await reached(running, 17, 0)
        assert running.levels(17) == [0, 1, 0, 1, 0]
        assert "Traceback" not in running.log.read_text()


async def test_what_happened_while_the_broker_was_away_is_told_as_states_and_not_as_history(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 0.6, "owner": "me"})
    await told(watch, "lamp", {"value": "ON"})
    broker.stop(signal.SIGKILL)
    await reached(running, 17, 0)
    broker.start()
    async with observer(broker.port) as later:
        await online(later)
        assert (await later.wait("pimqtt/car1/pump/state")).text == "OFF"
        assert (await later.wait("pimqtt/car1/pump/lease")).payload == b"{}"
        assert (await later.wait("pimqtt/car1/lamp/state")).text == "ON"
        await told(later, "lamp", {"value": "OFF"})
        assert results(later, "pump") == []
