"""Figures, promises, table, picture and plan of the fault matrix."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.safety import __main__ as safety
from benchmarks.safety import earlier
from benchmarks.safety.faults import FAULTS
from benchmarks.safety.figures import Line, line, percentile
from benchmarks.safety.judging import Finding
from benchmarks.safety.matrix import _spoilt, grouped
from benchmarks.safety.picture import svg
from benchmarks.safety.pins import PINS
from benchmarks.safety.plan import QUICK, Plan, estimate_s, parts, shuffled
from benchmarks.safety.report import BEGIN, END, Report
from benchmarks.safety.rows import row_of
from benchmarks.safety.table import markdown, plain
from benchmarks.safety.unit import command_lines

FAULT = {fault.name: fault for fault in FAULTS}
MACHINE = {"cores": 2, "cpu": "x", "system": "y", "load_before": 0.0, "load_after": 0.0}


def row(late_s: float = 0.001, *moved: str, fault: str = "sender_stops", void: str = "") -> dict[str, Any]:
    """Make the row of a trial in which all that moves was so late."""
    findings = [Finding(5, "motion", late_s, tuple(moved)), Finding(13, "motion", 0.0), Finding(22, "lamp", None)]
    return {**row_of(fault, "latch", "n1", [] if void else findings, void), "round": 3}


def summed(rows: list[dict[str, Any]], fault: str = "sender_stops", *, granted: bool = True) -> Line:
    return line(FAULT[fault], "latch", rows, granted=granted)


def report(*lines: Line, granted: bool = True) -> Report:
    when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return Report(Plan(), lines, [row()], MACHINE, {"python": "3"}, "abc", when, 7, 61.0, granted)


def test_a_row_has_each_pins_lateness_and_the_worst_of_its_class() -> None:
    made = row(0.002, "went to 0.4 at +1.000 s")
    assert made["late_s"] == {"5": 0.002, "13": 0.0}
    assert made["classes"] == {"motion": 0.002}
    assert made["moved"] == ["left wheel (pin 5) went to 0.4 at +1.000 s"]
    assert row(inf)["classes"] == {"motion": "never"}
    json.dumps(row(inf), allow_nan=False)


def test_percentiles() -> None:
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1], 0.99) == 1


def test_the_99th_percentile_is_promised_from_100_trials_on_and_the_maximum_below() -> None:
    many = summed([row()] * 199 + [row(0.5)])
    assert (many.verdict, many.figures[0].p99_s, many.figures[0].max_s) == ("held", 0.001, 0.5)
    assert summed([row()] * 197 + [row(0.5)] * 3).verdict == "broken"
    few = summed([row()] * 49 + [row(0.021)])
    assert (few.verdict, few.figures[0].p99_s) == ("broken", None)
    assert few.broken == ["sender_stops (latch): motion +21.0 ms, promised +20 ms"]


def test_one_trial_that_was_never_safe_breaks_a_promise_that_nothing_excuses() -> None:
    assert summed([row()] * 9 + [row(inf)], granted=False).verdict == "broken"
    assert "never" in plain([summed([row()] * 9 + [row(inf)])])


def test_one_pin_that_moved_breaks_the_promise_and_is_named_and_is_not_tried_again() -> None:
    moved = summed([row()] * 199 + [row(0.001, "went to 0.4 at +1.000 s")], granted=False)
    assert moved.broken == ["sender_stops (latch): round 3, n1: left wheel (pin 5) went to 0.4 at +1.000 s"]
    assert not moved.late
    assert summed([row(0.021)]).late
    assert summed([row(0.001, "was not on at the fault")]).late, "its renewals were late"
    pump = {**row(), "moved": ["pump (pin 17) was not on at the fault"]}
    assert not summed([pump]).late, "it has no renewals"
    assert not summed([row(0.001, "was not on at the fault", "went to 0 at -0.350 s, under its lease")]).late
    assert not summed([row(inf)]).late, "nor is what was never safe"


def test_without_real_time_priority_lateness_is_told_and_not_checked() -> None:
    unchecked = summed([row(0.03)], granted=False)
    assert (unchecked.verdict, unchecked.broken) == ("not checked", [])
    text = report(unchecked, granted=False).as_text()
    assert "not checked: no real-time priority" in text
    assert "every promise held" not in text
    keeper = row(0.01, fault="keeper_killed")
    assert summed([keeper], "keeper_killed", granted=False).verdict == "broken", "that second needs no priority"


def test_spoilt_trials_do_not_count_and_nothing_but_those_is_no_success() -> None:
    some = summed([row(), row(void="who drives was late")])
    assert (some.trials, some.void, some.verdict) == (1, 1, "held")
    voids = ("who drives was late", "the machine stood still for 42 ms", "the machine stood still for 7 ms")
    told = replace(report(some), rows=[row(), *(row(void=void) for void in voids)]).as_text()
    assert "3 trials show nothing and were done again: 2 times the machine stood still for some ms; 1 times who" in told
    assert "Every trial counted." in report(some).as_text()
    assert summed([row(void="who drives was late")]).broken == [
        "sender_stops (latch): no trial of 1 showed anything"
    ]  # fmt: skip


def test_a_spoilt_trial_hides_nothing_that_moved_and_too_few_trials_are_no_success() -> None:
    spoilt = {**row(void="who drives was late"), "moved": ["lamp (pin 22) went to 0 at +1.000 s"]}
    assert summed([row(), spoilt]).broken == ["sender_stops (latch): round 3, n1: lamp (pin 22) went to 0 at +1.000 s"]
    some = line(FAULT["sender_stops"], "latch", [row()] * 199, granted=True, wanted=200)
    assert some.broken == ["sender_stops (latch): only 199 trials of 200 showed anything"]
    assert not some.late
    assert line(FAULT["sender_stops"], "latch", [row()] * 200, granted=True, wanted=200).verdict == "held"


def test_a_flood_that_was_none_is_no_success_and_figures_of_some_trials_say_of_how_many() -> None:
    for sent_hz, verdict in ((9_899, "broken"), (9_900, "held")):
        flood = {**row(fault="flood"), "flood_hz": sent_hz, "done_hz": 8_000}
        told = line(FAULT["flood"], "latch", [flood] * 100, granted=True, wanted=100)
        assert told.verdict == verdict
        assert f"in the slowest round {sent_hz:,}/s were sent, 8,000/s done" in plain([told])
    assert "flood (latch): only 9899 commands/s were sent" in line(
        FAULT["flood"], "latch", [{**row(fault="flood"), "flood_hz": 9_899}], granted=True, wanted=1
    ).broken
    still = {**row(), "classes": {}}
    assert "1.0 / - / 1.0 (1 of 2)" in plain([summed([row(), still])])


def test_the_report_tells_what_broke_in_text_and_json() -> None:
    broken = report(summed([row(0.03)]), summed([row(fault="busy")], "busy"))
    assert "BROKEN sender_stops (latch): motion +30.0 ms, promised +20 ms" in broken.as_text()
    content = json.loads(broken.as_json())
    assert content["broken"] == broken.broken
    assert [(f["fault"], f["promise"]) for f in content["figures"]] == [("sender_stops", "broken"), ("busy", "held")]
    assert {"date", "commit", "machine", "versions", "plan", "rows", "seed", "real_time"} <= content.keys()
    assert "every promise held" in report(summed([row()])).as_text()


def test_what_was_measured_earlier_stands_beside_what_is_measured_now(tmp_path: Path) -> None:
    path = tmp_path / "safety.json"
    path.write_text(replace(report(summed([row()])), rows=[row(), row(0.03, fault="busy")]).as_json())
    past = earlier.read(path, ["busy"], MACHINE)
    assert past.rows == [row()]
    now = [row(0.002, fault="busy")]
    both = replace(report(summed(past.rows), summed(now, "busy")), earlier=past, rows=[*now, *past.rows])
    assert both.tried == ["busy"]
    assert both.broken == []
    assert "seed 7 (busy), all others 2026-01-02 03:04 UTC; commit abc; 1 minutes; seed 7" in both.head()
    assert json.loads(both.as_json())["earlier"] == past.about
    path.write_text(both.as_json())
    thrice = earlier.read(path, ["busy"], MACHINE)
    with pytest.raises(BenchmarkError, match="another machine"):
        earlier.read(path, ["busy"], {**MACHINE, "cpu": "y"})
    assert thrice.head.endswith("seed 7 (busy), all others 2026-01-02 03:04 UTC; commit abc; 1 minutes; seed 7")
    del past.about["earlier"], past.about["tried"]  # a result of before there was this
    assert thrice.head.count(past.head) == 2
    path.write_text(report(summed([row(0.03)])).as_json())
    assert earlier.read(path, [], MACHINE).head.endswith("seed 7; not held then: sender_stops (latch)")


@pytest.mark.parametrize("text", ["", "[]", '{"rows": []}'])
def test_what_is_no_result_is_said_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "safety.json"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match="is no result of this benchmark"):
        earlier.read(path, [], MACHINE)
    assert safety.main(["--only", "busy", "--earlier", str(path), "--out", str(tmp_path)]) == safety.FAILED


def test_the_documentation_is_renewed_between_its_marks_and_nowhere_else() -> None:
    made = report(summed([row()]))
    text = made.document(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "| whoever drives stops sending | 1 | 1.0 / - / 1.0 |" in text
    with pytest.raises(BenchmarkError, match="once each"):
        made.document("no marks")


def test_the_table_has_a_row_for_each_fault_and_rule() -> None:
    lines = [summed([row()]), replace(summed([row()]), rule="pull", again=True)]
    assert len(markdown(lines).splitlines()) == 4
    assert "whoever drives stops sending, released lines fall" in markdown(lines)
    assert "held at the second try" in plain(lines)


def test_the_picture_has_a_dot_for_each_trial_and_colours_for_light_and_dark() -> None:
    keeper = summed([row(-0.9, fault="keeper_killed")], "keeper_killed")
    text = svg([summed([row()] * 7 + [row(0.5), row(inf)]), keeper])
    assert "a stop" not in text
    assert "After it was sent (ms): a stop" in svg([summed([row(0.004, fault="stop")], "stop")])
    tree = ET.fromstring(text)
    dots = [e.get("class") for e in tree.iter() if e.tag.endswith("circle")]
    assert (dots.count("dot"), dots.count("late")) == (8, 2)
    assert "prefers-color-scheme: dark" in text


def test_every_fault_expects_something_of_every_class_and_names_are_unique() -> None:
    assert len(FAULT) == len(FAULTS)
    for fault in FAULTS:
        for rule in fault.rules:
            assert fault.name == "work_confined" or set(fault.expected(rule)) == set(PINS), fault.name
    assert {fault.name for fault in FAULTS if "pull" in fault.rules} >= {
        "keeper_killed", "keeper_frozen", "supervisor_killed", "all_killed",
    }  # fmt: skip


def test_the_plan_has_all_trials_in_an_order_of_chance_and_keeps_its_time() -> None:
    order = shuffled(parts(Plan(), FAULTS, safety.RULES), 1)
    counts: dict[tuple[str, str], int] = {}
    for part in order:
        key = (part.fault.name, part.rule)
        counts[key] = counts.get(key, 0) + part.rounds * part.nodes
    assert counts["sender_stops", "latch"] >= 200
    assert counts["keeper_killed", "pull"] >= 50
    assert counts["home_killed", "latch"] == 10
    assert counts["work_confined", "latch"] == 1
    assert order != shuffled(parts(Plan(), FAULTS, safety.RULES), 2)
    assert estimate_s(order, together=False) <= 90 * 60
    quick = shuffled(parts(QUICK, FAULTS, safety.RULES), 1)
    assert {part.fault.name for part in quick} == set(FAULT) - {"home_killed"}
    assert estimate_s(quick, together=True) <= 5 * 60
    groups = grouped(quick)
    assert max(map(len, groups)) > 5
    assert sum(map(len, groups)) == len(quick)


def test_in_a_quick_run_a_slow_machine_spoils_a_trial_but_never_hides_what_moved() -> None:
    slow = {"way_s": {"motion": 0.02, "pump": 0.001}}
    assert _spoilt({**row(), **slow})["void"] == "a command was 20 ms on its way to the pin"
    assert not _spoilt({**row(0.001, "went to 1"), **slow})["void"]
    assert not _spoilt({**row(inf), **slow})["void"], "nor what was never safe"
    assert not _spoilt({**row(), "way_s": {"motion": 0.005}})["void"]
    assert not _spoilt({**row(0.5), "way_s": {"motion": 0.005}})["void"], "late by itself is late"


def test_the_exit_status_tells_held_from_broken_from_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gives(made: Report | None) -> int:
        def measure(*_: object) -> Report:
            if made is None:
                raise BenchmarkError("mosquitto is missing")
            return made

        monkeypatch.setattr(safety, "measure", measure)
        return safety.main(["--quick", "--out", str(tmp_path)])

    assert gives(report(summed([row()]))) == 0
    assert gives(report(summed([row(0.03)]))) == 1
    assert gives(report(summed([row(0.03)], granted=False), granted=False)) == 0
    assert gives(report(summed([row(0.001, "went to 1")], granted=False), granted=False)) == 1
    assert gives(None) == 2
    assert "benchmarks.safety: mosquitto is missing" in capsys.readouterr().err
    assert list(tmp_path.glob("safety-*.json"))


def test_the_units_commands_are_known() -> None:
    assert command_lines()[0][:2] == ["/opt/pimqtt/bin/pimqtt", "safe"]
