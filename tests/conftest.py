"""Fixtures for every test that wants real parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.rig import Mosquitto, Node, Observer, config, observer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long forms run."""
    parser.addoption(
        "--full", action="store_true",
        help="tests/browser: measure each way of driving and stopping 30 times, not 5; tests/ha: every restart",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``full``, unless it is asked for."""
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for tests that leave it alone."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of the test's own."""
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture
async def watch(broker: Mosquitto) -> AsyncIterator[Observer]:
    """An observer of everything."""
    async with observer(broker.port) as watcher:
        yield watcher


@pytest.fixture
def node(broker: Mosquitto, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Start `pimqtt run` with these devices; it is ended with the test."""
    started: list[Node] = []

    def start(*devices: str, extra: str = "", hardware: str = "", env: dict[str, str] | None = None) -> Node:
        text = config(broker.port, *devices, extra=extra, hardware=hardware)
        running = Node(tmp_path / "node", text, env)
        started.append(running)
        return running.start()

    yield start
    for running in started:
        running.__exit__(None, None, None)
