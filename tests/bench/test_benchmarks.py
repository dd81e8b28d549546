"""The benchmarks run and tell what they found; how fast anything is, is not tested."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.agents import CANDIDATES, Floor, Peer, Pimqtt
from benchmarks.candidates import Candidate, rotated
from benchmarks.driver import Burst, Driver
from benchmarks.errors import BenchmarkError
from benchmarks.figures import figures
from benchmarks.plan import QUICK, Row, broker
from benchmarks.processes import memory, threads, tree, used
from benchmarks.report import Report
from benchmarks.safety.wire import Connection
from tests.rig import ROOT

TINY = replace(
    QUICK, outputs=(2, 5), commands=20, calm_s=0.2, warm_up=4, pipelined=60, window=20, settle_s=0.2, idle_s=0.3,
    frames=10,
)  # fmt: skip
MACHINE = {"cores": 2, "cpu": "x", "system": "y", "load_before": 0.0, "load_after": 0.0}


def report(rows: list[Row]) -> Report:
    return Report(TINY, rows, MACHINE, {"python": "3"}, "abc", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


def row(benchmark: str, candidate: str, number: int = 0, **more: Any) -> Row:
    return {"benchmark": benchmark, "candidate": candidate, "outputs": 2, "round": number, **more}


@pytest.mark.broker
@pytest.mark.timeout(90)
def test_every_benchmark_measures_pimqtt_and_the_floor(tmp_path: Path) -> None:
    found = benchmarks.run(TINY, list(benchmarks.BENCHMARKS), (Pimqtt, Floor))
    assert {r["benchmark"] for r in found.rows} == set(benchmarks.BENCHMARKS)
    assert {r["candidate"] for r in found.rows} == {"pimqtt", "echo (floor)", "simplejpeg"}
    burst = next(r for r in found.rows if r["benchmark"] == "pipelined" and r["candidate"] == "pimqtt")
    assert (burst["missing"], burst["disorder"], burst["last_wrong"]) == (0, 0, 0)
    path, table = found.write(tmp_path)
    content = json.loads(path.read_text())
    assert content["rows"] == found.rows
    assert content["versions"]["mosquitto"]
    assert "| pipelined, window 20 | >= 10000 commands/s |" in table.read_text()


@pytest.mark.broker
@pytest.mark.timeout(90)
def test_another_checkout_is_measured_beside_this_one(tmp_path: Path) -> None:
    (tmp_path / "pimqtt_agent").symlink_to(ROOT / "pimqtt_agent")
    found = benchmarks.run(TINY, ["latency"], (Pimqtt,), tmp_path)
    assert {r["candidate"] for r in found.rows} == {"pimqtt", "pimqtt unknown"}
    with pytest.raises(BenchmarkError, match="no checkout of pimqtt"):
        benchmarks.run(TINY, ["latency"], (Pimqtt,), tmp_path / "nowhere")


def test_what_the_driver_prints_in_one_go_is_read_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "driver"
    program.write_text("#!/bin/sh\nprintf 'ready\\n7000000000 2 3 4\\n'\n")
    program.chmod(0o755)
    monkeypatch.setattr("benchmarks.driver.build", lambda: program)
    assert Driver(1).burst([("a", "b")], 0, 2, 1) == Burst(7, 2, 3, 4)


@pytest.mark.broker
def test_a_peer_that_does_not_start_fails_the_run(tmp_path: Path) -> None:
    class Broken(Peer):
        name, script = "broken", "not_there.py"
        pairs = [("a", "b")]  # noqa: RUF012
        announced = ["b"]  # noqa: RUF012

        def arguments(self) -> list[str]:
            return []

    with broker() as (port, _), pytest.raises(BenchmarkError, match=r"broken did not start(.|\n)*not_there"):
        Broken(1, port, tmp_path, Path("/usr/bin/python3")).__enter__()


@pytest.mark.broker
def test_the_driver_counts_disorder_and_names_what_is_silent(tmp_path: Path) -> None:
    with broker() as (port, _):
        driver = Driver(port)
        crossed = [("a/set", "b/state"), ("b/set", "a/state")]
        with Floor(2, port, tmp_path, tmp_path) as floor:
            assert len(driver.latencies_s(floor.pairs, 1, 10)) == 10
            assert driver.burst(floor.pairs, 1, 31, 7).last_wrong == 0
        with driver.echo([("a/set", "a/state"), ("b/set", "a/state")]):
            burst = driver.burst([("a/set", "a/state"), ("b/set", "b/state")], 0, 8, 8)
            assert burst.received == 8
            assert burst.disorder
            assert burst.last_wrong == 1
        with pytest.raises(BenchmarkError, match="had no state"), driver.echo([("x", "y")]):
            driver.latencies_s(crossed, 0, 1)


@pytest.mark.broker
def test_a_flood_comes_at_its_rate_though_nobody_answers() -> None:
    with broker() as (port, _), contextlib.closing(Connection(port, "counts")) as counts:
        counts.subscribe("a/set")
        with Driver(port).flood([("a/set", "a/state")], 2_000) as flood:
            came = len(list(counts.heard(time.monotonic() + 0.5)))
        assert flood.sent_hz == pytest.approx(2_000, rel=0.05)
        assert 700 < came < 1_300


def test_figures_are_medians_and_ratios_are_taken_within_a_round() -> None:
    rows = [row("latency", "pimqtt", n, qos=0, p50_us=us) for n, us in enumerate((100, 400, 100))]
    rows += [row("latency", "mqtt-io", n, qos=0, p50_us=us) for n, us in enumerate((200, 1600, 210))]
    first = figures(rows, TINY)[0]
    assert first.measured == pytest.approx(100 / 210)
    assert first.met
    assert [f.met for f in figures(rows, TINY)[1:]] == [None] * 10


def test_the_table_says_what_was_missed() -> None:
    text = report([row("start", "pimqtt", seconds=0.75, cpu_s=0.5)]).as_table()
    assert "| exec to everything announced, 2 outputs | <= 0.5 s | 0.75 s | **no** |" in text
    assert "| start s, 2 | 0.75 |" in text
    assert "not measured" in text


def test_the_head_of_the_table_says_what_is_a_median_and_what_was_measured_once() -> None:
    rows = [row("start", "pimqtt", n, seconds=0.3, cpu_s=0.2) for n in range(3)]
    rest = {"pss_mib": 40, "alone_mib": 50, "threads": 9}
    rows += [row("memory", "pimqtt", **rest), row("idle", "pimqtt", cpu_pct=0.01, wakeups_per_s=1)]
    made = replace(report(rows), plan=replace(TINY, rounds=3)).as_table().splitlines()
    assert made[2].endswith("; medians of 3 rounds; memory, idle: one round.")
    assert report(rows[3:]).as_table().splitlines()[2].endswith("after 0.00; memory, idle: one round.")


def test_rounds_begin_with_another_candidate_each() -> None:
    kinds: list[type[Candidate]] = list(CANDIDATES)
    assert [next(rotated(kinds, number)) for number in range(4)] == kinds
    assert set(rotated(kinds, 1)) == set(kinds)


def test_processes_are_read() -> None:
    pids = tree(os.getpid())
    found = memory([os.getpid()])
    assert os.getpid() in pids
    assert 0 < found.pss_mib <= found.rss_mib
    assert found.pss_mib <= found.alone_mib + 0.1
    assert used(pids).cpu_s > 0
    assert threads(pids) >= 1
