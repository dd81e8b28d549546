"""Fixtures for every test that wants real parts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests import gpiochip
from tests.rig import Mosquitto, Node, Observer, config, observer

#: What takes longest comes first, so that none of several workers is left with it at the end.
LONGEST = (
    "tests/soak/", "tests/broker/test_endurance.py", "tests/broker/test_secrets.py", "tests/console/test_docs.py",
    "tests/ha/test_restart_matrix.py",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long forms run."""
    parser.addoption(
        "--full", action="store_true",
        help="tests/browser: measure each way of driving and stopping 30 times, not 3; tests/ha: every restart",
    )  # fmt: skip
    parser.addoption("--vm", metavar="FOLDER", help="boot this image of a machine with simulated lines (CI does)")
    gpiochip.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks of the options here."""
    config.addinivalue_line("markers", "gpiochip(what): needs a chip of the kernel (--gpiochip)")
    config.addinivalue_line("markers", "vm: boots a virtual machine (--vm)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``full`` or ``vm``, unless it is asked for, and what needs a chip that is not there."""
    gpiochip.take_out(config, items)
    unasked = {name for name in ("full", "vm") if not config.getoption(f"--{name}")}
    left_out = [item for item in items if any(mark.name in unasked for mark in item.iter_markers())]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out for want of a chip, and why a test was tried again."""
    gpiochip.say(terminalreporter, config)
    for report in terminalreporter.stats.get("rerun", []):
        why = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
        terminalreporter.write_line(f"tried again: {report.nodeid}: {' '.join(why)[:1000]}")


@pytest.fixture(scope="session")
def rigs() -> Path:
    """Return where CI has its virtual machines."""
    folder = os.environ.get("PIMQTT_RIGS")
    assert folder, "set PIMQTT_RIGS to the folder that has gpio-vm/run.sh below rigs/"
    return Path(folder) / "rigs"


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
