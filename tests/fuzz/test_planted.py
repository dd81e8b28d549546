"""The fuzzer finds what it is for: a bug planted into a copy of a real function, within so many inputs."""

from __future__ import annotations

import pytest

from tests.fuzz.engine import hunt
from tests.fuzz.plants import PLANTS
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Finding

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
#: Within so many inputs, and by these words.
FOUND = {
    "swallowed": (500, "neither done nor refused"),
    "nan": (1_000, "line 2[34] was set to|passed on as a command|is on its way to a pin"),
    "leak": (4_000, "memory grows by"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    target_name, plant = PLANTS[name]
    most, words = FOUND[name]
    with TARGETS[target_name]() as target, plant(), pytest.raises(Finding, match=words):
        hunt(target, most, seed=1, every=1_000)


@pytest.mark.parametrize("name", sorted({target for target, _ in PLANTS.values()}))
def test_without_it_nothing_is(name: str) -> None:
    with TARGETS[name]() as target:
        assert hunt(target, 1_000, seed=1, every=1_000, sample=3).inputs == 1_000
