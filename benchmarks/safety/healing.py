"""How what was done is undone, so that the next trial finds all as it should be."""

from __future__ import annotations

import contextlib
import os
import signal

from benchmarks.safety.stage import Stage, first_in_line
from benchmarks.safety.world.network import Network
from benchmarks.safety.world.relay import Relay


def heal(stage: Stage) -> None:
    """Let nodes, broker and world be whole again; what needs no healing is left alone."""
    _heal_broker(stage)
    for part in stage.world:
        match part:
            case Network():
                part.join()
                part.restore("to_agent")
            case Relay():
                part.release()
    for node in stage.nodes:
        assert node.process
        for pid in (node.process.pid, *node.descendants()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def restore(stage: Stage) -> None:
    """Afterwards: give a node that is gone its processes back."""
    for node in stage.nodes:
        assert node.process
        if node.process.poll() is not None:
            node.start(wait=False)


def empty_disks(stage: Stage) -> None:
    """Make room again."""
    for disk in stage.world[: len(stage.nodes)]:
        disk.empty()


def unlock_disks(stage: Stage) -> None:
    """Let the disks be written again."""
    for disk in stage.world[: len(stage.nodes)]:
        disk.writable()


def _heal_broker(stage: Stage) -> None:
    if stage.broker.process:
        stage.broker.thaw()
        return
    with stage.inside():
        stage.broker.start()
    assert stage.broker.process
    first_in_line(stage.broker.process.pid)
