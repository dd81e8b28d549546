"""What an agent must still know when it comes back: whether Home Assistant was lost, which commands were done."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.steps import CAR, LAMP, PUMP, Start, cleared, online, reached, replaced, retain, seconds, text, told
from tests.rig import Mosquitto, Node, Observer

pytestmark = pytest.mark.broker

AVAILABILITY, STATUS = "pimqtt/car1/availability", "homeassistant/status"
#: An output that goes off when Home Assistant was lost for so long (s).
AFTER_S = 3.0
WATCHED = (
    "{id: lamp, kind: switch, pin: 27, on_disconnect: "
    f"{{after: {AFTER_S:g}, value: off, controller: home_assistant}}}}"
)
SLOW_S = 0.5


async def restarted(running: Node, watch: Observer) -> None:
    """Kill the agent; wait until the next one is online."""
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since, timeout_s=10)


# ---- Home Assistant


@pytest.mark.parametrize("retained", [True, False], ids=["retained", "not retained"])
async def test_a_new_agent_does_not_count_a_lost_home_assistant_as_alive(
    node: Start, watch: Observer, *, retained: bool
) -> None:
    """The status says offline; the agent dies twice, and may or may not read the status again."""
    running = node(WATCHED)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    lost_ns = time.monotonic_ns()
    await watch.send(STATUS, "offline", retain=retained)
    await asyncio.sleep(0.1)
    for _ in range(2):
        await restarted(running, watch)
    off_ns = await reached(running, 27, 0, AFTER_S + 2)
    assert AFTER_S - 0.2 <= seconds(lost_ns, off_ns) <= AFTER_S + SLOW_S
    assert (await watch.result("lamp", outcome="reverted"))["cause"] == "disconnected"
    await watch.send(STATUS, "online", retain=retained)  # back: what is on stays on
    await told(watch, "lamp", {"value": "ON"})
    await asyncio.sleep(AFTER_S + 0.5)
    assert running.levels(27) == [0, 1, 0, 1]


async def test_a_home_assistant_that_lives_is_not_lost_by_a_new_agent(node: Start, watch: Observer) -> None:
    """Its birth is not retained and not said again: nothing but the agent before could tell."""
    running = node(WATCHED)
    await online(watch)
    await watch.send(STATUS, "offline")
    await watch.send(STATUS, "online")
    await told(watch, "lamp", {"value": "ON"})
    await restarted(running, watch)
    await asyncio.sleep(AFTER_S + 1)
    assert running.levels(27) == [0, 1]


async def test_a_node_that_starts_while_home_assistant_is_lost_gives_it_one_delay(
    node: Start, broker: Mosquitto
) -> None:
    await retain(broker.port, STATUS, "offline")
    running = node(WATCHED.replace("pin: 27", "pin: 27, initial: on"))
    on_ns = await reached(running, 27, 1, 10)
    off_ns = await reached(running, 27, 0, AFTER_S + 2)
    assert AFTER_S - 0.2 <= seconds(on_ns, off_ns) <= AFTER_S + SLOW_S


# ---- MQTT 3.1.1: the second in which digests are not yet on disk


@pytest.fixture
def old(broker: Mosquitto, tmp_path: Path) -> Iterator[Node]:
    """Run a node that speaks 3.1.1, where a replay is told from another command by digests."""
    with Node(tmp_path / "node", text(broker.port, LAMP, PUMP, CAR, mqtt='protocol: "3.1.1"')) as running:
        yield running
    assert "Traceback" not in running.log.read_text()


async def test_with_311_what_was_done_live_is_not_done_again_though_the_agent_dies_at_once(
    old: Node, watch: Observer, broker: Mosquitto
) -> None:
    await online(watch)
    lease = {"value": "ON", "ttl": 50, "at": time.time(), "owner": "me"}
    assert (await told(watch, "pump", lease, retain=True))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "ON"}, retain=True))["outcome"] == "accepted"
    moving = {"value": {"x": 0, "y": 1}, "at": time.time(), "owner": "me"}
    assert (await told(watch, "car", moving, retain=True))["outcome"] == "accepted"
    for name, stop in (("pump", "OFF"), ("lamp", "OFF"), ("car", "stop")):
        await told(watch, name, {"value": stop})
    await restarted(old, watch)
    for name in ("pump", "lamp", "car"):
        await cleared(broker.port, f"pimqtt/car1/{name}/set")
    assert (old.levels(17), old.levels(27), old.levels(5)) == ([0, 1, 0], [0, 1, 0], [0, 1, 0])


async def test_with_311_what_was_cleared_is_a_new_command_though_the_agent_dies_at_once(
    old: Node, watch: Observer, broker: Mosquitto
) -> None:
    await online(watch)
    await watch.send("pimqtt/car1/lamp/set", "ON", retain=True)
    await reached(old, 27, 1)
    await told(watch, "lamp", {"value": "OFF"})
    await asyncio.sleep(1.5)  # it is on disk
    await watch.send("pimqtt/car1/lamp/set", "", retain=True)
    await told(watch, "pump", {"value": "OFF"})
    agent = old.signal("agent", signal.SIGSTOP)
    await retain(broker.port, "pimqtt/car1/lamp/set", "ON")
    old.signal("agent", signal.SIGKILL)
    await replaced(old, "agent", agent)
    await reached(old, 27, 1)


async def test_with_311_what_was_done_live_is_known_after_many_writes_too(
    old: Node, watch: Observer, broker: Mosquitto
) -> None:
    await online(watch)
    await told(watch, "lamp", {"value": "ON", "id": "kept"}, retain=True)
    for number in range(14):
        await told(watch, "lamp", {"value": "ON", "id": f"other{number}"})
        await asyncio.sleep(0.25)
    await told(watch, "lamp", {"value": "OFF"})
    await restarted(old, watch)
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    await restarted(old, watch)
    assert old.levels(27) == [0, 1, 0]
