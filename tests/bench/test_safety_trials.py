"""Trials of the fault matrix on real processes; how late anything was is not tested."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from benchmarks.plan import Row
from benchmarks.safety.faults import FAULTS
from benchmarks.safety.matrix import run
from benchmarks.safety.plan import Part
from benchmarks.safety.sender import Orders, sent
from benchmarks.safety.trace import Trace
from benchmarks.safety.wire import Connection
from tests.rig import Mosquitto

pytestmark = pytest.mark.broker


def trial(name: str, nodes: int) -> list[Row]:
    fault = next(fault for fault in FAULTS if fault.name == name)
    return [row for row in run([Part(fault, "latch", 1, nodes)], random.randrange(1000)) if not row["void"]]


def test_a_sender_that_stops() -> None:
    rows = trial("sender_stops", 2)
    assert len(rows) >= 2
    for row in rows:
        assert row["moved"] == [], "a pin moved"
        assert set(row["late_s"]) == {"5", "13", "23", "17"}
        assert all(-0.001 <= late_s < 1 for late_s in row["late_s"].values())


def test_a_pin_keeper_that_is_killed() -> None:
    (row, *_) = trial("keeper_killed", 1)
    assert row["moved"] == [], "a pin moved"
    assert set(row["classes"]) == {"motion", "pump"}
    assert all(late_s < 0 for late_s in row["classes"].values())


def test_a_bad_link_is_bad() -> None:
    (row, *_) = trial("bad_link", 1)
    assert row["moved"] == [], "a pin moved"
    assert {"5", "13", "23", "17"} <= set(row["late_s"])


@pytest.mark.parametrize("name", ["disk_full", "disk_read_only"])
def test_something_is_written_to_a_disk_that_takes_nothing(name: str) -> None:
    (row, *_) = trial(name, 1)
    assert row["moved"] == [], "a pin moved"
    assert set(row["late_s"]) == {"5", "13", "23", "17"}


@pytest.mark.parametrize("version", [4, 5])
def test_the_wire_of_those_who_drive(broker: Mosquitto, version: int) -> None:
    link = Connection(broker.port, "a", version)
    link.subscribe("t/#")
    payload = "x" * 300
    link.send(link.message("t/1", payload, 1), link.message("t/2", {"value": 1}, expiry_s=9 if version == 5 else 0))
    heard = dict(link.heard(time.monotonic() + 0.5))
    assert heard == {"t/1": payload.encode(), "t/2": b'{"value": 1}'}
    link.close()


def test_a_trace_is_read_on_and_what_changes_nothing_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    trace = Trace(path)
    assert trace.seen() == {}
    path.write_text('{"t_ns": 1, "pin": 5, "value": 0}\n{"t_ns": 2, "pin": 5, "value": 0}\n{"t_ns": 3, "pi')
    assert trace.seen() == {5: [(1, 0)]}
    with path.open("a") as file:
        file.write('n": 5, "value": 0.5}\n{"t_ns": 4, "pin": 26, "value": 1}\n{"t_ns": 5, "pin": 26, "value": 0}\n')
    assert trace.levels() == {5: 0.5, 26: 0}
    assert trace.spare_changes == 2


def test_what_was_sent_is_known_also_of_one_that_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "sent"
    assert sent(log) == []
    log.write_text("100 0\n200 1\n")
    assert sent(log) == [100, 200]
    assert Orders(1, "n", str(log), 3).stamp == "plain"
