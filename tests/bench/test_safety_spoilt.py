"""Trials that show nothing: why, and what is wrong in them all the same."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from benchmarks.plan import Row
from benchmarks.safety.capture import Packet, mark
from benchmarks.safety.faults import FAULTS
from benchmarks.safety.judging import Change, Facts, Finding
from benchmarks.safety.pins import PINS, speed
from benchmarks.safety.spoilt import came_ns, ended_early, last_taken, wrong
from benchmarks.safety.stage import Stage
from benchmarks.safety.trace import Trace
from benchmarks.safety.witness import Driven, Times, judged
from tests.rig import Mosquitto, Node

MS = 10**6
START, FAULT_NS = 10_000 * MS, 10_950 * MS
SENT = [START + n * 100 * MS for n in range(10)]
FAULT = {fault.name: fault for fault in FAULTS}
#: All that was sent came 2 ms later; the lease ended with the last.
DRIVEN: list[Change] = [(1, 0.0), *((at + 2 * MS, speed(n)) for n, at in enumerate(SENT)), (SENT[-1] + 502 * MS, 0.0)]
PUMPED: list[Change] = [(1, 0.0), (SENT[0] + 2 * MS, 1.0), (SENT[0] + 2001 * MS, 0.0)]
REST: list[Change] = [(1, 0.0), (2, 1.0)]
STILL: list[Change] = [(1, 0.0)]


class Bench(Stage):
    """A stage whose pins did what they are told here."""

    def __init__(self, seen: dict[int, list[Change]]) -> None:
        self._seen = seen

    def trace(self, node: Node) -> Trace:  # noqa: ARG002
        trace = Trace(Path("nowhere"))
        trace.seen = lambda: self._seen  # type: ignore[method-assign]
        return trace


def seen(changed: dict[int, list[Change]]) -> dict[int, list[Change]]:
    good = {**dict.fromkeys(PINS["motion"], DRIVEN), **dict.fromkeys(PINS["reverse"], STILL), 17: PUMPED}
    return {**good, 27: REST, 22: REST, **changed}


def trial(folder: Path, name: str = "sender_stops", sent_ns: list[int] = SENT, **changed: list[Change]) -> Row:
    """Judge a trial in which some pins (``p5``), or those of a class (``motion``), did otherwise."""
    pins = {pin: rows for key, rows in changed.items() for pin in (PINS.get(key) or (int(key[1:]),))}  # type: ignore[call-overload]
    log = folder / "sent"
    log.write_text("".join(f"{at} {n}\n" for n, at in enumerate(sent_ns)))
    one = Driven(Node(folder, "", name="n1"), 9, log, [], START, FAULT_NS, FAULT_NS)
    return judged(Bench(seen(pins)), FAULT[name], "latch", one, Times(START - MS, 0, FAULT_NS + 4000 * MS, []))


def test_a_good_trial_counts(tmp_path: Path) -> None:
    row = trial(tmp_path)
    assert (row["void"], row["moved"], "excused" in row) == ("", [], False)
    assert row["late_s"] == pytest.approx({"5": 0.002, "13": 0.002, "23": 0.002, "17": 0.001})
    assert row["way_s"] == pytest.approx({"motion": 0.002, "pump": 0.002})


def test_who_was_late_explains_what_lapsed_and_not_what_rests(tmp_path: Path) -> None:
    on = DRIVEN[:-1]
    row = trial(tmp_path, sent_ns=SENT[:-1], motion=on, p22=[*REST, (FAULT_NS + MS, 0.0)])
    assert row["void"] == "who drives was late"
    assert row["moved"] == ["lamp (pin 22) went to 0 at +0.001 s"]
    assert {what.partition(")")[2] for what in row["excused"]} == {" was never safe"}
    assert len(row["excused"]) == len(PINS["motion"])
    assert row["late_s"] == {}


def test_a_lease_that_ended_under_its_renewals_is_wrong_however_slow_the_machine_was(tmp_path: Path) -> None:
    early: list[Change] = [*DRIVEN[:4], (SENT[2] + 400 * MS, 0.0)]
    assert trial(tmp_path, p5=early)["moved"] == ["left wheel (pin 5) went to 0 at -0.350 s, under its lease"]
    lapsed: list[Change] = [*DRIVEN[:4], (SENT[2] + 501 * MS, 0.0)]
    row = trial(tmp_path, motion=lapsed)
    assert (row["moved"], row["void"][:16]) == ([], "the last renewal")
    assert row["excused"]
    facts = Facts(START, FAULT_NS, {"fault": FAULT_NS})
    assert [f.pin for f in ended_early({13: early, 23: lapsed}, SENT, facts)] == [13]


def test_a_renewal_on_its_way_at_the_fault_explains_nothing_else(tmp_path: Path) -> None:
    lost: list[Change] = [*DRIVEN[:-2], (SENT[-2] + 502 * MS, 0.0)]
    row = trial(tmp_path, motion=lost)
    assert (row["moved"], row["void"]) == ([], "the last renewal before the fault had not reached the pin")
    again: list[Change] = [*lost, (FAULT_NS + 2000 * MS, 0.4), (FAULT_NS + 2500 * MS, 0.0)]
    assert "went to 0.4 at +2.000 s" in trial(tmp_path, p13=again, p5=lost, p23=lost)["moved"][0]
    assert trial(tmp_path, p5=lost, p13=DRIVEN[:-1], p23=lost)["moved"] == ["right wheel (pin 13) was never safe"]


def test_of_a_flood_the_last_renewal_that_came_counts_and_a_lapse_is_no_excuse(tmp_path: Path) -> None:
    slow: list[Change] = [*DRIVEN[:-2], (FAULT_NS + 30 * MS, speed(9)), (SENT[9] + 505 * MS, 0.0)]
    row = trial(tmp_path, "flood", motion=slow)
    assert (row["void"], row["moved"]) == ("", [])
    assert row["late_s"]["5"] == pytest.approx(0.005)
    assert row["way_s"]["motion"] == pytest.approx(0.08)
    refused: list[Change] = [*DRIVEN[:-2], (SENT[8] + 503 * MS, 0.0)]
    assert trial(tmp_path, "flood", motion=refused)["late_s"]["5"] == pytest.approx(0.003)
    lapsed: list[Change] = [*DRIVEN[:4], (SENT[2] + 501 * MS, 0.0)]
    assert "was not on at the fault" in trial(tmp_path, "flood", motion=lapsed)["moved"][0]
    dropped: list[Change] = [*DRIVEN[:4], (SENT[2] + 400 * MS, 0.0)]
    assert "under its lease" in trial(tmp_path, "flood", motion=dropped)["moved"][-1]


def test_what_came_while_the_fault_was_done_was_perhaps_not_heard(tmp_path: Path) -> None:
    log = tmp_path / "sent"
    log.write_text("".join(f"{at} {n}\n" for n, at in enumerate(SENT)))
    one = Driven(Node(tmp_path, "", name="n1"), 9, log, [], START, FAULT_NS, FAULT_NS + 20 * MS)

    def cut(came_ns: int, fell_ns: int) -> Row:
        packets = [Packet(SENT[-1], 7, mark("n1", "car")), Packet(came_ns, 7, b"an answer"), Packet(came_ns, 8, b"*")]
        pins = seen({27: [*REST, (fell_ns, 0.0)]})
        return judged(Bench(pins), FAULT["one_way"], "latch", one, Times(START - MS, 0, FAULT_NS + 4000 * MS, packets))

    for lost_ns, void in ((19 * MS, "something came while the fault was done"), (21 * MS, "")):
        row = cut(FAULT_NS + lost_ns, SENT[-1] + 1001 * MS)
        assert (row["void"], row["moved"]) == (void, [])
    never = cut(FAULT_NS + 19 * MS, FAULT_NS + 5000 * MS)
    assert (never["void"][:9], never["moved"]) == ("something", ["heater (pin 27) was never safe"])
    early = cut(FAULT_NS - 10 * MS, SENT[-1] + 1001 * MS)
    assert early["moved"] == ["heater (pin 27) fell 0.039 s too early"]


class Prepared(Stage):
    """A stage whose node stops resting while it is asked whether it hears."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Mosquitto(folder), [Node(folder, "", name="n1")], folder)
        self.resting, self.asked, self.put = False, 0, 0

    def publish(self, *messages: tuple[str, object], qos: int = 0) -> int:  # noqa: ARG002
        self.resting, self.put = True, self.put + 1
        return 0

    def _ready(self, node: Node) -> bool:  # noqa: ARG002
        return self.resting

    def _heard(self, node: Node, end: float) -> None:  # noqa: ARG002
        self.asked += 1
        self.resting = self.asked > 1


def test_what_lapsed_while_nodes_were_prepared_is_put_back(tmp_path: Path) -> None:
    stage = Prepared(tmp_path)
    stage.prepare()
    assert (stage.resting, stage.put, stage.asked) == (True, 2, 2)
    assert stage.notes == {"put_back": 1}


def test_what_is_wrong_is_what_moved_or_was_never_safe() -> None:
    findings = [Finding(5, "motion", inf), Finding(17, "pump", 0.5), Finding(22, "lamp", None, ("went to 0",))]
    assert [(f.pin, f.late_s, f.moved) for f in wrong(findings)] == [
        (5, None, ("was never safe",)), (22, None, ("went to 0",)),
    ]  # fmt: skip
    assert [f.pin for f in wrong(findings, {"motion"})] == [22]


def test_the_last_renewal_that_came() -> None:
    assert last_taken(DRIVEN, SENT) == (SENT[-1], SENT[-1] + 2 * MS)
    assert last_taken(DRIVEN[:4], SENT) == (SENT[2], SENT[2] + 2 * MS)
    assert last_taken(STILL, SENT) == (0, 0)
    assert came_ns([(SENT[0] + 1001 * MS, speed(0))], SENT[0], speed(0)) is None, "that is another one of this level"
