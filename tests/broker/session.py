"""What the tests of a session with the broker share: its topics, what was said on one, other ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.broker.steps import text
from tests.rig import Node, Observer

AVAILABILITY, INFO, MARKER = "pimqtt/car1/availability", "pimqtt/car1/info", "pimqtt/car1/marker"


def words(watch: Observer, topic: str, since: int = 0) -> list[str]:
    """List what was said on a topic."""
    return [seen.text for seen in watch.seen[since:] if seen.topic == topic]


@contextmanager
def running_at(folder: Path, port: int, mqtt: str, *devices: str) -> Iterator[Node]:
    """Run a node with more about its broker."""
    with Node(folder / "node", text(port, *devices, mqtt=mqtt)) as running:
        yield running
