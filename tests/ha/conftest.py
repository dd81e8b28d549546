"""One Mosquitto and one Home Assistant for all tests of this folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.ha.rig import HomeAssistant, free_port

_SCRIPT = Path(__file__).parents[2] / "scripts/ha-env"


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Give the loopback port of a Mosquitto of our own."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.fail("mosquitto is not installed: apt install mosquitto")
    port = free_port()
    config = tmp_path_factory.mktemp("mosquitto") / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n", encoding="utf-8")
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", program, "-c", config],
                          stderr=subprocess.DEVNULL) as process:
        _wait_open(port)
        yield port
        process.terminate()


def _wait_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="session")
def ha_python() -> str:
    """Give the Python that has Home Assistant, installing it where that was not yet done."""
    made = subprocess.run([_SCRIPT], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(made.stderr)
    return made.stdout.splitlines()[-1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ha(ha_python: str, broker_port: int) -> AsyncIterator[HomeAssistant]:
    """Give a running Home Assistant connected to the broker."""
    async with HomeAssistant(ha_python, broker_port) as home:
        yield home


@pytest.fixture
def no_warnings(ha: HomeAssistant) -> Iterator[None]:
    """Let a test fail where Home Assistant warns during it."""
    before = len(ha.log())
    yield
    assert ha.warnings(before) == []
