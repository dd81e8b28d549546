"""A short form of `python -m benchmarks.soak` (with ``--full`` it takes 5 minutes), and what its judge would find."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import __main__ as soak
from benchmarks.soak.core import LEFT_BYTES, core_day
from benchmarks.soak.day import PER_DAY
from benchmarks.soak.growth import CHANCE_KIB, Sample, growth
from benchmarks.soak.table import table

STEADY = [Sample(float(at_s), "agent", 7, 9000, 17, 3) for at_s in range(60)]


@pytest.mark.broker
@pytest.mark.timeout(480)
@pytest.mark.parametrize("minutes", [0.5, pytest.param(5, marks=pytest.mark.full)])
async def test_a_part_of_the_day_leaves_nothing_behind(minutes: float) -> None:
    content = await soak.soak(minutes)
    assert content["problems"] == []
    assert content["done"].keys() == PER_DAY.keys(), "each thing has happened"
    assert {row["process"] for row in content["growth"]} == {
        "supervisor", "agent", "keeper pins", "keeper camera eye", "troubled supervisor",
    }  # fmt: skip
    assert "What grew: nothing." in table(content)


def test_a_day_of_the_core_leaves_nothing_behind() -> None:
    day = core_day(2)
    assert day.left_bytes <= LEFT_BYTES
    assert day.commands == 3600
    assert day.ticks > 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"private_kib": 9000 + CHANCE_KIB}, []),
        ({"private_kib": 9001 + CHANCE_KIB}, [f"agent: private_kib 9000 -> {9001 + CHANCE_KIB}"]),
        ({"descriptors": 18}, ["agent: descriptors 17 -> 18"]),
        ({"threads": 4}, ["agent: threads 3 -> 4"]),
        ({"pid": 8}, ["agent was replaced 1 times"]),
    ],
)
def test_what_grew_is_found(change: dict[str, Any], found: list[str]) -> None:
    taken = [replace(sample, **change) if sample.at_s >= 45 else sample for sample in STEADY]
    (row,) = growth(taken, 1)
    assert row.problems == found


def test_the_committed_figures_are_of_a_whole_day_and_the_document_is_made_of_them() -> None:
    content = json.loads(soak.RAW.read_text())
    assert content["minutes"] >= 20
    assert content["problems"] == []
    assert Path(soak.DOCUMENT).read_text() == table(content)
