"""When `info` is told again: where the clock, the supply, the broker or the supervisor's findings changed; else not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from pimqtt_agent.devices.system import System, SystemDevice
from pimqtt_agent.discovery import Node
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.session import Session
from pimqtt_agent.settings import SystemOptions
from pimqtt_agent.topics import Topics

TOPICS = Topics("pimqtt", "car1")
NODE = Node(topics=TOPICS, identity="car1", title="Car", model="Pi")


class Rights:
    def __init__(self) -> None:
        self.denied: list[str] = []

    def topics(self) -> list[str]:
        return list(self.denied)


class Wire:
    """What is published; the broker's side of it is the tests' on the real one."""

    version, max_packet_size = "5", None

    def __init__(self) -> None:
        self.rights = Rights()
        self.told: list[dict[str, Any]] = []
        self.flushed = 0

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        assert (topic, qos, retain) == ("pimqtt/car1/info", 1, True)
        self.told.append(json.loads(payload))
        return True

    def flush(self) -> None:
        self.flushed += 1


class Told:
    """A session that is online, on a board whose facts a test changes."""

    def __init__(self, folder: Path) -> None:
        model = Model(TOPICS, [])
        self.session = Session(model, NODE, Memory(folder, model))
        self.wire = Wire()
        self.session.bridge = cast("Any", self.wire)
        self.facts: dict[str, Any] = {"clock_synchronised": False, "under_voltage": None}
        self.session.facts = lambda: dict(self.facts)
        self.session.online = True
        self.session.tell_changes()
        assert len(self.wire.told) == 1

    def news(self) -> list[dict[str, Any]]:
        """Ask for changes twice; return what was told."""
        before = len(self.wire.told)
        self.session.tell_changes()
        self.session.tell_changes()
        assert self.wire.flushed == len(self.wire.told)
        return self.wire.told[before:]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_it_is_not_told_again_without_a_change(told: Told) -> None:
    assert told.news() == []


def test_it_is_told_once_when_the_clock_is_set(told: Told) -> None:
    told.facts["clock_synchronised"] = True
    assert [info["clock_synchronised"] for info in told.news()] == [True]
    told.facts["clock_synchronised"] = False
    assert [info["clock_synchronised"] for info in told.news()] == [False]


def test_so_it_is_when_the_supply_is_too_weak(told: Told) -> None:
    told.facts["under_voltage"] = True
    assert [info["under_voltage"] for info in told.news()] == [True]


def test_so_it_is_when_the_broker_denies_more(told: Told) -> None:
    told.wire.rights.denied.append("pimqtt/car1/marker")
    assert [info["denied"] for info in told.news()] == [["pimqtt/car1/marker"]]


def test_so_it_is_when_the_supervisor_finds_something_or_no_longer(told: Told) -> None:
    for problem in ("the old configuration", ""):
        told.session.tell_problem(problem)
        assert told.wire.told[-1]["problem"] == (problem or None)
        assert told.news() == []
    assert len(told.wire.told) == 3


def test_nothing_is_told_while_offline(told: Told) -> None:
    told.session.online = False
    told.facts["clock_synchronised"] = True
    assert told.news() == []


class TestSupply:
    """Too weak now or since boot: what was seen once is not forgotten."""

    FLAGS = "sys/devices/platform/soc/soc:firmware/get_throttled"

    def system(self, root: Path, **files: str) -> System:
        for name, text in files.items():
            path = root / {"flags": self.FLAGS}.get(name, f"sys/class/hwmon/hwmon1/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        device = SystemDevice.of(SystemOptions(), root)
        return System(device, restart=lambda: None, reboot=lambda: None, root=root)

    def test_it_is_unknown_where_the_board_does_not_tell(self, tmp_path: Path) -> None:
        system = self.system(tmp_path)
        system.read()
        assert system.under_voltage is None

    @pytest.mark.parametrize(
        ("flags", "weak"), [("0", False), ("1", True), ("50000", True), ("0x10000", True), ("20002", False)]
    )
    def test_the_firmware_tells_of_now_and_of_since_boot(self, tmp_path: Path, flags: str, *, weak: bool) -> None:
        system = self.system(tmp_path, flags=f"{flags}\n")
        values = system.read()
        assert system.under_voltage is weak
        assert values["under_voltage"] is (flags == "1")  # the entity tells of now

    def test_the_mainline_kernels_alarm_is_remembered(self, tmp_path: Path) -> None:
        system = self.system(tmp_path, name="rpi_volt\n", in0_lcrit_alarm="0\n")
        found = []
        for alarm in ("0", "1", "0"):
            (tmp_path / "sys/class/hwmon/hwmon1/in0_lcrit_alarm").write_text(alarm)
            values = system.read()
            found.append((values["under_voltage"], system.under_voltage))
        assert found == [(False, False), (True, True), (False, True)]
