"""What the pin keeper asks of kernel and Python, read from the running process: it must never wait for either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.broker.foreign import install
from tests.broker.steps import LAMP, Start, eventually, online, replaced, text, told
from tests.rig import Mosquitto, Node, Observer
from tests.rights import DENIED, granted

pytestmark = pytest.mark.broker

_COLLECTOR = '''
import gc
from pathlib import Path
from typing import ClassVar

from pimqtt_agent.devices.switch import Switch, SwitchDriver


class Collector(Switch, kind="collector"):
    """A switch that tells of the garbage collector in its keeper."""

    example: ClassVar[str] = "{id: it, kind: collector, pin: 4}"

    def open(self, board, first, report):
        return CollectorDriver(self, board, first[""])


class CollectorDriver(SwitchDriver):
    def drive(self, key, value, now, **shape):
        Path(__file__).with_name("told").write_text(f"{gc.isenabled()} {gc.get_freeze_count() > 1000}")
        super().drive(key, value, now, **shape)
'''


def locked_kib(pid: int) -> int:
    """Read how much memory of a process is locked."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmLck"))


def policy(pid: int) -> int:
    """Read how a process is scheduled."""
    return os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK


async def test_the_pin_keeper_alone_has_real_time_priority_and_locked_memory(node: Start, watch: Observer) -> None:
    running = node(LAMP, "{id: eye, kind: camera, source: synthetic}")
    await online(watch)
    keeper, given = running.pid("keeper pins"), granted()
    assert (policy(keeper) == os.SCHED_FIFO) is given
    assert (locked_kib(keeper) > 1000) is given
    if given:
        assert os.sched_getparam(keeper).sched_priority == 20
    assert ("no real-time priority" in running.log.read_text()) is not given
    camera = await eventually(lambda: running.pid("keeper camera eye"))
    assert running.process
    for other in (running.process.pid, running.pid("agent"), camera):
        assert (policy(other), locked_kib(other)) == (os.SCHED_OTHER, 0)
    successor = await replaced(running, "keeper pins", running.signal("keeper pins", 9))
    await eventually(lambda: (policy(successor) == os.SCHED_FIFO) is given, what="so has the next one")
    await eventually(lambda: (locked_kib(successor) > 1000) is given)


async def test_without_them_it_says_what_to_set_and_goes_on(broker: Mosquitto, tmp_path: Path, watch: Observer) -> None:
    running = Node(tmp_path / "node", text(broker.port, LAMP))
    running.before = DENIED
    with running:
        await online(watch)
        keeper = running.pid("keeper pins")
        assert (policy(keeper), locked_kib(keeper)) == (os.SCHED_OTHER, 0)
        said = running.log.read_text()
        assert "pins: no real-time priority" in said
        assert "set LimitRTPRIO=20 in the unit" in said
        assert "set LimitMEMLOCK=infinity in the unit" in said
        assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"


async def test_its_garbage_collector_is_off_after_the_start(node: Start, watch: Observer, tmp_path: Path) -> None:
    running = node("{id: it, kind: collector, pin: 4}", env=install(tmp_path / "site", "collector", _COLLECTOR))
    await online(watch)
    assert (await told(watch, "it", {"value": "ON"}))["outcome"] == "accepted"
    assert running.levels(4) == [0, 1]
    assert (tmp_path / "site/told").read_text() == "False True"
