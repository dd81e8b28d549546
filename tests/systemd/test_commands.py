"""The commands of the unit, run as they stand there by a stand-in for systemd: its socket, folders, signals, order.

Only the paths are the test's, and the account is whoever runs it.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.steps import DEADMAN_S
from tests.rig import ROOT, Mosquitto, Node, config, kill_together, wait_for
from tests.systemd.unit import UNIT, commands, directives

pytestmark = pytest.mark.broker

#: Instead of the unit's 10 s, so that the test is short; a pet is due twice in it.
WATCHDOG_S = 2.0
CAR = f"{{id: car, kind: motor, forward: 5, backward: 6, deadman: {DEADMAN_S}}}"
LAMP = "{id: lamp, kind: switch, pin: 27, on_stop: on}"
RELAY = "{id: relay, kind: switch, pin: 22, active_low: true}"


class Service:
    """Runs the unit's commands as systemd would."""

    def __init__(self, folder: Path, text: str) -> None:
        self.said: list[tuple[float, dict[str, str]]] = []
        self.folder = folder
        # an installed program, where the unit expects it below /
        program = folder / "opt/pimqtt/bin/pimqtt"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pimqtt_agent "$@"\n')
        program.chmod(0o755)
        for name in ("RuntimeDirectory", "StateDirectory", "ConfigurationDirectory"):
            (self.place(name)).mkdir(parents=True)
        (self.place("ConfigurationDirectory") / "config.yaml").write_text(text)
        self._end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._end.bind(str(folder / "notify"))
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.node = Node(folder / "node", "")  # for its look at processes and at the trace
        self.node.trace = self.place("ConfigurationDirectory") / "trace.jsonl"
        self.main: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End it."""
        self.node.__exit__(None, None, None)
        self._end.close()

    def place(self, name: str) -> Path:
        """Return the test's folder for one that the unit names."""
        below = {"RuntimeDirectory": "run", "StateDirectory": "var/lib", "ConfigurationDirectory": "etc"}[name]
        return self.folder / below / directives(UNIT)["Service"][name][0]

    def command(self, name: str) -> list[str]:
        """Return a command of the unit, with absolute paths of ours where it is not a program of the system."""
        pid = str(self.main.pid) if self.main else ""
        words = [pid if word == "$MAINPID" else word for word in commands()[name]]
        return [f"{self.folder}{word}" if word.startswith(("/opt/", "/etc/")) else word for word in words]

    def environment(self, **more: str) -> dict[str, str]:
        """Return what systemd sets for this unit, and how Python finds the checkout."""
        return {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8",
            "RUNTIME_DIRECTORY": str(self.place("RuntimeDirectory")),
            "STATE_DIRECTORY": str(self.place("StateDirectory")),
            "CONFIGURATION_DIRECTORY": str(self.place("ConfigurationDirectory")), **more,
        }  # fmt: skip

    def start(self) -> None:
        """Run ExecStart, and wait for READY=1 as Type=notify does."""
        usual = self.environment(NOTIFY_SOCKET=str(self.folder / "notify"), WATCHDOG_USEC=f"{WATCHDOG_S * 1e6:.0f}")
        with (self.folder / "log").open("ab") as log:
            self.main = self.node.process = subprocess.Popen(
                self.command("ExecStart"), env=usual, cwd=self.place("RuntimeDirectory"), stdout=log, stderr=log
            )
        self.listen(lambda: "READY" in self.told(), 15)

    def run(self, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the unit to its end."""
        return subprocess.run(
            self.command(name), env=self.environment(**more), cwd=self.place("RuntimeDirectory"),
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip

    def listen(self, until: Callable[[], bool] | None = None, timeout_s: float = 5.0) -> None:
        """Take what is said to systemd until a condition holds, or for the whole time."""
        end = time.monotonic() + timeout_s
        while (left_s := end - time.monotonic()) > 0:
            if until and until():
                return
            assert self.main
            assert self.main.poll() is None or "STOPPING" in self.told(), (self.folder / "log").read_text()
            if not select.select([self._end], [], [], min(left_s, 0.05))[0]:
                continue
            data, credentials, _, _ = self._end.recvmsg(4096, 64)
            lines = dict(line.split("=", 1) for line in data.decode().splitlines())
            sender = int.from_bytes(credentials[0][2][:4], sys.byteorder)
            assert sender == self.main.pid, f"{lines}: NotifyAccess=main hears the main process only"
            self.said.append((time.monotonic(), lines))
        assert until is None, f"not within {timeout_s} s; said: {self.said}; see {self.folder / 'log'}"

    def told(self) -> set[str]:
        """Return the names of all that was said."""
        return {name for _, lines in self.said for name in lines}

    def pets(self) -> list[float]:
        """Return when the watchdog was petted."""
        return [at_s for at_s, lines in self.said if lines.get("WATCHDOG") == "1"]

    def level(self, pin: int) -> float:
        """Return the level that a pin is at."""
        return self.node.levels(pin)[-1]


@pytest.fixture
def service(broker: Mosquitto, tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path / "root", config(broker.port, CAR, LAMP, RELAY))
    try:
        made.start()
        yield made
    finally:
        made.close()


def send(broker: Mosquitto, device: str, payload: object) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    command = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", f"pimqtt/car1/{device}/set", "-m", text]
    subprocess.run(command, check=True, timeout=5)


def turn_on(service: Service, broker: Mosquitto) -> None:
    """Have the lamp and the relay (on when low) ON, as soon as the agent hears it: READY does not wait for a broker."""
    for device, pin, level in (("lamp", 27, 1), ("relay", 22, 0)):
        for _ in range(50):
            send(broker, device, "ON")
            time.sleep(0.1)
            if service.level(pin) == level:
                break
        service.node.wait_level(pin, level, 0.1)


def test_a_start_a_reload_and_a_stop(service: Service, broker: Mosquitto) -> None:
    (ready,) = [lines for _, lines in service.said if "READY" in lines]
    assert ready["READY"] == "1"
    assert service.node.pid("agent")
    assert service.node.pid("keeper pins")
    turn_on(service, broker)

    file = service.place("ConfigurationDirectory") / "config.yaml"
    file.write_text(file.read_text() + "  - {id: extra, kind: switch, pin: 9, initial: on}\n")
    assert service.run("ExecReload").returncode == 0
    service.node.wait_level(9, 1)
    assert service.node.levels(27) == [0, 1], "a reload makes nothing twitch"

    since_s = time.monotonic()
    service.listen(timeout_s=2 * WATCHDOG_S)
    pets = [at_s for at_s in service.pets() if at_s >= since_s]
    assert len(pets) >= 3
    assert max(after - before for before, after in itertools.pairwise(pets)) <= WATCHDOG_S / 2 + 0.3

    assert service.main
    service.main.terminate()
    service.listen(lambda: "STOPPING" in service.told())
    assert service.main.wait(float(directives(UNIT)["Service"]["TimeoutStopSec"][0])) == 0
    done = service.run("ExecStopPost", SERVICE_RESULT="success", EXIT_CODE="exited", EXIT_STATUS="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert (service.level(27), service.level(22)) == (1, 1), "as `on_stop` says, and the safe value"


def test_after_a_kill_of_everything_the_outputs_go_to_rest(service: Service, broker: Mosquitto) -> None:
    turn_on(service, broker)
    send(broker, "car", {"value": 60})
    service.node.wait_level(5, 0.6)
    assert service.main
    pids = [*service.node.descendants(), service.main.pid]
    kill_together(pids)
    service.main.wait(5)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="all dead")
    assert (service.level(5), service.level(27), service.level(22)) == (0.6, 1, 0), "nobody was there to do anything"
    done = service.run("ExecStopPost", SERVICE_RESULT="signal", EXIT_CODE="killed", EXIT_STATUS="KILL")
    assert (done.returncode, done.stderr) == (0, "")
    assert (service.level(5), service.level(27), service.level(22)) == (0, 0, 1)


def test_a_supervisor_that_hangs_pets_no_watchdog_and_its_kill_leaves_all_safe(
    service: Service, broker: Mosquitto
) -> None:
    turn_on(service, broker)
    assert service.main
    children = service.node.descendants()
    os.kill(service.main.pid, signal.SIGSTOP)
    service.listen(timeout_s=0.2)  # what was on its way
    count = len(service.pets())
    service.listen(timeout_s=1.5 * WATCHDOG_S)
    assert len(service.pets()) == count
    service.main.send_signal(getattr(signal, directives(UNIT)["Service"]["WatchdogSignal"][0]))
    # at once, while the keeper may still hold the lines; nobody has killed the rest
    done = service.run("ExecStopPost", SERVICE_RESULT="watchdog", EXIT_CODE="killed", EXIT_STATUS="KILL")
    assert (done.returncode, done.stderr) == (0, "")
    assert (service.level(5), service.level(27), service.level(22)) == (0, 0, 1)
    wait_for(lambda: not any(alive(pid) for pid in children), what="children end")
    assert (service.level(5), service.level(27), service.level(22)) == (0, 0, 1), (
        "a keeper that ends late moves nothing"
    )


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"pimqtt: ")
    except OSError:
        return False
