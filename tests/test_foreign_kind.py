"""A kind of somebody else's package: installed beside ours, it is one of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_KIND = '''
from typing import ClassVar
from pimqtt_agent.devices.switch import Switch

class Siren(Switch, kind="siren"):
    """Something loud."""
    example: ClassVar[str] = "{id: siren, kind: siren, pin: 4}"
'''
_CONFIG = """node: n
mqtt: {host: 127.0.0.1}
hardware: {backend: simulated}
devices:
  - {id: loud, kind: siren, pin: 4}
"""


def _check(tmp_path: Path, config: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])}
    command = [sys.executable, "-m", "pimqtt_agent", "check", "-c", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_installed_kind_is_known_and_an_uninstalled_one_is_not(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(_CONFIG)
    before = _check(tmp_path, config)
    assert before.returncode == 1
    assert "siren" in before.stderr
    (tmp_path / "siren_kind.py").write_text(_KIND)
    installed = tmp_path / "siren_kind-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: siren-kind\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[pimqtt.kinds]\nsiren = siren_kind:Siren\n")
    after = _check(tmp_path, config)
    assert after.returncode == 0, after.stderr
