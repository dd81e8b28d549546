"""The unit's fence, built from the unit file where no systemd runs: it holds, and the agent works inside it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig import Mosquitto, Node, config, wait_for
from tests.systemd import fence, probe
from tests.systemd.unit import commands

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
LAMP = "{id: lamp, kind: switch, pin: 27}"
CAR = "{id: car, kind: motor, forward: 5, backward: 6, deadman: 0.5}"
EYE = "{id: eye, kind: camera, source: synthetic}"
#: What the unit's limits give.
GRANTS = {"get real time up to 49", "lock its memory"}
NO_CAPABILITIES = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}


def test_every_directive_is_built_or_named_as_not(tmp_path: Path) -> None:
    fence.prepare(tmp_path, "")
    assert set(fence.SERVICE) == fence.BUILT | fence.APART
    assert not fence.BUILT & fence.APART


@pytest.fixture(scope="module", autouse=True)
def file_of_another_account() -> Iterator[None]:
    path = Path("/tmp/outside")
    path.write_text("of another account")
    yield
    path.unlink()


@pytest.fixture(scope="module", name="said")
def what_the_probe_said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("fence")
    fence.prepare(folder, "node: car1\n")
    done = fence.run(folder, *fence.python("-m", "tests.systemd.probe"))
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


@pytest.mark.parametrize("what", probe.MAY)
def test_the_service_may(said: dict[str, Any], what: str) -> None:
    refused = what in GRANTS and not fence.real_time()  # by the machine, which then shows that nothing else gives it
    assert (said["may"][what] != "") is refused


@pytest.mark.parametrize("what", probe.MAY_NOT)
def test_the_service_may_not(said: dict[str, Any], what: str) -> None:
    assert said["may not"][what] != ""


def test_it_is_an_account_without_any_capability(said: dict[str, Any]) -> None:
    assert {name: int(said["status"][name], 16) for name in NO_CAPABILITIES} == dict.fromkeys(NO_CAPABILITIES, 0)
    assert (said["status"]["NoNewPrivs"], said["status"]["Seccomp"]) == ("1", "2")
    assert said["status"]["Uid"].split() == [str(fence.ACCOUNT)] * 4
    assert said["umask"] == 0o077


def test_without_the_fence_the_same_probe_may_most_of_it() -> None:
    """Else it would show nothing."""
    if os.geteuid():
        pytest.skip("wants root, to be allowed something")
    code = "from tests.systemd.probe import *; print(json.dumps({n: tried(MAY_NOT[n]) for n in NAMES}))"
    harmless = [
        "see root's home", "see others' /tmp", "have a capability", "use raw packets",
        "write to executable memory", "make a setuid program", "get real time above 49",
    ]  # fmt: skip
    code = f"NAMES = {harmless}\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == dict.fromkeys(harmless, "")


# ---- the agent inside


class Fenced:
    """The unit's ExecStart inside the fence, watched from outside."""

    def __init__(self, folder: Path, port: int) -> None:
        fence.prepare(folder, config(port, LAMP, CAR, EYE).replace("trace.jsonl", "/run/pimqtt/trace.jsonl"))
        self.folder = folder
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder / "run/pimqtt/notify"))
        (folder / "run/pimqtt/notify").chmod(0o777)
        self.node = Node(folder / "node", "")
        self.node.trace = folder / "run/pimqtt/trace.jsonl"

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"], "NOTIFY_SOCKET": "/run/pimqtt/notify", "WATCHDOG_USEC": "2000000",
            "RUNTIME_DIRECTORY": "/run/pimqtt", "STATE_DIRECTORY": "/var/lib/pimqtt",
            "CONFIGURATION_DIRECTORY": "/etc/pimqtt",
        }  # fmt: skip
        words = commands()["ExecStart"]
        with (self.folder / "log").open("ab") as log:
            line = fence.command(self.folder, *words)
            self.node.process = subprocess.Popen(line, env=environment, stdout=log, stderr=log)
        wait_for(lambda: "READY=1" in self.heard(), 20, self.log())

    def heard(self) -> str:
        """Return the next word to systemd."""
        return self._notify.recv(4096).decode() if select.select([self._notify], [], [], 0.1)[0] else ""

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def close(self) -> None:
        self.node.__exit__(None, None, None)
        self._notify.close()


@pytest.fixture
def fenced(broker: Mosquitto, tmp_path: Path) -> Iterator[Fenced]:
    made = Fenced(tmp_path / "root", broker.port)
    try:
        made.start()
        yield made
    finally:
        made.close()


def published(broker: Mosquitto, topic: str, payload: str, answer: str) -> bytes:
    """Send something and return the next message on another topic."""
    listen = ["mosquitto_sub", "-p", str(broker.port), "-t", answer, "-C", "1", "-W", "10", "-R"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE) as listener:
        time.sleep(0.5)
        send = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", topic, "-m", payload]
        subprocess.run(send, check=True, timeout=5)
        return listener.communicate(timeout=15)[0]


def test_the_agent_works_inside(fenced: Fenced, broker: Mosquitto) -> None:
    node = fenced.node
    wait_for(lambda: "connected to" in fenced.log(), 10, fenced.log())
    command = '{"value": "ON", "id": "1"}'
    assert b"accepted" in published(broker, "pimqtt/car1/lamp/set", command, "pimqtt/car1/lamp/result")
    node.wait_level(27, 1)
    picture = published(broker, "pimqtt/car1/eye/snapshot/set", "PRESS", "pimqtt/car1/eye/image")
    assert picture[:2] == b"\xff\xd8"
    wait_for(lambda: "WATCHDOG=1" in fenced.heard(), 3)
    keeper = node.pid("keeper pins")
    if fence.real_time():
        assert os.sched_getscheduler(keeper) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
        assert "VmLck:\t       0 kB" not in Path(f"/proc/{keeper}/status").read_text()
        assert "not permitted" not in fenced.log()
    for problem in ("Traceback", "Permission denied", "Read-only"):
        assert problem not in fenced.log()
    os.kill(keeper, signal.SIGKILL)  # its successor is forked inside
    wait_for(lambda: node.pid("keeper pins") not in (0, keeper), 5)
    assert node.process
    node.process.terminate()
    assert node.process.wait(10) == 0
    assert node.levels(27)[-1] == 0
    assert (fenced.folder / "var/lib/pimqtt/car1").is_dir()
