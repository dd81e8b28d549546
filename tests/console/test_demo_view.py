"""`demo` on a terminal: the live view."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.console.terminal import Terminal
from tests.rig import free_port

pytestmark = pytest.mark.broker  # at least its clients


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (112, 40), (140, 45)])
def test_the_live_view_shows_levels_leases_and_messages(tmp_path: Path, columns: int, rows: int) -> None:
    port = free_port()
    with Terminal(tmp_path, "demo", "--port", str(port), columns=columns, rows=rows) as terminal:
        terminal.wait("Ctrl-C ends", 20)
        terminal.wait(r"pump +OFF +17·")
        terminal.wait(r"arm +unknown +12·")
        terminal.wait(r"door +ON +22█")
        terminal.wait(r"bell +- +25█")
        message = '{"value": "ON", "ttl": 4, "owner": "anna"}'
        subprocess.run(["mosquitto_pub", "-p", str(port), "-t", "pimqtt/demo/pump/set", "-m", message], check=True)
        terminal.wait(r"pump +ON +17█ +3\.\d s anna > OFF")
        terminal.wait(r"pump +state +ON")
        terminal.wait(r"pump +OFF +17·")
        terminal.key("\x03")
        assert terminal.status() == 0
        assert "Traceback" not in terminal.text


def test_the_live_view_ends_by_itself_with_0(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo", "--port", str(free_port()), "--seconds", "1") as terminal:
        assert terminal.status(20) == 0
        assert "Traceback" not in terminal.text
