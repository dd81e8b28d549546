"""Runs what the unit file says is run after the service has ended, however it ended."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.errors import BenchmarkError
from tests.rig import Node
from tests.systemd.unit import UNIT, directives

PROGRAM, CONFIG = "/opt/pimqtt/bin/pimqtt", "/etc/pimqtt/config.yaml"
#: What systemd tells a command of a service whose processes were killed.
TOLD = {"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}


def command_lines() -> list[list[str]]:
    """Return the words of each ``ExecStopPost=``, in order."""
    lines = [line.split() for line in directives(UNIT)["Service"]["ExecStopPost"]]
    if not all(words[0] == PROGRAM for words in lines):
        raise BenchmarkError(f"{UNIT}: ExecStopPost runs something else than {PROGRAM}: this benchmark can't try that")
    return lines


def exec_stop_post(node: Node) -> None:
    """Run them in their order, with the program and the configuration of this node."""
    for words in command_lines():
        command = [sys.executable, "-m", "pimqtt_agent", *(str(node.config) if w == CONFIG else w for w in words[1:])]
        done = subprocess.run(command, env={**node.env, **TOLD}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError(f"{' '.join(words)}: {done.stderr}")
