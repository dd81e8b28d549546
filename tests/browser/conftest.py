"""One stage for all tests of this folder; they share an event loop."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.browser.stage import Stage, stage
from tests.rig import ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all be measured 30 times: ``pytest tests/browser --full``; else some times, as CI does."""
    parser.addoption("--full", action="store_true", help="measure each way of driving and stopping 30 times, not 5")
    parser.addoption("--keep-screenshots", default="", help="the folder to keep pictures of the pages in")


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> int:
    """Give how often something is measured."""
    return 30 if pytestconfig.getoption("--full") else 5


@pytest.fixture(scope="session")
def ha_python() -> str:
    """Give the Python that has Home Assistant, installing it where that was not yet done."""
    made = subprocess.run([ROOT / "scripts/ha-env"], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(made.stderr)
    return made.stdout.splitlines()[-1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scene(ha_python: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Give the stage."""
    async with stage(ha_python, tmp_path_factory.mktemp("browser")) as built:
        yield built


@pytest.fixture
def quiet(scene: Stage) -> Iterator[None]:
    """Let a test fail where Home Assistant's log names pimqtt during it."""
    before = len(scene.ha.log())
    yield
    assert scene.grumbles(before) == []
