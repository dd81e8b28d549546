"""`pimqtt announce`, a real avahi-daemon and a real Home Assistant: the one's file is found by the other.

All of it in network and mount namespaces of its own, which root may make, and others where the kernel lets them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig import ROOT

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(600)]

APART = [
    "unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "--mount", "--pid", "--fork",
    "--kill-child", "--mount-proc", "--",
]  # fmt: skip
NAME = "The <red> & Gärtner's car 2.0"


@pytest.fixture
def apart() -> list[str]:
    """Give what starts a command in namespaces of its own."""
    tried = subprocess.run([*APART, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.fail(f"a network of its own needs root, or user namespaces: {tried.stderr.strip()}")
    return APART


def test_home_assistant_finds_what_avahi_announces(apart: list[str], ha_python: str, tmp_path: Path) -> None:
    config, services = tmp_path / "car1.yaml", tmp_path / "services"
    about = json.dumps({"id": "car1", "name": NAME})
    config.write_text(f"node: {about}\nmqtt: {{base: garage/pimqtt}}\nhardware: {{backend: simulated}}\n")
    services.mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    announce = [sys.executable, "-m", "pimqtt_agent", "announce", "-c", str(config)]
    with (services / "pimqtt.service").open("wb") as file:
        subprocess.run(announce, env=env, stdout=file, check=True)
    home = [sys.executable, "-m", "tests.ha.lan_home", ha_python, str(tmp_path)]
    done = subprocess.run(
        [*apart, "bash", ROOT / "tests/ha/lan.sh", services, *home],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["flow"]["context"]["source"] == "zeroconf"
    assert found["flow"]["context"]["title_placeholders"] == {"name": NAME}
    assert found["data"] == {"base_topic": "garage/pimqtt"}
    assert found["search"] == [{"node": "car1", "name": NAME, "address": "192.0.2.7", "by": "zeroconf", "new": True}]
