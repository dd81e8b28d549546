"""What is done to a node, its broker or its network.

A deed looks for its victim beforehand and returns the act, which is then done at the right moment.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from benchmarks.errors import BenchmarkError
from benchmarks.processes import lives
from benchmarks.safety.stage import Stage
from benchmarks.safety.unit import exec_stop_post
from benchmarks.safety.world.clock import Clock
from benchmarks.safety.world.disk import Disk
from benchmarks.safety.world.network import Network
from benchmarks.safety.world.relay import Relay
from tests.rig import Node, kill_together

HOUR_S = 3600.0
#: Mosquitto's `max_inflight_messages`, unless it is set.
UNANSWERED = 20
Act = Callable[[], object]
#: Prepares something against one node of a stage, or against what it shares with the others.
Deed = Callable[[Stage, Node], Act]


def nothing(_stage: Stage, _node: Node) -> Act:
    """Let the sender do it."""
    return lambda: None


def to(role: str, number: int) -> Deed:
    """Send a signal to a child of the node."""

    def deed(_stage: Stage, node: Node) -> Act:
        pid = node.pid(role)
        if not pid:
            raise BenchmarkError(f"{node.name} has no {role}\n{node.log.read_text()[-2000:]}")
        return lambda: os.kill(pid, number)

    return deed


def to_supervisor(number: int) -> Deed:
    """Send a signal to the supervisor."""

    def deed(_stage: Stage, node: Node) -> Act:
        assert node.process
        pid = node.process.pid
        return lambda: os.kill(pid, number)

    return deed


def kill_all(_stage: Stage, node: Node) -> Act:
    """Kill all processes of the node together; then run what its unit says is run after that."""
    assert node.process
    process = node.process
    pids = [process.pid, *node.descendants()]

    def act() -> None:
        kill_together(pids)
        process.wait(5)
        while any(map(_lives, pids)):
            time.sleep(0.001)
        exec_stop_post(node)

    return act


def kill_broker(stage: Stage, _node: Node) -> Act:
    """Kill the broker."""
    return lambda: stage.broker.stop(signal.SIGKILL)


def freeze_broker(stage: Stage, _node: Node) -> Act:
    """Stop it; its connections stay open."""
    return stage.broker.freeze


def cut_cable(stage: Stage, _node: Node) -> Act:
    """Pull the cable between broker and agents."""
    return stage.the(Network).cut


def drop_one_way(stage: Stage, _node: Node) -> Act:
    """Lose whatever the broker sends to the agents, while they are still heard."""
    return lambda: stage.the(Network).drop_one_way("to_agent")


def hold(stage: Stage, _node: Node) -> Act:
    """Keep what the broker sends; it comes later, all at once."""
    return lambda: stage.the(Relay).hold("to_agent")


def hold_in_broker(stage: Stage, _node: Node) -> Act:
    """Keep it, and have what follows wait in the broker, which lets a client have so many messages unanswered."""
    fillers = [(f"pimqtt/{node.name}/spare/set", "OFF") for node in stage.nodes for _ in range(UNANSWERED)]

    def act() -> None:
        stage.the(Relay).hold("to_agent")
        stage.publish(*fillers, qos=1)

    return act


def step_clock(seconds: float) -> Deed:
    """Step the wall clock of the nodes."""

    def deed(stage: Stage, _node: Node) -> Act:
        return lambda: stage.the(Clock).step(seconds)

    return deed


def fill_disk(stage: Stage, node: Node) -> Act:
    """Fill the disk that the state is on, and have something to be written."""
    disk = stage.world[stage.nodes.index(node)]
    assert isinstance(disk, Disk)
    return _then_write(disk.fill, stage, node)


def lock_disk(stage: Stage, node: Node) -> Act:
    """Make it read-only, and have something to be written."""
    disk = stage.world[stage.nodes.index(node)]
    assert isinstance(disk, Disk)
    return _then_write(disk.read_only, stage, node)


def _then_write(act: Act, stage: Stage, node: Node) -> Act:
    def both() -> None:
        act()
        # a latch is written before it is told; a resting value only where it is to be kept
        stage.publish(*[(f"pimqtt/{node.name}/spare/stop/set", value) for value in ("ON", "OFF")])

    return both


def block_agent(stage: Stage, node: Node) -> Act:
    """Send the agent something that it reads for 10 s."""
    return lambda: stage.publish((f"pimqtt/{node.name}/sleeper/set", "ON"))


def stop(stage: Stage, node: Node) -> Act:
    """Stop car and fan, as somebody else than who drives them."""
    messages = [(f"pimqtt/{node.name}/{device}/set", {"value": "stop", "owner": "guard"}) for device in ("car", "fan")]
    return lambda: stage.publish(*messages)


def _lives(pid: int) -> bool:
    """Whether a process still has its lines; one that only waits to be reaped has not."""
    try:
        return lives(pid)
    except FileNotFoundError:
        return False
