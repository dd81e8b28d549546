"""One stage for all tests of this folder; they share an event loop."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from tests.browser.showroom import showroom
from tests.browser.stage import Stage, stage
from tests.rig import ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let pictures of the pages be kept."""
    parser.addoption("--keep-screenshots", default="", help="the folder to keep pictures of the pages in")


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> int:
    """Give how often something is measured: ``pytest tests/browser --full`` 30 times, else 3 times, as CI does."""
    return 30 if pytestconfig.getoption("--full") else 3


def _python_of(*version: str) -> str:
    """Give the Python that has this Home Assistant (else the newest), installing it where that was not yet done."""
    made = subprocess.run([ROOT / "scripts/ha-env", *version], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(made.stderr)
    return made.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def ha_python() -> str:
    """Give the Python that has the newest Home Assistant."""
    return _python_of()


@pytest.fixture(scope="session")
def older_python() -> Callable[[str], str]:
    """Give the Python that has a Home Assistant of another version."""
    return _python_of


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scene(ha_python: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Give the stage."""
    async with stage(ha_python, tmp_path_factory.mktemp("browser")) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(ha_python: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Give a stage with the devices of the demo."""
    async with showroom(ha_python, tmp_path_factory.mktemp("demo")) as built:
        yield built


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test fail where the log of the Home Assistant that it used names pimqtt since the last look at it."""
    yield
    for used in request.node.funcargs.values():
        if isinstance(used, Stage):
            used.hear()


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def afresh(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Close what a test left open, as it does where it fails: its driver would still be at the controls."""
    scene = request.getfixturevalue("scene") if "scene" in request.fixturenames else None
    yield
    if scene is not None and scene.browser.runs:
        await scene.browser.close_pages()
