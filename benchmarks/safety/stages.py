"""The stages that there are, by what stands around their nodes."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from benchmarks.safety.pins import DEVICES, Rule, config
from benchmarks.safety.stage import Stage, end, first_in_line
from benchmarks.safety.world.clock import Clock
from benchmarks.safety.world.confine import Confined
from benchmarks.safety.world.disk import Disk
from benchmarks.safety.world.load import Load
from benchmarks.safety.world.network import ADDRESS, CARD, Network
from benchmarks.safety.world.relay import Relay
from tests.broker.foreign import install
from tests.rig import Mosquitto, Node

#: Makes a stage with so many nodes under a rule of release.
MakeStage = Callable[[int, Rule], AbstractContextManager[Stage]]
_numbers = itertools.count(1)
#: Of the broker in a network of its own.
PORT = 18_830
#: A switch whose commands are read so slowly that everything else of the agent stands still.
SLEEPER = '''
import time
from typing import ClassVar

from pimqtt_agent import entities
from pimqtt_agent.devices.switch import Switch


class Sleepy(entities.Switch, frozen=True, kw_only=True):
    """Takes its time."""

    def decode(self, raw, last=None):
        time.sleep(10)
        return super().decode(raw, last)


class Sleeper(Switch, kind="sleeper"):
    """Something of somebody else's that blocks."""

    example: ClassVar[str] = "{id: sleeper, kind: sleeper, pin: 4}"

    def entities(self):
        return (Sleepy(rules=self.rules()),)
'''


@contextlib.contextmanager
def plain(count: int, rule: Rule, devices: tuple[str, ...] = DEVICES, code: str = "") -> Iterator[Stage]:
    """Nodes on a broker."""
    with _broker() as (stack, stage):
        env = install(stage.folder / "site", "sleeper", code) if code else None
        for _ in range(count):
            _add(stack, stage, rule, devices=devices, env=env)
        yield stage


def sleepy(count: int, rule: Rule) -> AbstractContextManager[Stage]:
    """Nodes whose agents can be blocked."""
    return plain(count, rule, (*DEVICES, "{id: sleeper, kind: sleeper, pin: 4}"), SLEEPER)


@contextlib.contextmanager
def busy(count: int, rule: Rule) -> Iterator[Stage]:
    """Nodes on a machine whose cores all have other work."""
    with plain(count, rule) as stage, Load() as load:
        stage.world.append(load)
        yield stage


@contextlib.contextmanager
def relayed(count: int, rule: Rule) -> Iterator[Stage]:
    """Nodes that reach their broker through a relay."""
    with _broker() as (stack, stage):
        relay = stack.enter_context(Relay(stage.broker.port, next(_numbers)))
        stage.world.append(relay)
        stage.heard_port = relay.port
        for _ in range(count):
            _add(stack, stage, rule, port=relay.port)
        yield stage


@contextlib.contextmanager
def networked(count: int, rule: Rule) -> Iterator[Stage]:
    """Nodes on a host of their own, a cable away from the broker's."""
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pimqtt-safety-")))
        with network.inside("broker"):
            broker = stack.enter_context(Mosquitto(folder, f"listener {PORT} {ADDRESS['broker']}\n", PORT))
        assert broker.process
        first_in_line(broker.process.pid)
        stage = Stage(
            broker, [], folder, [network], inside=partial(network.inside, "broker"),
            inside_agents=partial(network.inside, "agent"), beside_broker=network.command("broker"), interface=CARD,
        )  # fmt: skip
        stack.callback(stage.hang_up)
        for _ in range(count):
            _add(stack, stage, rule, host=ADDRESS["broker"], before=network.command("agent"))
        yield stage


@contextlib.contextmanager
def clocked(count: int, rule: Rule) -> Iterator[Stage]:
    """Nodes whose wall clock can be stepped."""
    with _broker() as (stack, stage):
        clock = stack.enter_context(Clock())
        stage.world.append(clock)
        for _ in range(count):
            _add(stack, stage, rule, env=clock.env)
        yield stage


@contextlib.contextmanager
def on_small_disks(count: int, rule: Rule) -> Iterator[Stage]:
    """Nodes whose state lies on a disk of its own each."""
    with _broker() as (stack, stage):
        for number in range(count):
            disk = stack.enter_context(Disk(stage.folder / f"disk{number}"))
            stage.world.append(disk)
            _add(stack, stage, rule, env={"XDG_STATE_HOME": str(disk.folder)})
        yield stage


@contextlib.contextmanager
def confined(count: int, rule: Rule) -> Iterator[Stage]:
    """Nodes with a tenth of one core each."""
    with plain(count, rule) as stage, ExitStack() as stack:
        for node in stage.nodes:
            group = stack.enter_context(Confined(0.1))
            stage.world.append(group)
            assert node.process
            group.take([node.process.pid])
        yield stage


@contextlib.contextmanager
def _broker() -> Iterator[tuple[ExitStack, Stage]]:
    """Start a broker; what is entered on the stack ends before it."""
    with tempfile.TemporaryDirectory(prefix="pimqtt-safety-") as name, Mosquitto(Path(name)) as broker:
        assert broker.process
        first_in_line(broker.process.pid)
        stage = Stage(broker, [], Path(name))
        with ExitStack() as stack:
            stack.callback(stage.hang_up)
            yield stack, stage


def _add(
    stack: ExitStack, stage: Stage, rule: Rule, *, host: str = "127.0.0.1", port: int = 0,
    devices: tuple[str, ...] = DEVICES, env: dict[str, str] | None = None, before: tuple[str, ...] = (),
) -> None:  # fmt: skip
    name = f"n{next(_numbers)}"
    text = config(name, host, port or stage.broker.port, rule, devices)
    node = Node(stage.folder / name, text, env, name)
    node.before = before
    stack.callback(end, node)
    node.start(wait=False)
    stage.nodes.append(node)
