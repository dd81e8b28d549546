"""One Mosquitto and one Home Assistant for all tests of this folder."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.ha.house import DEVICES, EVERYTHING, HIDDEN, NODE
from tests.ha.pi import Pi, Story, settled, story
from tests.ha.rig import HomeAssistant, free_port
from tests.rig import Mosquitto, Observer, observer

_SCRIPT = Path(__file__).parents[2] / "scripts/ha-env"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Give the broker of this folder's tests, at a port that it gets again after a restart."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto"), port=free_port()) as broker:
        yield broker


@pytest.fixture(scope="session")
def broker_port(mosquitto: Mosquitto) -> int:
    """Give its loopback port."""
    return mosquitto.port


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let another version be tested: ``pytest tests/ha --ha-version 2026.2.3``."""
    parser.addoption("--ha-version", default="", help="the version of Home Assistant (the newest that is known)")


@pytest.fixture(scope="session")
def ha_python(pytestconfig: pytest.Config) -> str:
    """Give the Python that has Home Assistant, installing it where that was not yet done."""
    version = pytestconfig.getoption("--ha-version")
    made = subprocess.run([_SCRIPT, *([version] if version else [])], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(made.stderr)
    return made.stdout.splitlines()[-1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ha(ha_python: str, broker_port: int) -> AsyncIterator[HomeAssistant]:
    """Give a running Home Assistant connected to the broker."""
    async with HomeAssistant(ha_python, broker_port) as home:
        yield home


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(ha: HomeAssistant, broker_port: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pi]:
    """Give a node with every kind; every test leaves it at rest."""
    before = len(ha.log())
    with Pi(tmp_path_factory.mktemp("house"), broker_port, "house", DEVICES, title="The house", area="Workshop") as pi:
        count = len(NODE) + len(HIDDEN) + sum(len(entities) for *_, entities in EVERYTHING.values())
        await settled(ha, pi, count)
        yield pi
    await pi.forget(ha)
    assert ha.warnings(before) == []


@pytest.fixture
def no_warnings(ha: HomeAssistant) -> Iterator[None]:
    """Let a test fail where Home Assistant warns during it."""
    before = len(ha.log())
    yield
    assert ha.warnings(before) == []


@pytest.fixture
async def heard(ha: HomeAssistant) -> AsyncIterator[Story]:
    """Give what changes in Home Assistant."""
    async with story(ha) as told:
        yield told


@pytest.fixture
async def watch(broker_port: int) -> AsyncIterator[Observer]:
    """Give a client that sees everything, and has seen what was retained before."""
    async with observer(broker_port, ("pimqtt/#", "homeassistant/#", "rig/#")) as watcher:
        await watcher.send("rig/now", "?")
        await watcher.wait("rig/now", timeout_s=10)
        yield watcher


@pytest.fixture
async def agent(ha: HomeAssistant, broker_port: int, tmp_path: Path) -> AsyncIterator[Callable[..., Pi]]:
    """Start a node of its own name with these devices; it is ended and forgotten with the test."""
    started: list[Pi] = []

    def start(*devices: str, **node: str) -> Pi:
        pi = Pi(tmp_path / "node", broker_port, f"pi{next(_numbers)}", devices, **node)
        started.append(pi)
        pi.start()
        return pi

    yield start
    for pi in started:
        pi.__exit__(None, None, None)
        await pi.forget(ha)
